using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

/// <summary>One lane: plain scalar arithmetic.</summary>
internal readonly unsafe struct Float1(float value) : IFloatVector<Float1>
{
    public readonly float Value = value;

    public static int Count => 1;

    public static Float1 Zero => default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float1 Broadcast(float value) => new(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float1 Load(float* source) => new(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float1 LoadPartial(float* source, int count) => new(count > 0 ? *source : 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float1 LoadPartial(float* source, int count, float fill) => new(count > 0 ? *source : fill);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float1 operator +(Float1 a, Float1 b) => new(a.Value + b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float1 operator -(Float1 a, Float1 b) => new(a.Value - b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float1 operator *(Float1 a, Float1 b) => new(a.Value * b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float1 operator /(Float1 a, Float1 b) => new(a.Value / b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float1 MultiplyAdd(Float1 a, Float1 b, Float1 c) => new((a.Value * b.Value) + c.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float1 Max(Float1 a, Float1 b) => a.Value > b.Value ? a : b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float1 Min(Float1 a, Float1 b) => a.Value < b.Value ? a : b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float1 Sqrt(Float1 a) => new(MathF.Sqrt(a.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float1 Abs(Float1 a) => new(MathF.Abs(a.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float1 Round(Float1 a) => new(MathF.Round(a.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float1 PowerOfTwo(Float1 n) => new(BitConverter.Int32BitsToSingle(((int)n.Value + 127) << 23));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float1 SelectLess(Float1 a, Float1 b, Float1 whenLess, Float1 otherwise) => a.Value < b.Value ? whenLess : otherwise;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* destination) => *destination = Value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StorePartial(float* destination, int count)
    {
        if (count > 0)
            *destination = Value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Sum() => Value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float MaxLane() => Value;
}
