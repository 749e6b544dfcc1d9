namespace CudaSeq.Kernels;

/// <summary>Depthwise convolution: every channel has its own taps, used as they are.</summary>
internal static partial class DepthwiseConvKernel
{
    /// <summary>y[b, t, c] = bias[c] + sum over k of weight[c, k] * x[b, t + k - LeftPadding, c].</summary>
    /// <param name="size">Sizes, H = C.</param>
    /// <param name="x">[B, T, C].</param>
    /// <param name="weight">[C, K].</param>
    /// <param name="bias">[C], or null for none.</param>
    /// <param name="y">[B, T, C], overwritten.</param>
    public static void Forward(ConvSize size, DeviceSpan x, DeviceSpan weight, DeviceSpan? bias, DeviceSpan y)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, x, weight, bias, y); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, x, weight, bias, y); break;
            default: throw KernelException.NoKernel("DepthwiseConv", x.Device);
        }
    }

    /// <summary>The gradients of x, the weight and the bias; null for one that nobody needs.</summary>
    /// <param name="size">Sizes, H = C.</param>
    /// <param name="x">[B, T, C].</param>
    /// <param name="weight">[C, K].</param>
    /// <param name="dy">[B, T, C].</param>
    /// <param name="dx">[B, T, C], overwritten.</param>
    /// <param name="dweight">[C, K], overwritten.</param>
    /// <param name="dbias">[C], overwritten.</param>
    public static void Backward(
        ConvSize size, DeviceSpan x, DeviceSpan weight, DeviceSpan dy, DeviceSpan? dx, DeviceSpan? dweight, DeviceSpan? dbias)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: BackwardCpu(cpu, size, x, weight, dy, dx, dweight, dbias); break;
            case CudaDevice cuda: BackwardCuda(cuda, size, x, weight, dy, dx, dweight, dbias); break;
            default: throw KernelException.NoKernel("DepthwiseConv", x.Device);
        }
    }
}
