namespace CudaSeq.Kernels;

/// <summary>One parameter with its gradient and its two moments, all float32 of one length, and its copy in bfloat16, if it has one that must follow it.</summary>
internal readonly record struct AdamSlot(DeviceSpan Parameter, DeviceSpan Gradient, DeviceSpan FirstMoment, DeviceSpan SecondMoment, DeviceSpan? Copy = null);

/// <summary>
/// The factors of one update. With g = GradientScale * gradient + L2 * p:
/// m = Beta1 m + Gain1 g; v = Beta2 v + Gain2 g^2; p = p - Decay p - StepSize * m / (RootScale * sqrt(v) + Epsilon).
/// Both forms of the optimiser are choices of these numbers.
/// </summary>
internal readonly record struct AdamFactors(
    float GradientScale, float L2, float Beta1, float Gain1, float Beta2, float Gain2, float StepSize, float RootScale, float Epsilon, float Decay);

/// <summary>One update of all parameters, in place and in one pass.</summary>
internal static partial class AdamKernel
{
    /// <param name="factors">Of this update.</param>
    /// <param name="slots">What to update.</param>
    /// <param name="scale">[1], a further factor of the gradients that the device knows; NaN leaves everything as it is.</param>
    public static void Step(in AdamFactors factors, ReadOnlySpan<AdamSlot> slots, DeviceSpan? scale = null)
    {
        if (slots.IsEmpty)
            return;
        switch (slots[0].Parameter.Device)
        {
            case CpuDevice cpu: StepCpu(cpu, factors, slots, scale); break;
            case CudaDevice cuda: StepCuda(cuda, factors, slots, scale); break;
            default: throw KernelException.NoKernel("Adam", slots[0].Parameter.Device);
        }
    }
}
