using System.Runtime.InteropServices;

namespace CudaSeq.Kernels;

/// <summary>
/// The door to the CUDA driver: every function of it that this project calls, and nothing else. There are two bodies, chosen when the project is built:
/// CudaDriver.Native.cs and, with <c>-p:CudaBinding=ManagedCuda</c>, CudaDriver.ManagedCuda.cs. Nothing may be called before <see cref="CudaPresence"/> has found
/// the driver complete. Device memory is an address, everything else CUDA hands out a handle; the types in CudaHandles.cs own them.
/// </summary>
internal static unsafe partial class CudaDriver
{
    /// <summary>Whether the driver can tell what arguments a kernel takes; drivers from 550 on can.</summary>
    public static bool HasFunctionParameter => HasFunction("cuFuncGetParamInfo");

    /// <summary>The functions below that the loaded library lacks; none, unless the driver is older than 525.</summary>
    public static partial IReadOnlyList<string> MissingFunctions();

    /// <summary>Must come before everything else. <see cref="CudaResult.NoDevice"/> where there is a driver and no GPU. (cuInit)</summary>
    public static partial CudaResult Init();

    /// <summary>The CUDA version that the driver is made for: 12040 is 12.4. (cuDriverGetVersion)</summary>
    public static partial CudaResult DriverVersion(out int version);

    /// <summary>The name of a result, CUDA_ERROR_NO_DEVICE for example; null where the driver knows none. (cuGetErrorName)</summary>
    public static partial string? ErrorName(CudaResult result);

    /// <summary>A result in words; null where the driver knows none. (cuGetErrorString)</summary>
    public static partial string? ErrorText(CudaResult result);

    /// <summary>How many GPUs this process may use. (cuDeviceGetCount)</summary>
    public static partial CudaResult DeviceCount(out int count);

    /// <summary>The device with a number below the count. (cuDeviceGet)</summary>
    public static partial CudaResult DeviceGet(int ordinal, out int device);

    /// <summary>For example NVIDIA H200. (cuDeviceGetName)</summary>
    public static partial CudaResult DeviceName(int device, out string name);

    /// <summary>Bytes of memory that it has. (cuDeviceTotalMem_v2)</summary>
    public static partial CudaResult DeviceMemory(int device, out nuint bytes);

    /// <summary>One fact about a device. (cuDeviceGetAttribute)</summary>
    public static partial CudaResult DeviceAttribute(int device, CudaDeviceAttribute attribute, out int value);

    /// <summary>The pool behind <see cref="MemoryAllocateAsync"/>. (cuDeviceGetDefaultMemPool)</summary>
    public static partial CudaResult DeviceMemoryPool(int device, out nint pool);

    /// <summary>Gives what is free in a pool back, all but <paramref name="keep"/> bytes of it. (cuMemPoolTrimTo)</summary>
    public static partial CudaResult MemoryPoolTrim(nint pool, nuint keep);

    /// <summary>The context that all users of a device in this process share, held until it is released as often. (cuDevicePrimaryCtxRetain)</summary>
    public static partial CudaResult ContextRetain(int device, out nint context);

    /// <summary>(cuDevicePrimaryCtxRelease_v2)</summary>
    public static partial CudaResult ContextRelease(int device);

    /// <summary>Calls of this thread are about this context from now on. (cuCtxSetCurrent)</summary>
    public static partial CudaResult ContextSetCurrent(nint context);

    /// <summary>The context of this thread, 0 where there is none. (cuCtxGetCurrent)</summary>
    public static partial CudaResult ContextGetCurrent(out nint context);

    /// <summary>Bytes free, and bytes in all, on the device of this thread's context. (cuMemGetInfo_v2)</summary>
    public static partial CudaResult MemoryInfo(out nuint free, out nuint total);

    /// <summary>Memory aligned to 256 bytes at least; may wait for the device. (cuMemAlloc_v2)</summary>
    public static partial CudaResult MemoryAllocate(out ulong address, nuint bytes);

    /// <summary>Waits for the device. (cuMemFree_v2)</summary>
    public static partial CudaResult MemoryFree(ulong address);

    /// <summary>Memory that work queued later on the stream may use. (cuMemAllocAsync)</summary>
    public static partial CudaResult MemoryAllocateAsync(out ulong address, nuint bytes, nint stream);

    /// <summary>Frees what <see cref="MemoryAllocateAsync"/> gave, once the work queued so far is done. (cuMemFreeAsync)</summary>
    public static partial CudaResult MemoryFreeAsync(ulong address, nint stream);

    /// <summary>Host memory that stays where it is, so that the device can copy it while the processor goes on. (cuMemHostAlloc)</summary>
    public static partial CudaResult HostAllocate(out nint pointer, nuint bytes);

    /// <summary>(cuMemFreeHost)</summary>
    public static partial CudaResult HostFree(nint pointer);

    /// <summary>Queues a copy; the source must stay as it is until it has run, unless it is ordinary host memory, which has been read on return. (cuMemcpyHtoDAsync_v2)</summary>
    public static partial CudaResult CopyFromHost(ulong destination, void* source, nuint bytes, nint stream);

    /// <summary>Queues a copy; the destination holds it once the stream has come that far. (cuMemcpyDtoHAsync_v2)</summary>
    public static partial CudaResult CopyToHost(void* destination, ulong source, nuint bytes, nint stream);

    /// <summary>Queues a copy within the device; the two must not overlap. (cuMemcpyDtoDAsync_v2)</summary>
    public static partial CudaResult CopyOnDevice(ulong destination, ulong source, nuint bytes, nint stream);

    /// <summary>Queues setting bytes to one value. (cuMemsetD8Async)</summary>
    public static partial CudaResult Fill8(ulong destination, byte value, nuint count, nint stream);

    /// <summary>Queues setting words of 4 bytes to one value. (cuMemsetD32Async)</summary>
    public static partial CudaResult Fill32(ulong destination, uint value, nuint count, nint stream);

    /// <summary>Loads compiled kernels, a cubin, a fatbin or PTX, into the context of this thread. (cuModuleLoadDataEx)</summary>
    /// <param name="module">The handle.</param>
    /// <param name="image">The compiled kernels, with a 0 behind them in case they are text.</param>
    /// <param name="log">Filled with what the driver's own compiler says when it fails, as text that ends with a 0.</param>
    public static partial CudaResult ModuleLoad(out nint module, byte[] image, byte[] log);

    /// <summary>(cuModuleUnload)</summary>
    public static partial CudaResult ModuleUnload(nint module);

    /// <summary>A kernel by its symbol; <see cref="CudaResult.NotFound"/> where the module has none of that name. (cuModuleGetFunction)</summary>
    public static partial CudaResult ModuleFunction(nint module, string symbol, out nint function);

    /// <summary>One fact about a kernel. (cuFuncGetAttribute)</summary>
    public static partial CudaResult FunctionAttribute(nint function, CudaFunctionAttribute attribute, out int value);

    /// <summary>Allows a kernel more dynamic shared memory than the 48 KiB that all may use. (cuFuncSetAttribute)</summary>
    public static partial CudaResult FunctionSetAttribute(nint function, CudaFunctionAttribute attribute, int value);

    /// <summary>
    /// Where an argument of a kernel lies among the others and how long it is; <see cref="CudaResult.InvalidValue"/> from the first number on that no argument has.
    /// Only where <see cref="HasFunctionParameter"/>. (cuFuncGetParamInfo)
    /// </summary>
    public static partial CudaResult FunctionParameter(nint function, int index, out nuint offset, out nuint size);

    /// <summary>Queues a kernel. (cuLaunchKernel)</summary>
    /// <param name="function">The kernel.</param>
    /// <param name="grid">Blocks.</param>
    /// <param name="block">Threads a block.</param>
    /// <param name="sharedBytes">Dynamic shared memory a block.</param>
    /// <param name="stream">Where to queue it.</param>
    /// <param name="arguments">Pointers to the arguments, which have been read on return.</param>
    /// <param name="count">How many there are.</param>
    public static partial CudaResult LaunchKernel(nint function, Dim3 grid, Dim3 block, int sharedBytes, nint stream, void** arguments, int count);

    /// <summary>A queue that does not wait for the default one. (cuStreamCreate)</summary>
    public static partial CudaResult StreamCreate(out nint stream);

    /// <summary>Work that is queued still runs. (cuStreamDestroy_v2)</summary>
    public static partial CudaResult StreamDestroy(nint stream);

    /// <summary>Waits until all that is queued has run; reports the faults of what ran. (cuStreamSynchronize)</summary>
    public static partial CudaResult StreamSynchronize(nint stream);

    /// <summary>What is queued later waits for an event. (cuStreamWaitEvent)</summary>
    public static partial CudaResult StreamWaitEvent(nint stream, nint @event);

    /// <summary>From now on what is queued is written down instead of run. (cuStreamBeginCapture_v2)</summary>
    public static partial CudaResult StreamBeginCapture(nint stream, CudaCaptureMode mode);

    /// <summary>What was written down. (cuStreamEndCapture)</summary>
    public static partial CudaResult StreamEndCapture(nint stream, out nint graph);

    /// <summary>A mark to put into streams. (cuEventCreate)</summary>
    /// <param name="event">The handle.</param>
    /// <param name="timed">Whether it notes the time, which costs some.</param>
    public static partial CudaResult EventCreate(out nint @event, bool timed);

    /// <summary>(cuEventDestroy_v2)</summary>
    public static partial CudaResult EventDestroy(nint @event);

    /// <summary>Puts the mark behind what is queued so far. (cuEventRecord)</summary>
    public static partial CudaResult EventRecord(nint @event, nint stream);

    /// <summary>Waits until the mark is reached; not at all where it was never put anywhere. (cuEventSynchronize)</summary>
    public static partial CudaResult EventSynchronize(nint @event);

    /// <summary>Milliseconds from one reached mark to another. (cuEventElapsedTime)</summary>
    public static partial CudaResult EventElapsedTime(nint start, nint end, out float milliseconds);

    /// <summary>Makes a captured graph ready to run. (cuGraphInstantiateWithFlags)</summary>
    public static partial CudaResult GraphInstantiate(nint graph, out nint executable);

    /// <summary>(cuGraphDestroy)</summary>
    public static partial CudaResult GraphDestroy(nint graph);

    /// <summary>Queues all that the graph holds. (cuGraphLaunch)</summary>
    public static partial CudaResult GraphLaunch(nint executable, nint stream);

    /// <summary>(cuGraphExecDestroy)</summary>
    public static partial CudaResult GraphExecDestroy(nint executable);

    private static bool HasFunction(string name)
        => CudaLibraries.OfProcess.Find(CudaLibrary.Driver) is { Found: true } driver && NativeLibrary.TryGetExport(driver.Handle, name, out _);
}
