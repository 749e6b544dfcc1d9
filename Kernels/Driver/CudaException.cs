namespace CudaSeq.Kernels;

/// <summary>There is no GPU to compute on, CUDA refused a call, or a kernel failed on the device. The message names the call, the kernel with its launch, and the device.</summary>
public sealed class CudaException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="message">What failed, in one line.</param>
    /// <param name="code">The number that CUDA answered with; 0 where it was not asked.</param>
    public CudaException(string message, int code = 0)
        : base(message)
        => Code = code;

    /// <summary>The number that CUDA answered with, of the library that the message names; 0 where it was not asked.</summary>
    public int Code { get; }
}
