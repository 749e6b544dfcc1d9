using System.Runtime.InteropServices;
using System.Text;
using ManagedCuda.BasicTypes;
using Api = ManagedCuda.DriverAPINativeMethods;

namespace CudaSeq.Kernels;

// Only the plain declarations of the package are used, not its objects: those have finalizers, and its launches box and pin every argument.
internal static unsafe partial class CudaDriver
{
    /// <summary>The binding that this assembly was built with.</summary>
    public const string Binding = "ManagedCuda";

    // The package takes the arguments of a launch as an array. CUDA reads as many as the kernel takes, so what an earlier launch left behind them does no harm.
    [ThreadStatic]
    private static nint[]? _arguments;

    // The package looks a function up when it is called, and the driver's version tells whether it will find it.
    public static partial IReadOnlyList<string> MissingFunctions()
    {
        ManagedCudaLibraries.Redirect();
        return [];
    }

    public static partial CudaResult Init() => (CudaResult)Api.cuInit(CUInitializationFlags.None);

    public static partial CudaResult DriverVersion(out int version)
    {
        version = 0;
        return (CudaResult)Api.cuDriverGetVersion(ref version);
    }

    public static partial string? ErrorName(CudaResult result)
    {
        nint text = 0;
        return Api.ErrorHandling.cuGetErrorName((CUResult)result, ref text) == CUResult.Success ? Marshal.PtrToStringUTF8(text) : null;
    }

    public static partial string? ErrorText(CudaResult result)
    {
        nint text = 0;
        return Api.ErrorHandling.cuGetErrorString((CUResult)result, ref text) == CUResult.Success ? Marshal.PtrToStringUTF8(text) : null;
    }

    public static partial CudaResult DeviceCount(out int count)
    {
        count = 0;
        return (CudaResult)Api.DeviceManagement.cuDeviceGetCount(ref count);
    }

    public static partial CudaResult DeviceGet(int ordinal, out int device)
    {
        var found = default(CUdevice);
        var result = Api.DeviceManagement.cuDeviceGet(ref found, ordinal);
        device = found.Pointer;
        return (CudaResult)result;
    }

    public static partial CudaResult DeviceName(int device, out string name)
    {
        byte[] text = new byte[256];
        var result = Api.DeviceManagement.cuDeviceGetName(text, text.Length, Device(device));
        name = Encoding.UTF8.GetString(text).Split('\0')[0];
        return (CudaResult)result;
    }

    public static partial CudaResult DeviceMemory(int device, out nuint bytes)
    {
        SizeT size = 0;
        var result = Api.DeviceManagement.cuDeviceTotalMem_v2(ref size, Device(device));
        bytes = size;
        return (CudaResult)result;
    }

    public static partial CudaResult DeviceAttribute(int device, CudaDeviceAttribute attribute, out int value)
    {
        value = 0;
        return (CudaResult)Api.DeviceManagement.cuDeviceGetAttribute(ref value, (CUDeviceAttribute)attribute, Device(device));
    }

    public static partial CudaResult DeviceMemoryPool(int device, out nint pool)
    {
        var found = default(CUmemoryPool);
        var result = Api.DeviceManagement.cuDeviceGetDefaultMemPool(ref found, Device(device));
        pool = found.Pointer;
        return (CudaResult)result;
    }

    public static partial CudaResult MemoryPoolTrim(nint pool, nuint keep)
        => (CudaResult)Api.MemoryManagement.cuMemPoolTrimTo(new CUmemoryPool { Pointer = pool }, keep);

    public static partial CudaResult ContextRetain(int device, out nint context)
    {
        var found = default(CUcontext);
        var result = Api.ContextManagement.cuDevicePrimaryCtxRetain(ref found, Device(device));
        context = found.Pointer;
        return (CudaResult)result;
    }

    public static partial CudaResult ContextRelease(int device) => (CudaResult)Api.ContextManagement.cuDevicePrimaryCtxRelease(Device(device));

    public static partial CudaResult ContextSetCurrent(nint context)
        => (CudaResult)Api.ContextManagement.cuCtxSetCurrent(new CUcontext { Pointer = context });

    public static partial CudaResult ContextGetCurrent(out nint context)
    {
        var found = default(CUcontext);
        var result = Api.ContextManagement.cuCtxGetCurrent(ref found);
        context = found.Pointer;
        return (CudaResult)result;
    }

    public static partial CudaResult MemoryInfo(out nuint free, out nuint total)
    {
        SizeT freeBytes = 0, totalBytes = 0;
        var result = Api.MemoryManagement.cuMemGetInfo_v2(ref freeBytes, ref totalBytes);
        (free, total) = (freeBytes, totalBytes);
        return (CudaResult)result;
    }

    public static partial CudaResult MemoryAllocate(out ulong address, nuint bytes)
    {
        var memory = default(CUdeviceptr);
        var result = Api.MemoryManagement.cuMemAlloc_v2(ref memory, bytes);
        address = memory.Pointer;
        return (CudaResult)result;
    }

    public static partial CudaResult MemoryFree(ulong address) => (CudaResult)Api.MemoryManagement.cuMemFree_v2(Memory(address));

    public static partial CudaResult MemoryAllocateAsync(out ulong address, nuint bytes, nint stream)
    {
        var memory = default(CUdeviceptr);
        var result = Api.MemoryManagement.cuMemAllocAsync(ref memory, bytes, Stream(stream));
        address = memory.Pointer;
        return (CudaResult)result;
    }

    public static partial CudaResult MemoryFreeAsync(ulong address, nint stream)
        => (CudaResult)Api.MemoryManagement.cuMemFreeAsync(Memory(address), Stream(stream));

    public static partial CudaResult HostAllocate(out nint pointer, nuint bytes)
    {
        pointer = 0;
        return (CudaResult)Api.MemoryManagement.cuMemHostAlloc(ref pointer, bytes, 0);
    }

    public static partial CudaResult HostFree(nint pointer) => (CudaResult)Api.MemoryManagement.cuMemFreeHost(pointer);

    public static partial CudaResult CopyFromHost(ulong destination, void* source, nuint bytes, nint stream)
        => (CudaResult)Api.AsynchronousMemcpy_v2.cuMemcpyHtoDAsync_v2(Memory(destination), (nint)source, bytes, Stream(stream));

    public static partial CudaResult CopyToHost(void* destination, ulong source, nuint bytes, nint stream)
        => (CudaResult)Api.AsynchronousMemcpy_v2.cuMemcpyDtoHAsync_v2((nint)destination, Memory(source), bytes, Stream(stream));

    public static partial CudaResult CopyOnDevice(ulong destination, ulong source, nuint bytes, nint stream)
        => (CudaResult)Api.AsynchronousMemcpy_v2.cuMemcpyDtoDAsync_v2(Memory(destination), Memory(source), bytes, Stream(stream));

    public static partial CudaResult Fill8(ulong destination, byte value, nuint count, nint stream)
        => (CudaResult)Api.MemsetAsync.cuMemsetD8Async(Memory(destination), value, count, Stream(stream));

    public static partial CudaResult Fill32(ulong destination, uint value, nuint count, nint stream)
        => (CudaResult)Api.MemsetAsync.cuMemsetD32Async(Memory(destination), value, count, Stream(stream));

    public static partial CudaResult ModuleLoad(out nint module, byte[] image, byte[] log)
    {
        var loaded = default(CUmodule);
        fixed (byte* text = log)
        {
            var result = Api.ModuleManagement.cuModuleLoadDataEx(
                ref loaded, image, 2, [CUJITOption.ErrorLogBuffer, CUJITOption.ErrorLogBufferSizeBytes], [(nint)text, log.Length]);
            module = loaded.Pointer;
            return (CudaResult)result;
        }
    }

    public static partial CudaResult ModuleUnload(nint module) => (CudaResult)Api.ModuleManagement.cuModuleUnload(new CUmodule { Pointer = module });

    public static partial CudaResult ModuleFunction(nint module, string symbol, out nint function)
    {
        var found = default(CUfunction);
        var result = Api.ModuleManagement.cuModuleGetFunction(ref found, new CUmodule { Pointer = module }, symbol);
        function = found.Pointer;
        return (CudaResult)result;
    }

    public static partial CudaResult FunctionAttribute(nint function, CudaFunctionAttribute attribute, out int value)
    {
        value = 0;
        return (CudaResult)Api.FunctionManagement.cuFuncGetAttribute(ref value, (CUFunctionAttribute)attribute, Function(function));
    }

    public static partial CudaResult FunctionSetAttribute(nint function, CudaFunctionAttribute attribute, int value)
        => (CudaResult)Api.FunctionManagement.cuFuncSetAttribute(Function(function), (CUFunctionAttribute)attribute, value);

    public static partial CudaResult FunctionParameter(nint function, int index, out nuint offset, out nuint size)
    {
        SizeT offsetBytes = 0, sizeBytes = 0;
        var result = Api.FunctionManagement.cuFuncGetParamInfo(Function(function), index, ref offsetBytes, ref sizeBytes);
        (offset, size) = (offsetBytes, sizeBytes);
        return (CudaResult)result;
    }

    public static partial CudaResult LaunchKernel(nint function, Dim3 grid, Dim3 block, int sharedBytes, nint stream, void** arguments, int count)
    {
        if (_arguments is not { } pointers || pointers.Length < count)
            _arguments = pointers = new nint[Math.Max(32, count)];
        new ReadOnlySpan<nint>(arguments, count).CopyTo(pointers);
        return (CudaResult)Api.Launch.cuLaunchKernel(
            Function(function), (uint)grid.X, (uint)grid.Y, (uint)grid.Z, (uint)block.X, (uint)block.Y, (uint)block.Z, (uint)sharedBytes, Stream(stream), pointers, null!);
    }

    public static partial CudaResult StreamCreate(out nint stream)
    {
        var created = default(CUstream);
        var result = Api.Streams.cuStreamCreate(ref created, CUStreamFlags.NonBlocking);
        stream = created.Pointer;
        return (CudaResult)result;
    }

    public static partial CudaResult StreamDestroy(nint stream) => (CudaResult)Api.Streams.cuStreamDestroy_v2(Stream(stream));

    public static partial CudaResult StreamSynchronize(nint stream) => (CudaResult)Api.Streams.cuStreamSynchronize(Stream(stream));

    public static partial CudaResult StreamWaitEvent(nint stream, nint @event) => (CudaResult)Api.Streams.cuStreamWaitEvent(Stream(stream), Event(@event), 0);

    public static partial CudaResult StreamBeginCapture(nint stream, CudaCaptureMode mode)
        => (CudaResult)Api.Streams.cuStreamBeginCapture(Stream(stream), (CUstreamCaptureMode)mode);

    public static partial CudaResult StreamEndCapture(nint stream, out nint graph)
    {
        var captured = default(CUgraph);
        var result = Api.Streams.cuStreamEndCapture(Stream(stream), ref captured);
        graph = captured.Pointer;
        return (CudaResult)result;
    }

    public static partial CudaResult EventCreate(out nint @event, bool timed)
    {
        var created = default(CUevent);
        var result = Api.Events.cuEventCreate(ref created, timed ? CUEventFlags.Default : CUEventFlags.DisableTiming);
        @event = created.Pointer;
        return (CudaResult)result;
    }

    public static partial CudaResult EventDestroy(nint @event) => (CudaResult)Api.Events.cuEventDestroy_v2(Event(@event));

    public static partial CudaResult EventRecord(nint @event, nint stream) => (CudaResult)Api.Events.cuEventRecord(Event(@event), Stream(stream));

    public static partial CudaResult EventSynchronize(nint @event) => (CudaResult)Api.Events.cuEventSynchronize(Event(@event));

    public static partial CudaResult EventElapsedTime(nint start, nint end, out float milliseconds)
    {
        milliseconds = 0;
        return (CudaResult)Api.Events.cuEventElapsedTime(ref milliseconds, Event(start), Event(end));
    }

    public static partial CudaResult GraphInstantiate(nint graph, out nint executable)
    {
        var ready = default(CUgraphExec);
        var result = Api.GraphManagment.cuGraphInstantiate(ref ready, new CUgraph { Pointer = graph }, CUgraphInstantiate_flags.None);
        executable = ready.Pointer;
        return (CudaResult)result;
    }

    public static partial CudaResult GraphDestroy(nint graph) => (CudaResult)Api.GraphManagment.cuGraphDestroy(new CUgraph { Pointer = graph });

    public static partial CudaResult GraphLaunch(nint executable, nint stream)
        => (CudaResult)Api.GraphManagment.cuGraphLaunch(new CUgraphExec { Pointer = executable }, Stream(stream));

    public static partial CudaResult GraphExecDestroy(nint executable) => (CudaResult)Api.GraphManagment.cuGraphExecDestroy(new CUgraphExec { Pointer = executable });

    private static CUdevice Device(int device) => new() { Pointer = device };

    private static CUdeviceptr Memory(ulong address) => new() { Pointer = address };

    private static CUstream Stream(nint stream) => new() { Pointer = stream };

    private static CUevent Event(nint @event) => new() { Pointer = @event };

    private static CUfunction Function(nint function) => new() { Pointer = function };
}
