using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

/// <summary>Stochastic gradient descent, with the factors of one update: p = p - StepSize (GradientScale * gradient + L2 * p). It remembers nothing.</summary>
internal readonly record struct SgdRule(float GradientScale, float L2, float StepSize) : IUpdateRule<SgdRule>
{
    private static readonly CudaKernel Kernel = new("sgd_step_f32");

    public static string Name => "Sgd";

    public static int States => 0;

    public SgdRule Scaled(float factor) => this with { GradientScale = GradientScale * factor };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Update<TVector>(TVector p, TVector gradient, ref TVector first, ref TVector second)
        where TVector : struct, IFloatVector<TVector>
    {
        var g = TVector.MultiplyAdd(TVector.Broadcast(L2), p, TVector.Broadcast(GradientScale) * gradient);
        return TVector.MultiplyAdd(TVector.Broadcast(-StepSize), g, p);
    }

    public void Launch(CudaDevice cuda, Dim3 grid, Dim3 block, DeviceSpan list, int tensors, DeviceSpan? scale)
        => cuda.Launch(Kernel, grid, block, 0, list, tensors, GradientScale, L2, StepSize, scale);
}

/// <summary>
/// The same with momentum. With g = GradientScale * gradient + L2 * p: v = Momentum v + g; p = p - StepSize * s, s = g + Momentum v for Nesterov's form and v
/// otherwise. It remembers v.
/// </summary>
internal readonly record struct MomentumRule(float GradientScale, float L2, float Momentum, float StepSize, bool Nesterov) : IUpdateRule<MomentumRule>
{
    private static readonly CudaKernel Kernel = new("sgd_step_momentum_f32");

    public static string Name => "Sgd";

    public static int States => 1;

    public MomentumRule Scaled(float factor) => this with { GradientScale = GradientScale * factor };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Update<TVector>(TVector p, TVector gradient, ref TVector first, ref TVector second)
        where TVector : struct, IFloatVector<TVector>
    {
        var g = TVector.MultiplyAdd(TVector.Broadcast(L2), p, TVector.Broadcast(GradientScale) * gradient);
        first = TVector.MultiplyAdd(TVector.Broadcast(Momentum), first, g);
        var step = Nesterov ? TVector.MultiplyAdd(TVector.Broadcast(Momentum), first, g) : first;
        return TVector.MultiplyAdd(TVector.Broadcast(-StepSize), step, p);
    }

    public void Launch(CudaDevice cuda, Dim3 grid, Dim3 block, DeviceSpan list, int tensors, DeviceSpan? scale)
        => cuda.Launch(Kernel, grid, block, 0, list, tensors, GradientScale, L2, Momentum, StepSize, Nesterov ? 1 : 0, scale);
}
