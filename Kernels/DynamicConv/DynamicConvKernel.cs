namespace CudaSeq.Kernels;

/// <summary>Dynamic convolution: all channels of a head share the taps, every time step has its own.</summary>
internal static partial class DynamicConvKernel
{
    /// <summary>y[b, t, c] = sum over k of tap[b, t, h(c), k] * x[b, t + k - LeftPadding, c].</summary>
    /// <param name="size">Sizes.</param>
    /// <param name="rule">How the logits become taps.</param>
    /// <param name="x">[B, T, C].</param>
    /// <param name="logits">[B, T, H, K].</param>
    /// <param name="y">[B, T, C], overwritten.</param>
    public static void Forward(ConvSize size, TapRule rule, DeviceSpan x, DeviceSpan logits, DeviceSpan y)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, rule, x, logits, y); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, rule, x, logits, y); break;
            default: throw KernelException.NoKernel("DynamicConv", x.Device);
        }
    }

    /// <summary>The gradients of x and the logits; null for one that nobody needs.</summary>
    /// <param name="size">Sizes.</param>
    /// <param name="rule">The rule of the forward call.</param>
    /// <param name="x">[B, T, C].</param>
    /// <param name="logits">[B, T, H, K].</param>
    /// <param name="dy">[B, T, C].</param>
    /// <param name="dx">[B, T, C], overwritten.</param>
    /// <param name="dlogits">[B, T, H, K], overwritten.</param>
    public static void Backward(ConvSize size, TapRule rule, DeviceSpan x, DeviceSpan logits, DeviceSpan dy, DeviceSpan? dx, DeviceSpan? dlogits)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: BackwardCpu(cpu, size, rule, x, logits, dy, dx, dlogits); break;
            case CudaDevice cuda: BackwardCuda(cuda, size, rule, x, logits, dy, dx, dlogits); break;
            default: throw KernelException.NoKernel("DynamicConv", x.Device);
        }
    }

    /// <summary>
    /// One step of incremental decoding: x goes to row position mod K of the window, y is the causal convolution at this position.
    /// </summary>
    /// <param name="size">B sequences of one step, T = 1.</param>
    /// <param name="rule">How the logits become taps.</param>
    /// <param name="x">[B, C].</param>
    /// <param name="logits">[B, H, K].</param>
    /// <param name="window">[B, K, C], the last K inputs; rows of steps before 0 are not read.</param>
    /// <param name="positions">[B] integers, the number of each sequence's step, from 0.</param>
    /// <param name="y">[B, C], overwritten.</param>
    public static void Step(ConvSize size, TapRule rule, DeviceSpan x, DeviceSpan logits, DeviceSpan window, DeviceSpan positions, DeviceSpan y)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: StepCpu(cpu, size, rule, x, logits, window, positions, y); break;
            case CudaDevice cuda: StepCuda(cuda, size, rule, x, logits, window, positions, y); break;
            default: throw KernelException.NoKernel("DynamicConv", x.Device);
        }
    }
}
