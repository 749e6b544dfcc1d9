using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace CudaSeq.Kernels;

// Function pointers rather than imports: all names are looked up when the library is loaded, so that an old driver is refused at once with the names it lacks
// instead of at some later call; the library is the one that the search found, whatever its file is called; and a call costs what an import costs. Only plain
// numbers and pointers cross, so nothing is marshalled.
internal static unsafe partial class CudaDriver
{
    /// <summary>The binding that this assembly was built with.</summary>
    public const string Binding = "Native";

    private const uint NonBlockingStream = 1;
    private const uint EventWithoutTiming = 2;
    private const int ErrorLogBuffer = 5;
    private const int ErrorLogBufferBytes = 6;

    public static partial IReadOnlyList<string> MissingFunctions() => Driver.Missing;

    public static partial CudaResult Init() => Driver.Init(0);

    public static partial CudaResult DriverVersion(out int version)
    {
        version = 0;
        fixed (int* p = &version)
            return Driver.DriverGetVersion(p);
    }

    public static partial string? ErrorName(CudaResult result)
    {
        byte* text = null;
        return Driver.GetErrorName(result, &text) == CudaResult.Success ? Marshal.PtrToStringUTF8((nint)text) : null;
    }

    public static partial string? ErrorText(CudaResult result)
    {
        byte* text = null;
        return Driver.GetErrorString(result, &text) == CudaResult.Success ? Marshal.PtrToStringUTF8((nint)text) : null;
    }

    public static partial CudaResult DeviceCount(out int count)
    {
        count = 0;
        fixed (int* p = &count)
            return Driver.DeviceGetCount(p);
    }

    public static partial CudaResult DeviceGet(int ordinal, out int device)
    {
        device = 0;
        fixed (int* p = &device)
            return Driver.DeviceGet(p, ordinal);
    }

    public static partial CudaResult DeviceName(int device, out string name)
    {
        const int Length = 256;
        byte* text = stackalloc byte[Length];
        text[0] = 0;
        var result = Driver.DeviceGetName(text, Length, device);
        name = Marshal.PtrToStringUTF8((nint)text) ?? "";
        return result;
    }

    public static partial CudaResult DeviceMemory(int device, out nuint bytes)
    {
        bytes = 0;
        fixed (nuint* p = &bytes)
            return Driver.DeviceTotalMem(p, device);
    }

    public static partial CudaResult DeviceAttribute(int device, CudaDeviceAttribute attribute, out int value)
    {
        value = 0;
        fixed (int* p = &value)
            return Driver.DeviceGetAttribute(p, attribute, device);
    }

    public static partial CudaResult DeviceMemoryPool(int device, out nint pool)
    {
        pool = 0;
        fixed (nint* p = &pool)
            return Driver.DeviceGetDefaultMemPool(p, device);
    }

    public static partial CudaResult MemoryPoolTrim(nint pool, nuint keep) => Driver.MemPoolTrimTo(pool, keep);

    public static partial CudaResult ContextRetain(int device, out nint context)
    {
        context = 0;
        fixed (nint* p = &context)
            return Driver.DevicePrimaryCtxRetain(p, device);
    }

    public static partial CudaResult ContextRelease(int device) => Driver.DevicePrimaryCtxRelease(device);

    public static partial CudaResult ContextSetCurrent(nint context) => Driver.CtxSetCurrent(context);

    public static partial CudaResult ContextGetCurrent(out nint context)
    {
        nint current = 0;
        var result = Driver.CtxGetCurrent(&current);
        context = current;
        return result;
    }

    public static partial CudaResult MemoryInfo(out nuint free, out nuint total)
    {
        (free, total) = (0, 0);
        fixed (nuint* f = &free, t = &total)
            return Driver.MemGetInfo(f, t);
    }

    public static partial CudaResult MemoryAllocate(out ulong address, nuint bytes)
    {
        address = 0;
        fixed (ulong* p = &address)
            return Driver.MemAlloc(p, bytes);
    }

    public static partial CudaResult MemoryFree(ulong address) => Driver.MemFree(address);

    public static partial CudaResult MemoryAllocateAsync(out ulong address, nuint bytes, nint stream)
    {
        address = 0;
        fixed (ulong* p = &address)
            return Driver.MemAllocAsync(p, bytes, stream);
    }

    public static partial CudaResult MemoryFreeAsync(ulong address, nint stream) => Driver.MemFreeAsync(address, stream);

    public static partial CudaResult HostAllocate(out nint pointer, nuint bytes)
    {
        pointer = 0;
        fixed (nint* p = &pointer)
            return Driver.MemHostAlloc(p, bytes, 0);
    }

    public static partial CudaResult HostFree(nint pointer) => Driver.MemFreeHost(pointer);

    public static partial CudaResult CopyFromHost(ulong destination, void* source, nuint bytes, nint stream)
        => Driver.MemcpyHtoDAsync(destination, source, bytes, stream);

    public static partial CudaResult CopyToHost(void* destination, ulong source, nuint bytes, nint stream)
        => Driver.MemcpyDtoHAsync(destination, source, bytes, stream);

    public static partial CudaResult CopyOnDevice(ulong destination, ulong source, nuint bytes, nint stream)
        => Driver.MemcpyDtoDAsync(destination, source, bytes, stream);

    public static partial CudaResult Fill8(ulong destination, byte value, nuint count, nint stream) => Driver.MemsetD8Async(destination, value, count, stream);

    public static partial CudaResult Fill32(ulong destination, uint value, nuint count, nint stream) => Driver.MemsetD32Async(destination, value, count, stream);

    public static partial CudaResult ModuleLoad(out nint module, byte[] image, byte[] log)
    {
        module = 0;
        int* options = stackalloc int[] { ErrorLogBuffer, ErrorLogBufferBytes };
        fixed (byte* bytes = image, text = log)
        fixed (nint* p = &module)
        {
            void** values = stackalloc void*[] { text, (void*)(nuint)log.Length };
            return Driver.ModuleLoadDataEx(p, bytes, 2, options, values);
        }
    }

    public static partial CudaResult ModuleUnload(nint module) => Driver.ModuleUnload(module);

    public static partial CudaResult ModuleFunction(nint module, string symbol, out nint function)
    {
        function = 0;
        fixed (byte* name = Encoding.UTF8.GetBytes(symbol + '\0'))
        fixed (nint* p = &function)
            return Driver.ModuleGetFunction(p, module, name);
    }

    public static partial CudaResult FunctionAttribute(nint function, CudaFunctionAttribute attribute, out int value)
    {
        value = 0;
        fixed (int* p = &value)
            return Driver.FuncGetAttribute(p, attribute, function);
    }

    public static partial CudaResult FunctionSetAttribute(nint function, CudaFunctionAttribute attribute, int value)
        => Driver.FuncSetAttribute(function, attribute, value);

    public static partial CudaResult FunctionParameter(nint function, int index, out nuint offset, out nuint size)
    {
        (offset, size) = (0, 0);
        fixed (nuint* o = &offset, s = &size)
            return Driver.FuncGetParamInfo(function, (nuint)index, o, s);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static partial CudaResult LaunchKernel(nint function, Dim3 grid, Dim3 block, int sharedBytes, nint stream, void** arguments, int count)
        => Driver.LaunchKernel(
            function, (uint)grid.X, (uint)grid.Y, (uint)grid.Z, (uint)block.X, (uint)block.Y, (uint)block.Z, (uint)sharedBytes, stream, arguments, null);

    public static partial CudaResult StreamCreate(out nint stream)
    {
        stream = 0;
        fixed (nint* p = &stream)
            return Driver.StreamCreate(p, NonBlockingStream);
    }

    public static partial CudaResult StreamDestroy(nint stream) => Driver.StreamDestroy(stream);

    public static partial CudaResult StreamSynchronize(nint stream) => Driver.StreamSynchronize(stream);

    public static partial CudaResult StreamWaitEvent(nint stream, nint @event) => Driver.StreamWaitEvent(stream, @event, 0);

    public static partial CudaResult StreamBeginCapture(nint stream, CudaCaptureMode mode) => Driver.StreamBeginCapture(stream, mode);

    public static partial CudaResult StreamEndCapture(nint stream, out nint graph)
    {
        graph = 0;
        fixed (nint* p = &graph)
            return Driver.StreamEndCapture(stream, p);
    }

    public static partial CudaResult EventCreate(out nint @event, bool timed)
    {
        @event = 0;
        fixed (nint* p = &@event)
            return Driver.EventCreate(p, timed ? 0 : EventWithoutTiming);
    }

    public static partial CudaResult EventDestroy(nint @event) => Driver.EventDestroy(@event);

    public static partial CudaResult EventRecord(nint @event, nint stream) => Driver.EventRecord(@event, stream);

    public static partial CudaResult EventSynchronize(nint @event) => Driver.EventSynchronize(@event);

    public static partial CudaResult EventElapsedTime(nint start, nint end, out float milliseconds)
    {
        milliseconds = 0;
        fixed (float* p = &milliseconds)
            return Driver.EventElapsedTime(p, start, end);
    }

    public static partial CudaResult GraphInstantiate(nint graph, out nint executable)
    {
        executable = 0;
        fixed (nint* p = &executable)
            return Driver.GraphInstantiateWithFlags(p, graph, 0);
    }

    public static partial CudaResult GraphDestroy(nint graph) => Driver.GraphDestroy(graph);

    public static partial CudaResult GraphLaunch(nint executable, nint stream) => Driver.GraphLaunch(executable, stream);

    public static partial CudaResult GraphExecDestroy(nint executable) => Driver.GraphExecDestroy(executable);
}
