namespace CudaSeq.Kernels;

/// <summary>
/// One parameter with its gradient and the averages of its squared gradients and of its squared changes, all float32 of one length, and its copy in bfloat16, if it has one that must follow it.
/// </summary>
internal readonly record struct AdadeltaSlot(DeviceSpan Parameter, DeviceSpan Gradient, DeviceSpan SquaredGradient, DeviceSpan SquaredChange, DeviceSpan? Copy = null);

/// <summary>
/// The factors of one update. With g = GradientScale * gradient + L2 * p:
/// a = Rho a + Gain g^2; d = g sqrt(b + Epsilon) / sqrt(a + Epsilon); b = Rho b + Gain d^2; p = p - StepSize * d.
/// </summary>
internal readonly record struct AdadeltaFactors(float GradientScale, float L2, float Rho, float Gain, float Epsilon, float StepSize);

/// <summary>One update of all parameters, in place and in one pass.</summary>
internal static partial class AdadeltaKernel
{
    /// <param name="factors">Of this update.</param>
    /// <param name="slots">What to update.</param>
    /// <param name="scale">[1], a further factor of the gradients that the device knows; NaN leaves everything as it is.</param>
    public static void Step(in AdadeltaFactors factors, ReadOnlySpan<AdadeltaSlot> slots, DeviceSpan? scale = null)
    {
        if (slots.IsEmpty)
            return;
        switch (slots[0].Parameter.Device)
        {
            case CpuDevice cpu: StepCpu(cpu, factors, slots, scale); break;
            case CudaDevice cuda: StepCuda(cuda, factors, slots, scale); break;
            default: throw KernelException.NoKernel("Adadelta", slots[0].Parameter.Device);
        }
    }
}
