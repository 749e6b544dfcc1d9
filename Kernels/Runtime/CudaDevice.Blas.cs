namespace CudaSeq.Kernels;

internal sealed partial class CudaDevice
{
    // What NVIDIA advises; with less, products of few rows are split less.
    private const int HopperWorkspaceBytes = 32 << 20;
    private const int WorkspaceBytes = 4 << 20;

    private BoundBlas? _blas;
    private BoundBlas? _captureBlas;
    private CublasLtHandle? _blasLt;
    private CublasLtProducts? _biasProducts;

    /// <summary>Held while a product is queued: it may be several kernels that share a workspace, between which no other thread's may come.</summary>
    public Lock Products { get; } = new();

    /// <summary>cuBLAS, bound to the stream that this thread queues on; found and made at the first use. Asking for it makes the context current, so ask before each product.</summary>
    /// <exception cref="CudaException">libcublas cannot be had.</exception>
    public CublasHandle Blas
    {
        get
        {
            lock (_loading)
            {
                Enter();
                if (!IsCapturing)
                    return (_blas ??= OpenBlas(_stream)).Handle;
                return (_captureBlas ?? throw new CudaException($"{Name}: a capture must find cuBLAS opened by an earlier run, got the first product.")).Handle;
            }
        }
    }

    /// <summary>cuBLASLt; found and made at the first use. Products name the stream themselves: <see cref="StreamValue"/>.</summary>
    /// <exception cref="CudaException">libcublasLt cannot be had.</exception>
    public CublasLtHandle BlasLt
    {
        get
        {
            lock (_loading)
            {
                Enter();
                return _blasLt ??= CublasLtHandle.Create(_context, Description);
            }
        }
    }

    /// <summary>Products with a bias, and the algorithms that were chosen for them.</summary>
    public CublasLtProducts BiasProducts
    {
        get
        {
            lock (_loading)
                return _biasProducts ??= new CublasLtProducts(this);
        }
    }

    /// <summary>Memory for split sums of products on the stream of this thread, in bytes from an address.</summary>
    /// <exception cref="CudaException">libcublas cannot be had.</exception>
    public (ulong Address, nuint Bytes) BlasWorkspace
    {
        get
        {
            lock (_loading)
            {
                _ = Blas;
                return ((IsCapturing ? _captureBlas! : _blas!).Workspace, (nuint)WorkspaceSize);
            }
        }
    }

    private int WorkspaceSize => ComputeCapability >= 90 ? HopperWorkspaceBytes : WorkspaceBytes;

    /// <summary>The stream as CUDA calls it, for <see cref="CublasLt.Multiply"/>. Call <see cref="Synchronize"/> rather than wait for it in other ways.</summary>
    public nint StreamValue
    {
        get
        {
            Enter();
            return QueueOfThread.Value;
        }
    }

    // Work that has products has had some before it is captured.
    private void OpenCaptureBlas()
    {
        lock (_loading)
        {
            if (_blas is null)
                return;
            _captureBlas ??= OpenBlas(_captureStream!);
            _ = BlasLt;
        }
    }

    private BoundBlas OpenBlas(CudaStream stream)
    {
        int bytes = WorkspaceSize;
        var handle = CublasHandle.Create(_context, Description);
        try
        {
            Cublas.SetStream(handle.Value, stream.Value).Check("cublasSetStream_v2", Description);
            var result = CudaDriver.MemoryAllocate(out ulong workspace, (nuint)bytes);
            if (result == CudaResult.OutOfMemory)
            {
                _pool.Trim();
                result = CudaDriver.MemoryAllocate(out workspace, (nuint)bytes);
            }

            result.Check("cuMemAlloc_v2 of cuBLAS's workspace", Description);
            Cublas.SetWorkspace(handle.Value, workspace, (nuint)bytes).Check("cublasSetWorkspace_v2", Description);
            Cublas.DisallowReducedPrecisionReduction(handle.Value).Check("cublasSetMathMode", Description);
            return new BoundBlas(handle, workspace);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    private void DisposeBlas()
    {
        foreach (var blas in (BoundBlas?[])[_blas, _captureBlas])
        {
            if (blas is null)
                continue;
            blas.Handle.Dispose();
            _ = CudaDriver.MemoryFree(blas.Workspace);
        }

        _biasProducts?.Dispose();
        _blasLt?.Dispose();
    }

    // A handle with a stream and memory of its own: what it would allocate itself could not be captured.
    private sealed record BoundBlas(CublasHandle Handle, ulong Workspace);
}
