namespace CudaSeq.Kernels;

/// <summary>One parameter with its gradient and, with momentum, its velocity, all float32 of one length, and its copy in bfloat16, if it has one that must follow it.</summary>
internal readonly record struct SgdSlot(DeviceSpan Parameter, DeviceSpan Gradient, DeviceSpan? Velocity, DeviceSpan? Copy = null);

/// <summary>
/// The factors of one update. With g = GradientScale * gradient + L2 * p and, where there is a velocity, v = Momentum v + g:
/// p = p - StepSize * s, s = g + Momentum v for Nesterov's form, v otherwise, and g without a velocity.
/// </summary>
internal readonly record struct SgdFactors(float GradientScale, float L2, float Momentum, float StepSize, bool Nesterov);

/// <summary>One update of all parameters by stochastic gradient descent, in place and in one pass.</summary>
internal static partial class SgdKernel
{
    /// <param name="factors">Of this update.</param>
    /// <param name="slots">What to update; all have a velocity, or none.</param>
    /// <param name="scale">[1], a further factor of the gradients that the device knows; NaN leaves everything as it is.</param>
    public static void Step(in SgdFactors factors, ReadOnlySpan<SgdSlot> slots, DeviceSpan? scale = null)
    {
        if (slots.IsEmpty)
            return;
        switch (slots[0].Parameter.Device)
        {
            case CpuDevice cpu: StepCpu(cpu, factors, slots, scale); break;
            case CudaDevice cuda: StepCuda(cuda, factors, slots, scale); break;
            default: throw KernelException.NoKernel("Sgd", slots[0].Parameter.Device);
        }
    }
}
