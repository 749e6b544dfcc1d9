using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

/// <summary>
/// The factors of one update. With g = GradientScale * gradient + L2 * p: a = Rho a + Gain g^2; d = g sqrt(b + Epsilon) / sqrt(a + Epsilon);
/// b = Rho b + Gain d^2; p = p - StepSize * d. It remembers a and b.
/// </summary>
internal readonly record struct AdadeltaRule(float GradientScale, float L2, float Rho, float Gain, float Epsilon, float StepSize) : IUpdateRule<AdadeltaRule>
{
    private static readonly CudaKernel Kernel = new("adadelta_step_f32");

    public static string Name => "Adadelta";

    public static int States => 2;

    public AdadeltaRule Scaled(float factor) => this with { GradientScale = GradientScale * factor };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Update<TVector>(TVector p, TVector gradient, ref TVector first, ref TVector second)
        where TVector : struct, IFloatVector<TVector>
    {
        TVector rho = TVector.Broadcast(Rho), gain = TVector.Broadcast(Gain), epsilon = TVector.Broadcast(Epsilon);
        var g = TVector.MultiplyAdd(TVector.Broadcast(L2), p, TVector.Broadcast(GradientScale) * gradient);
        first = TVector.MultiplyAdd(rho, first, gain * (g * g));
        var change = TVector.Sqrt(second + epsilon) / TVector.Sqrt(first + epsilon) * g;
        second = TVector.MultiplyAdd(rho, second, gain * (change * change));
        return TVector.MultiplyAdd(TVector.Broadcast(-StepSize), change, p);
    }

    public void Launch(CudaDevice cuda, Dim3 grid, Dim3 block, DeviceSpan list, int tensors, DeviceSpan? scale)
        => cuda.Launch(Kernel, grid, block, 0, list, tensors, GradientScale, L2, Rho, Gain, Epsilon, StepSize, scale);
}
