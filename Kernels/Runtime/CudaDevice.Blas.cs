namespace CudaSeq.Kernels;

internal sealed partial class CudaDevice
{
    private CublasHandle? _blas;
    private CublasLtHandle? _blasLt;

    /// <summary>cuBLAS, bound to this device's stream; found and made at the first use. Asking for it makes the context current, so ask before each product.</summary>
    /// <exception cref="CudaException">libcublas cannot be had.</exception>
    public CublasHandle Blas
    {
        get
        {
            lock (_loading)
            {
                Enter();
                return _blas ??= OpenBlas();
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

    /// <summary>The stream as CUDA calls it, for <see cref="CublasLt.Multiply"/>. Call <see cref="Synchronize"/> rather than wait for it in other ways.</summary>
    public nint StreamValue
    {
        get
        {
            Enter();
            return _stream.Value;
        }
    }

    private CublasHandle OpenBlas()
    {
        var handle = CublasHandle.Create(_context, Description);
        Cublas.SetStream(handle.Value, _stream.Value).Check("cublasSetStream_v2", Description);
        return handle;
    }

    private void DisposeBlas()
    {
        _blas?.Dispose();
        _blasLt?.Dispose();
    }
}
