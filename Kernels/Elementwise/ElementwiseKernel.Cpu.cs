using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

internal readonly struct ExpFunction : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<TVector>(TVector x)
        where TVector : struct, IFloatVector<TVector>
        => VectorMath.Exp(x);
}

internal readonly struct ExpSlope : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<TVector>(TVector y, TVector dy)
        where TVector : struct, IFloatVector<TVector>
        => dy * y;
}

internal readonly struct GeluFunction : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<TVector>(TVector x)
        where TVector : struct, IFloatVector<TVector>
        => x * NormalDistribution.Cumulative(x);
}

internal readonly struct GeluSlope : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<TVector>(TVector x, TVector dy)
        where TVector : struct, IFloatVector<TVector>
        => dy * TVector.MultiplyAdd(x, NormalDistribution.Density(x), NormalDistribution.Cumulative(x));
}

internal readonly struct ReluFunction : IUnaryOperator
{
    // Not a maximum: NaN must stay NaN.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<TVector>(TVector x)
        where TVector : struct, IFloatVector<TVector>
        => TVector.SelectLess(x, TVector.Zero, TVector.Zero, x);
}

internal readonly struct ReluSlope : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<TVector>(TVector y, TVector dy)
        where TVector : struct, IFloatVector<TVector>
        => TVector.SelectLess(TVector.Zero, y, dy, TVector.Zero);
}

internal readonly struct SigmoidFunction : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<TVector>(TVector x)
        where TVector : struct, IFloatVector<TVector>
        => VectorMath.Sigmoid(x);
}

internal readonly struct SigmoidSlope : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<TVector>(TVector y, TVector dy)
        where TVector : struct, IFloatVector<TVector>
        => dy * (y * (TVector.Broadcast(1) - y));
}

internal readonly struct TanhFunction : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<TVector>(TVector x)
        where TVector : struct, IFloatVector<TVector>
        => VectorMath.Tanh(x);
}

internal readonly struct TanhSlope : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<TVector>(TVector x, TVector dy)
        where TVector : struct, IFloatVector<TVector>
    {
        var y = VectorMath.Tanh(x);
        return dy * (TVector.Broadcast(1) - (y * y));
    }
}
