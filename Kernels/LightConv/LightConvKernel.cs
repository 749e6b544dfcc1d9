namespace CudaSeq.Kernels;

/// <summary>Lightweight convolution: all channels of a head share the taps, all time steps too.</summary>
internal static partial class LightConvKernel
{
    /// <summary>y[b, t, c] = sum over k of tap[h(c), k] * x[b, t + k - LeftPadding, c].</summary>
    /// <param name="size">Sizes.</param>
    /// <param name="rule">How the weight becomes taps.</param>
    /// <param name="x">[B, T, C].</param>
    /// <param name="weight">[H, K].</param>
    /// <param name="y">[B, T, C], overwritten.</param>
    public static void Forward(ConvSize size, TapRule rule, DeviceSpan x, DeviceSpan weight, DeviceSpan y)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, rule, x, weight, y); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, rule, x, weight, y); break;
            default: throw KernelException.NoKernel("LightConv", x.Device);
        }
    }

    /// <summary>The gradients of x and the weight; null for one that nobody needs.</summary>
    /// <param name="size">Sizes.</param>
    /// <param name="rule">The rule of the forward call.</param>
    /// <param name="x">[B, T, C].</param>
    /// <param name="weight">[H, K].</param>
    /// <param name="dy">[B, T, C].</param>
    /// <param name="dx">[B, T, C], overwritten.</param>
    /// <param name="dweight">[H, K], overwritten.</param>
    public static void Backward(ConvSize size, TapRule rule, DeviceSpan x, DeviceSpan weight, DeviceSpan dy, DeviceSpan? dx, DeviceSpan? dweight)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: BackwardCpu(cpu, size, rule, x, weight, dy, dx, dweight); break;
            case CudaDevice cuda: BackwardCuda(cuda, size, rule, x, weight, dy, dx, dweight); break;
            default: throw KernelException.NoKernel("LightConv", x.Device);
        }
    }

    /// <summary>
    /// One step of incremental decoding: x goes to row position mod K of the window, y is the causal convolution at this position.
    /// </summary>
    /// <param name="size">B sequences of one step, T = 1.</param>
    /// <param name="rule">How the weight becomes taps.</param>
    /// <param name="x">[B, C].</param>
    /// <param name="weight">[H, K].</param>
    /// <param name="window">[B, K, C], the last K inputs; rows of steps before 0 are not read.</param>
    /// <param name="positions">[B] integers, the number of each sequence's step, from 0.</param>
    /// <param name="y">[B, C], overwritten.</param>
    public static void Step(ConvSize size, TapRule rule, DeviceSpan x, DeviceSpan weight, DeviceSpan window, DeviceSpan positions, DeviceSpan y)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: StepCpu(cpu, size, rule, x, weight, window, positions, y); break;
            case CudaDevice cuda: StepCuda(cuda, size, rule, x, weight, window, positions, y); break;
            default: throw KernelException.NoKernel("LightConv", x.Device);
        }
    }
}
