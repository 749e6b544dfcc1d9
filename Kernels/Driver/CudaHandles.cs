using System.Runtime.InteropServices;
using System.Text;

namespace CudaSeq.Kernels;

/// <summary>
/// Owns something that CUDA handed out. Nothing is freed out of order: only Dispose frees, and whoever made a thing disposes it in the order that suits; a finalizer
/// forgets the handle instead of calling the driver from a thread of its own at some moment between two kernels, so that what nobody disposed stays until the
/// process ends. Each holds on to its context, which is released after the last thing that was made in it, whoever is disposed first.
/// </summary>
internal abstract class CudaHandle : SafeHandle
{
    private readonly CudaContext? _context;

    protected CudaHandle(nint value, CudaContext? context)
        : base(0, ownsHandle: true)
    {
        bool added = false;
        context?.DangerousAddRef(ref added);
        _context = context;
        SetHandle(value);
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>What CUDA calls it.</summary>
    public nint Value => handle;

    protected override void Dispose(bool disposing)
    {
        if (!disposing)
            SetHandleAsInvalid();
        base.Dispose(disposing);
    }

    protected sealed override bool ReleaseHandle()
    {
        if (_context is null)
            return Free(handle);
        bool freed = _context.TryMakeCurrent() == CudaResult.Success && Free(handle);
        _context.DangerousRelease();
        return freed;
    }

    /// <summary>Gives it back to CUDA.</summary>
    protected abstract bool Free(nint value);
}

/// <summary>The context of a device that all its users in this process share.</summary>
internal sealed class CudaContext : CudaHandle
{
    private readonly int _device;

    private CudaContext(nint value, int device)
        : base(value, context: null)
        => _device = device;

    public static CudaContext Retain(int device, string where)
    {
        CudaDriver.ContextRetain(device, out nint context).Check("cuDevicePrimaryCtxRetain", where);
        return new(context, device);
    }

    /// <summary>Calls of this thread are about this context from now on.</summary>
    public void MakeCurrent() => TryMakeCurrent().Check("cuCtxSetCurrent");

    public CudaResult TryMakeCurrent()
        => CudaDriver.ContextGetCurrent(out nint current) == CudaResult.Success && current == handle ? CudaResult.Success : CudaDriver.ContextSetCurrent(handle);

    protected override bool Free(nint value) => CudaDriver.ContextRelease(_device) == CudaResult.Success;
}

/// <summary>A queue of work.</summary>
internal sealed class CudaStream : CudaHandle
{
    private CudaStream(nint value, CudaContext context)
        : base(value, context)
    {
    }

    public static CudaStream Create(CudaContext context, string where)
    {
        context.MakeCurrent();
        CudaDriver.StreamCreate(out nint stream).Check("cuStreamCreate", where);
        return new(stream, context);
    }

    protected override bool Free(nint value) => CudaDriver.StreamDestroy(value) == CudaResult.Success;
}

/// <summary>A mark in a queue.</summary>
internal sealed class CudaEvent : CudaHandle
{
    private CudaEvent(nint value, CudaContext context)
        : base(value, context)
    {
    }

    public static CudaEvent Create(CudaContext context, string where, bool timed = false)
    {
        context.MakeCurrent();
        CudaDriver.EventCreate(out nint @event, timed).Check("cuEventCreate", where);
        return new(@event, context);
    }

    protected override bool Free(nint value) => CudaDriver.EventDestroy(value) == CudaResult.Success;
}

/// <summary>Host memory that the device copies while the processor goes on.</summary>
internal sealed unsafe class CudaHostMemory : CudaHandle
{
    private CudaHostMemory(nint value, CudaContext context)
        : base(value, context)
    {
    }

    public byte* Pointer => (byte*)handle;

    public static CudaHostMemory Allocate(CudaContext context, nuint bytes, string where)
    {
        context.MakeCurrent();
        CudaDriver.HostAllocate(out nint pointer, bytes).Check("cuMemHostAlloc", where);
        return new(pointer, context);
    }

    protected override bool Free(nint value) => CudaDriver.HostFree(value) == CudaResult.Success;
}

/// <summary>Loaded kernels.</summary>
internal sealed class CudaModule : CudaHandle
{
    private CudaModule(nint value, CudaContext context)
        : base(value, context)
    {
    }

    /// <summary>Loads compiled kernels.</summary>
    /// <param name="context">Where to.</param>
    /// <param name="image">The kernels, with a 0 behind them.</param>
    /// <param name="module">The module where it succeeds.</param>
    /// <param name="log">What the driver's compiler said.</param>
    public static CudaResult TryLoad(CudaContext context, byte[] image, out CudaModule? module, out string log)
    {
        context.MakeCurrent();
        byte[] text = new byte[8192];
        var result = CudaDriver.ModuleLoad(out nint value, image, text);
        log = Encoding.UTF8.GetString(text).TrimEnd('\0', '\n', ' ');
        module = result == CudaResult.Success ? new(value, context) : null;
        return result;
    }

    protected override bool Free(nint value) => CudaDriver.ModuleUnload(value) == CudaResult.Success;
}

/// <summary>Work that was captured from a stream.</summary>
internal sealed class CudaGraph(nint value, CudaContext context) : CudaHandle(value, context)
{
    protected override bool Free(nint value) => CudaDriver.GraphDestroy(value) == CudaResult.Success;
}

/// <summary>Captured work that is ready to run, again and again.</summary>
internal sealed class CudaGraphExec(nint value, CudaContext context) : CudaHandle(value, context)
{
    protected override bool Free(nint value) => CudaDriver.GraphExecDestroy(value) == CudaResult.Success;
}

/// <summary>cuBLAS on a device.</summary>
internal sealed class CublasHandle : CudaHandle
{
    private CublasHandle(nint value, CudaContext context)
        : base(value, context)
    {
    }

    public static CublasHandle Create(CudaContext context, string where)
    {
        context.MakeCurrent();
        Cublas.Create(out nint handle).Check("cublasCreate_v2", where);
        return new(handle, context);
    }

    protected override bool Free(nint value) => Cublas.Destroy(value) == CublasResult.Success;
}

/// <summary>cuBLASLt on a device.</summary>
internal sealed class CublasLtHandle : CudaHandle
{
    private CublasLtHandle(nint value, CudaContext context)
        : base(value, context)
    {
    }

    public static CublasLtHandle Create(CudaContext context, string where)
    {
        context.MakeCurrent();
        CublasLt.Create(out nint handle).Check("cublasLtCreate", where);
        return new(handle, context);
    }

    protected override bool Free(nint value) => CublasLt.Destroy(value) == CublasResult.Success;
}
