namespace CudaSeq.Kernels;

/// <summary>A device cannot do what a kernel was asked for.</summary>
public sealed class KernelException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="message">Rule and fact in one line.</param>
    public KernelException(string message)
        : base(message)
    {
    }

    internal static KernelException NoKernel(string op, Device device) => new($"{op}: has no kernel for {device}.");
}
