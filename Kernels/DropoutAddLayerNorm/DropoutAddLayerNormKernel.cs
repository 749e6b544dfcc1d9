namespace CudaSeq.Kernels;

/// <summary>
/// sum = residual + dropout(x), y = (sum - mean) r gain + bias: <see cref="LayerNormKernel"/> of a sum that is made on the way.
/// x, residual, sum, y [N, C]; gain, bias [C]; mean, r [N]. The mask is that of x's elements; the default drops nothing.
/// </summary>
internal static partial class DropoutAddLayerNormKernel
{
    /// <summary>Writes y and, for backward, the sum and its statistics if there are spans for them.</summary>
    public static void Forward(
        LayerNormSize size, DropMask mask, DeviceSpan x, DeviceSpan residual, DeviceSpan gain, DeviceSpan bias, DeviceSpan y,
        DeviceSpan? sum, DeviceSpan? mean, DeviceSpan? r)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, mask, x, residual, gain, bias, y, sum, mean, r); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, mask, x, residual, gain, bias, y, sum, mean, r); break;
            default: throw KernelException.NoKernel("DropoutAddLayerNorm", x.Device);
        }
    }

    /// <summary>dresidual as LayerNormKernel's dx of the sum, dx = dropout(dresidual) under the same mask. Skips what has no span.</summary>
    public static void Backward(
        LayerNormSize size, DropMask mask, DeviceSpan sum, DeviceSpan gain, DeviceSpan mean, DeviceSpan r, DeviceSpan dy,
        DeviceSpan? dx, DeviceSpan? dresidual, DeviceSpan? dgain, DeviceSpan? dbias)
    {
        switch (sum.Device)
        {
            case CpuDevice cpu: BackwardCpu(cpu, size, mask, sum, gain, mean, r, dy, dx, dresidual, dgain, dbias); break;
            case CudaDevice cuda: BackwardCuda(cuda, size, mask, sum, gain, mean, r, dy, dx, dresidual, dgain, dbias); break;
            default: throw KernelException.NoKernel("DropoutAddLayerNorm", sum.Device);
        }
    }
}
