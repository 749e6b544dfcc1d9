namespace CudaSeq.Kernels;

/// <summary>N rows of C channels.</summary>
internal readonly record struct LayerNormSize(int N, int C, float Epsilon);

/// <summary>
/// y = (x - mean) r gain + bias with r = 1 / sqrt(variance + epsilon), mean and (biased) variance over the C channels of a row.
/// x, y [N, C]; gain, bias [C]; mean, r [N].
/// </summary>
internal static partial class LayerNormKernel
{
    /// <summary>Writes y and, for backward, the statistics if there are spans for them.</summary>
    public static void Forward(LayerNormSize size, DeviceSpan x, DeviceSpan gain, DeviceSpan bias, DeviceSpan y, DeviceSpan? mean, DeviceSpan? r)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, x, gain, bias, y, mean, r); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, x, gain, bias, y, mean, r); break;
            default: throw KernelException.NoKernel("LayerNorm", x.Device);
        }
    }

    /// <summary>
    /// With z = (x - mean) r and g = dy gain: dx = r (g - mean_c(g) - z mean_c(g z)), dgain = sum_n dy z, dbias = sum_n dy. Skips what has no span.
    /// </summary>
    public static void Backward(
        LayerNormSize size, DeviceSpan x, DeviceSpan gain, DeviceSpan mean, DeviceSpan r, DeviceSpan dy, DeviceSpan? dx, DeviceSpan? dgain, DeviceSpan? dbias)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: BackwardCpu(cpu, size, x, gain, mean, r, dy, dx, dgain, dbias); break;
            case CudaDevice cuda: BackwardCuda(cuda, size, x, gain, mean, r, dy, dx, dgain, dbias); break;
            default: throw KernelException.NoKernel("LayerNorm", x.Device);
        }
    }
}
