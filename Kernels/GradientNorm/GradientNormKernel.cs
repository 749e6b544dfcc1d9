namespace CudaSeq.Kernels;

/// <summary>The sum of the squares of many tensors. Blocks have fixed borders and are added in order: the same for any number of threads.</summary>
internal static partial class GradientNormKernel
{
    public static double SumOfSquares(ReadOnlySpan<DeviceSpan> gradients)
        => gradients.IsEmpty ? 0 : gradients[0].Device switch
        {
            CpuDevice cpu => SumOfSquaresCpu(cpu, gradients),
            CudaDevice cuda => SumOfSquaresCuda(cuda, gradients),
            _ => throw KernelException.NoKernel("GradientNorm", gradients[0].Device),
        };
}
