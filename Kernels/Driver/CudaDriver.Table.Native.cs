using System.Runtime.InteropServices;

namespace CudaSeq.Kernels;

internal static unsafe partial class CudaDriver
{
    /// <summary>The functions of the loaded library. Versions behind the names are those of CUDA 12.0, which every later driver still has.</summary>
    private static class Driver
    {
        // Filled by the fields below it.
        private static readonly List<string> Absent = [];
        private static readonly nint Library = CudaLibraries.OfProcess.Find(CudaLibrary.Driver).Handle;

        public static readonly delegate* unmanaged<uint, CudaResult> Init = (delegate* unmanaged<uint, CudaResult>)Required("cuInit");
        public static readonly delegate* unmanaged<int*, CudaResult> DriverGetVersion = (delegate* unmanaged<int*, CudaResult>)Required("cuDriverGetVersion");
        public static readonly delegate* unmanaged<CudaResult, byte**, CudaResult> GetErrorName = (delegate* unmanaged<CudaResult, byte**, CudaResult>)Required("cuGetErrorName");
        public static readonly delegate* unmanaged<CudaResult, byte**, CudaResult> GetErrorString = (delegate* unmanaged<CudaResult, byte**, CudaResult>)Required("cuGetErrorString");

        public static readonly delegate* unmanaged<int*, CudaResult> DeviceGetCount = (delegate* unmanaged<int*, CudaResult>)Required("cuDeviceGetCount");
        public static readonly delegate* unmanaged<int*, int, CudaResult> DeviceGet = (delegate* unmanaged<int*, int, CudaResult>)Required("cuDeviceGet");
        public static readonly delegate* unmanaged<byte*, int, int, CudaResult> DeviceGetName = (delegate* unmanaged<byte*, int, int, CudaResult>)Required("cuDeviceGetName");
        public static readonly delegate* unmanaged<nuint*, int, CudaResult> DeviceTotalMem = (delegate* unmanaged<nuint*, int, CudaResult>)Required("cuDeviceTotalMem_v2");
        public static readonly delegate* unmanaged<int*, CudaDeviceAttribute, int, CudaResult> DeviceGetAttribute = (delegate* unmanaged<int*, CudaDeviceAttribute, int, CudaResult>)Required("cuDeviceGetAttribute");
        public static readonly delegate* unmanaged<nint*, int, CudaResult> DeviceGetDefaultMemPool = (delegate* unmanaged<nint*, int, CudaResult>)Required("cuDeviceGetDefaultMemPool");
        public static readonly delegate* unmanaged<nint, nuint, CudaResult> MemPoolTrimTo = (delegate* unmanaged<nint, nuint, CudaResult>)Required("cuMemPoolTrimTo");
        public static readonly delegate* unmanaged<nint*, int, CudaResult> DevicePrimaryCtxRetain = (delegate* unmanaged<nint*, int, CudaResult>)Required("cuDevicePrimaryCtxRetain");
        public static readonly delegate* unmanaged<int, CudaResult> DevicePrimaryCtxRelease = (delegate* unmanaged<int, CudaResult>)Required("cuDevicePrimaryCtxRelease_v2");
        public static readonly delegate* unmanaged<nint, CudaResult> CtxSetCurrent = (delegate* unmanaged<nint, CudaResult>)Required("cuCtxSetCurrent");

        // Comes before every launch, reads a variable of the thread and returns: the one call that may skip telling the garbage collector.
        public static readonly delegate* unmanaged[SuppressGCTransition]<nint*, CudaResult> CtxGetCurrent = (delegate* unmanaged[SuppressGCTransition]<nint*, CudaResult>)Required("cuCtxGetCurrent");

        public static readonly delegate* unmanaged<nuint*, nuint*, CudaResult> MemGetInfo = (delegate* unmanaged<nuint*, nuint*, CudaResult>)Required("cuMemGetInfo_v2");
        public static readonly delegate* unmanaged<ulong*, nuint, CudaResult> MemAlloc = (delegate* unmanaged<ulong*, nuint, CudaResult>)Required("cuMemAlloc_v2");
        public static readonly delegate* unmanaged<ulong, CudaResult> MemFree = (delegate* unmanaged<ulong, CudaResult>)Required("cuMemFree_v2");
        public static readonly delegate* unmanaged<ulong*, nuint, nint, CudaResult> MemAllocAsync = (delegate* unmanaged<ulong*, nuint, nint, CudaResult>)Required("cuMemAllocAsync");
        public static readonly delegate* unmanaged<ulong, nint, CudaResult> MemFreeAsync = (delegate* unmanaged<ulong, nint, CudaResult>)Required("cuMemFreeAsync");
        public static readonly delegate* unmanaged<nint*, nuint, uint, CudaResult> MemHostAlloc = (delegate* unmanaged<nint*, nuint, uint, CudaResult>)Required("cuMemHostAlloc");
        public static readonly delegate* unmanaged<nint, CudaResult> MemFreeHost = (delegate* unmanaged<nint, CudaResult>)Required("cuMemFreeHost");
        public static readonly delegate* unmanaged<ulong, void*, nuint, nint, CudaResult> MemcpyHtoDAsync = (delegate* unmanaged<ulong, void*, nuint, nint, CudaResult>)Required("cuMemcpyHtoDAsync_v2");
        public static readonly delegate* unmanaged<void*, ulong, nuint, nint, CudaResult> MemcpyDtoHAsync = (delegate* unmanaged<void*, ulong, nuint, nint, CudaResult>)Required("cuMemcpyDtoHAsync_v2");
        public static readonly delegate* unmanaged<ulong, ulong, nuint, nint, CudaResult> MemcpyDtoDAsync = (delegate* unmanaged<ulong, ulong, nuint, nint, CudaResult>)Required("cuMemcpyDtoDAsync_v2");
        public static readonly delegate* unmanaged<ulong, byte, nuint, nint, CudaResult> MemsetD8Async = (delegate* unmanaged<ulong, byte, nuint, nint, CudaResult>)Required("cuMemsetD8Async");
        public static readonly delegate* unmanaged<ulong, uint, nuint, nint, CudaResult> MemsetD32Async = (delegate* unmanaged<ulong, uint, nuint, nint, CudaResult>)Required("cuMemsetD32Async");

        public static readonly delegate* unmanaged<nint*, void*, uint, int*, void**, CudaResult> ModuleLoadDataEx = (delegate* unmanaged<nint*, void*, uint, int*, void**, CudaResult>)Required("cuModuleLoadDataEx");
        public static readonly delegate* unmanaged<nint, CudaResult> ModuleUnload = (delegate* unmanaged<nint, CudaResult>)Required("cuModuleUnload");
        public static readonly delegate* unmanaged<nint*, nint, byte*, CudaResult> ModuleGetFunction = (delegate* unmanaged<nint*, nint, byte*, CudaResult>)Required("cuModuleGetFunction");
        public static readonly delegate* unmanaged<int*, CudaFunctionAttribute, nint, CudaResult> FuncGetAttribute = (delegate* unmanaged<int*, CudaFunctionAttribute, nint, CudaResult>)Required("cuFuncGetAttribute");
        public static readonly delegate* unmanaged<nint, CudaFunctionAttribute, int, CudaResult> FuncSetAttribute = (delegate* unmanaged<nint, CudaFunctionAttribute, int, CudaResult>)Required("cuFuncSetAttribute");
        public static readonly delegate* unmanaged<nint, nuint, nuint*, nuint*, CudaResult> FuncGetParamInfo = (delegate* unmanaged<nint, nuint, nuint*, nuint*, CudaResult>)Optional("cuFuncGetParamInfo");
        public static readonly delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, CudaResult> LaunchKernel =
            (delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, CudaResult>)Required("cuLaunchKernel");

        public static readonly delegate* unmanaged<nint*, uint, CudaResult> StreamCreate = (delegate* unmanaged<nint*, uint, CudaResult>)Required("cuStreamCreate");
        public static readonly delegate* unmanaged<nint, CudaResult> StreamDestroy = (delegate* unmanaged<nint, CudaResult>)Required("cuStreamDestroy_v2");
        public static readonly delegate* unmanaged<nint, CudaResult> StreamSynchronize = (delegate* unmanaged<nint, CudaResult>)Required("cuStreamSynchronize");
        public static readonly delegate* unmanaged<nint, nint, uint, CudaResult> StreamWaitEvent = (delegate* unmanaged<nint, nint, uint, CudaResult>)Required("cuStreamWaitEvent");
        public static readonly delegate* unmanaged<nint, CudaCaptureMode, CudaResult> StreamBeginCapture = (delegate* unmanaged<nint, CudaCaptureMode, CudaResult>)Required("cuStreamBeginCapture_v2");
        public static readonly delegate* unmanaged<nint, nint*, CudaResult> StreamEndCapture = (delegate* unmanaged<nint, nint*, CudaResult>)Required("cuStreamEndCapture");

        public static readonly delegate* unmanaged<nint*, uint, CudaResult> EventCreate = (delegate* unmanaged<nint*, uint, CudaResult>)Required("cuEventCreate");
        public static readonly delegate* unmanaged<nint, CudaResult> EventDestroy = (delegate* unmanaged<nint, CudaResult>)Required("cuEventDestroy_v2");
        public static readonly delegate* unmanaged<nint, nint, CudaResult> EventRecord = (delegate* unmanaged<nint, nint, CudaResult>)Required("cuEventRecord");
        public static readonly delegate* unmanaged<nint, CudaResult> EventSynchronize = (delegate* unmanaged<nint, CudaResult>)Required("cuEventSynchronize");
        public static readonly delegate* unmanaged<float*, nint, nint, CudaResult> EventElapsedTime = (delegate* unmanaged<float*, nint, nint, CudaResult>)Required("cuEventElapsedTime");

        public static readonly delegate* unmanaged<nint*, nint, ulong, CudaResult> GraphInstantiateWithFlags = (delegate* unmanaged<nint*, nint, ulong, CudaResult>)Required("cuGraphInstantiateWithFlags");
        public static readonly delegate* unmanaged<nint, CudaResult> GraphDestroy = (delegate* unmanaged<nint, CudaResult>)Required("cuGraphDestroy");
        public static readonly delegate* unmanaged<nint, nint, CudaResult> GraphLaunch = (delegate* unmanaged<nint, nint, CudaResult>)Required("cuGraphLaunch");
        public static readonly delegate* unmanaged<nint, CudaResult> GraphExecDestroy = (delegate* unmanaged<nint, CudaResult>)Required("cuGraphExecDestroy");

        public static IReadOnlyList<string> Missing => Absent;

        private static nint Required(string name)
        {
            nint address = Optional(name);
            if (address == 0)
                Absent.Add(name);
            return address;
        }

        private static nint Optional(string name) => NativeLibrary.TryGetExport(Library, name, out nint address) ? address : 0;
    }
}
