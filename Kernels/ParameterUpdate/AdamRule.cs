using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

/// <summary>
/// The factors of one update. With g = GradientScale * gradient + L2 * p:
/// m = Beta1 m + Gain1 g; v = Beta2 v + Gain2 g^2; p = p - Decay p - StepSize * m / (RootScale * sqrt(v) + Epsilon).
/// It remembers m and v. Both forms of the optimiser are choices of these numbers.
/// </summary>
internal readonly record struct AdamRule(
    float GradientScale, float L2, float Beta1, float Gain1, float Beta2, float Gain2, float StepSize, float RootScale, float Epsilon, float Decay) : IUpdateRule<AdamRule>
{
    private static readonly CudaKernel Kernel = new("adam_step_f32");

    public static string Name => "Adam";

    public static int States => 2;

    public AdamRule Scaled(float factor) => this with { GradientScale = GradientScale * factor };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Update<TVector>(TVector p, TVector gradient, ref TVector first, ref TVector second)
        where TVector : struct, IFloatVector<TVector>
    {
        var g = TVector.MultiplyAdd(TVector.Broadcast(L2), p, TVector.Broadcast(GradientScale) * gradient);
        first = TVector.MultiplyAdd(TVector.Broadcast(Beta1), first, TVector.Broadcast(Gain1) * g);
        second = TVector.MultiplyAdd(TVector.Broadcast(Beta2), second, TVector.Broadcast(Gain2) * (g * g));
        var root = TVector.MultiplyAdd(TVector.Broadcast(RootScale), TVector.Sqrt(second), TVector.Broadcast(Epsilon));
        var decayed = TVector.MultiplyAdd(TVector.Broadcast(-Decay), p, p);
        return TVector.MultiplyAdd(TVector.Broadcast(-StepSize), first / root, decayed);
    }

    public void Launch(CudaDevice cuda, Dim3 grid, Dim3 block, DeviceSpan list, int tensors, DeviceSpan? scale)
        => cuda.Launch(Kernel, grid, block, 0, list, tensors, GradientScale, L2, Beta1, Gain1, Beta2, Gain2, StepSize, RootScale, Epsilon, Decay, scale);
}
