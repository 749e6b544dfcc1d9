using System;
using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda
{
    public static class DriverAPINativeMethods
    {
        private const string Library = "nvcuda";

        [DllImport(Library)]
        public static extern CUResult cuInit(CUInitializationFlags Flags);

        [DllImport(Library)]
        public static extern CUResult cuDriverGetVersion(ref int driverVersion);

        public static class DeviceManagement
        {
            [DllImport(Library)]
            public static extern CUResult cuDeviceGet(ref CUdevice device, int ordinal);

            [DllImport(Library)]
            public static extern CUResult cuDeviceGetCount(ref int count);

            [DllImport(Library)]
            public static extern CUResult cuDeviceGetName([Out] byte[] name, int len, CUdevice dev);

            [DllImport(Library)]
            public static extern CUResult cuDeviceTotalMem_v2(ref SizeT bytes, CUdevice dev);

            [DllImport(Library)]
            public static extern CUResult cuDeviceGetAttribute(ref int pi, CUDeviceAttribute attrib, CUdevice dev);

            [DllImport(Library)]
            public static extern CUResult cuDeviceGetDefaultMemPool(ref CUmemoryPool pool_out, CUdevice dev);
        }

        public static class ContextManagement
        {
            [DllImport(Library)]
            public static extern CUResult cuCtxSetCurrent([In] CUcontext ctx);

            [DllImport(Library)]
            public static extern CUResult cuCtxGetCurrent(ref CUcontext pctx);

            [DllImport(Library)]
            public static extern CUResult cuDevicePrimaryCtxRetain(ref CUcontext pctx, CUdevice dev);

            [DllImport(Library, EntryPoint = "cuDevicePrimaryCtxRelease_v2")]
            public static extern CUResult cuDevicePrimaryCtxRelease(CUdevice dev);
        }

        public static class ModuleManagement
        {
            [DllImport(Library)]
            public static extern CUResult cuModuleLoadDataEx(ref CUmodule module, [In] byte[] image, uint numOptions, [In] CUJITOption[] options, [In, Out] IntPtr[] optionValues);

            [DllImport(Library)]
            public static extern CUResult cuModuleUnload(CUmodule hmod);

            [DllImport(Library)]
            public static extern CUResult cuModuleGetFunction(ref CUfunction hfunc, CUmodule hmod, string name);
        }

        public static class MemoryManagement
        {
            [DllImport(Library)]
            public static extern CUResult cuMemGetInfo_v2(ref SizeT free, ref SizeT total);

            [DllImport(Library)]
            public static extern CUResult cuMemAlloc_v2(ref CUdeviceptr dptr, SizeT bytesize);

            [DllImport(Library)]
            public static extern CUResult cuMemFree_v2(CUdeviceptr dptr);

            [DllImport(Library)]
            public static extern CUResult cuMemAllocAsync(ref CUdeviceptr dptr, SizeT bytesize, CUstream hStream);

            [DllImport(Library)]
            public static extern CUResult cuMemFreeAsync(CUdeviceptr dptr, CUstream hStream);

            [DllImport(Library)]
            public static extern CUResult cuMemHostAlloc(ref IntPtr pp, SizeT bytesize, CUMemHostAllocFlags Flags);

            [DllImport(Library)]
            public static extern CUResult cuMemFreeHost(IntPtr p);

            [DllImport(Library)]
            public static extern CUResult cuMemPoolTrimTo(CUmemoryPool pool, SizeT minBytesToKeep);
        }

        public static class AsynchronousMemcpy_v2
        {
            [DllImport(Library)]
            public static extern CUResult cuMemcpyHtoDAsync_v2(CUdeviceptr dstDevice, [In] IntPtr srcHost, SizeT ByteCount, CUstream hStream);

            [DllImport(Library)]
            public static extern CUResult cuMemcpyDtoHAsync_v2([Out] IntPtr dstHost, CUdeviceptr srcDevice, SizeT ByteCount, CUstream hStream);

            [DllImport(Library)]
            public static extern CUResult cuMemcpyDtoDAsync_v2(CUdeviceptr dstDevice, CUdeviceptr srcDevice, SizeT ByteCount, CUstream hStream);
        }

        public static class MemsetAsync
        {
            [DllImport(Library)]
            public static extern CUResult cuMemsetD8Async(CUdeviceptr dstDevice, byte b, SizeT N, CUstream hStream);

            [DllImport(Library)]
            public static extern CUResult cuMemsetD32Async(CUdeviceptr dstDevice, uint ui, SizeT N, CUstream hStream);
        }

        public static class FunctionManagement
        {
            [DllImport(Library)]
            public static extern CUResult cuFuncGetAttribute(ref int pi, CUFunctionAttribute attrib, CUfunction hfunc);

            [DllImport(Library)]
            public static extern CUResult cuFuncSetAttribute(CUfunction hfunc, CUFunctionAttribute attrib, int value);

            [DllImport(Library)]
            public static extern CUResult cuFuncGetParamInfo(CUfunction func, SizeT paramIndex, ref SizeT paramOffset, ref SizeT paramSize);
        }

        public static class Launch
        {
            [DllImport(Library)]
            public static extern CUResult cuLaunchKernel(
                CUfunction f, uint gridDimX, uint gridDimY, uint gridDimZ, uint blockDimX, uint blockDimY, uint blockDimZ, uint sharedMemBytes, CUstream hStream,
                IntPtr[] kernelParams, IntPtr[] extra);
        }

        public static class Streams
        {
            [DllImport(Library)]
            public static extern CUResult cuStreamCreate(ref CUstream phStream, CUStreamFlags Flags);

            [DllImport(Library)]
            public static extern CUResult cuStreamDestroy_v2(CUstream hStream);

            [DllImport(Library)]
            public static extern CUResult cuStreamSynchronize(CUstream hStream);

            [DllImport(Library)]
            public static extern CUResult cuStreamWaitEvent(CUstream hStream, CUevent hEvent, uint Flags);

            [DllImport(Library, EntryPoint = "cuStreamBeginCapture_v2")]
            public static extern CUResult cuStreamBeginCapture(CUstream hStream, CUstreamCaptureMode mode);

            [DllImport(Library)]
            public static extern CUResult cuStreamEndCapture(CUstream hStream, ref CUgraph phGraph);
        }

        public static class Events
        {
            [DllImport(Library)]
            public static extern CUResult cuEventCreate(ref CUevent phEvent, CUEventFlags Flags);

            [DllImport(Library)]
            public static extern CUResult cuEventDestroy_v2(CUevent hEvent);

            [DllImport(Library)]
            public static extern CUResult cuEventRecord(CUevent hEvent, CUstream hStream);

            [DllImport(Library)]
            public static extern CUResult cuEventSynchronize(CUevent hEvent);

            [DllImport(Library)]
            public static extern CUResult cuEventElapsedTime(ref float pMilliseconds, CUevent hStart, CUevent hEnd);
        }

        public static class GraphManagment
        {
            [DllImport(Library, EntryPoint = "cuGraphInstantiateWithFlags")]
            public static extern CUResult cuGraphInstantiate(ref CUgraphExec phGraphExec, CUgraph hGraph, CUgraphInstantiate_flags flags);

            [DllImport(Library)]
            public static extern CUResult cuGraphDestroy(CUgraph hGraph);

            [DllImport(Library)]
            public static extern CUResult cuGraphLaunch(CUgraphExec hGraphExec, CUstream hStream);

            [DllImport(Library)]
            public static extern CUResult cuGraphExecDestroy(CUgraphExec hGraphExec);
        }

        public static class ErrorHandling
        {
            [DllImport(Library)]
            public static extern CUResult cuGetErrorString(CUResult error, ref IntPtr pStr);

            [DllImport(Library)]
            public static extern CUResult cuGetErrorName(CUResult error, ref IntPtr pStr);
        }
    }
}
