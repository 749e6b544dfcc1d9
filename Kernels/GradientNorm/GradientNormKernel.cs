namespace CudaSeq.Kernels;

/// <summary>What the gradients of an update are multiplied by before they are clipped, and the largest norm that clipping leaves as it is; 0 clips nothing.</summary>
internal readonly record struct ClipSize(float Scale, float MaxNorm);

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

    /// <summary>
    /// norm = Scale sqrt(sum of squares); guard[0] = Scale min(1, MaxNorm / (norm + 1e-6)), or NaN when the update must not be made: the norm or the loss is not finite, or
    /// that was so for an earlier update, which guard[1] = 1 remembers. Nobody waits for it.
    /// </summary>
    /// <param name="size">Scale and largest norm.</param>
    /// <param name="gradients">Of all parameters that have one.</param>
    /// <param name="loss">[1].</param>
    /// <param name="norm">[1], overwritten.</param>
    /// <param name="guard">[2], the second 0 at the start.</param>
    public static void Clip(ClipSize size, ReadOnlySpan<DeviceSpan> gradients, DeviceSpan loss, DeviceSpan norm, DeviceSpan guard)
    {
        switch (guard.Device)
        {
            case CpuDevice cpu: ClipCpu(cpu, size, gradients, loss, norm, guard); break;
            case CudaDevice cuda: ClipCuda(cuda, size, gradients, loss, norm, guard); break;
            default: throw KernelException.NoKernel("GradientNorm", guard.Device);
        }
    }
}
