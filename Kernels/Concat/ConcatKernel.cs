namespace CudaSeq.Kernels;

/// <summary>Puts one of several tensors into its place in their concatenation. Elements of 4 bytes, floats or integers alike. Backward is a slice.</summary>
internal static partial class ConcatKernel
{
    /// <summary>The slice of y [Outer, Length, Inner] = x [Outer, Count, Inner]; the rest of y is left for the other inputs.</summary>
    public static void Forward(in SliceSize size, DeviceSpan x, DeviceSpan y)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, x, y); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, x, y); break;
            default: throw KernelException.NoKernel("Concat", x.Device);
        }
    }
}
