using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CudaSeq.Kernels;

/// <summary>
/// A vector of floats of one width. Kernels are written once against it; <see cref="CpuDevice.For"/> runs them with the device's width.
/// Everything inlines to single instructions.
/// </summary>
internal unsafe interface IFloatVector<TSelf>
    where TSelf : struct, IFloatVector<TSelf>
{
    /// <summary>Lanes.</summary>
    static abstract int Count { get; }

    static abstract TSelf Zero { get; }

    static abstract TSelf Broadcast(float value);

    static abstract TSelf Load(float* source);

    /// <summary>Loads the first <paramref name="count"/> lanes (0 .. Count), the others are 0; reads nothing past them.</summary>
    static abstract TSelf LoadPartial(float* source, int count);

    /// <summary>Loads the first <paramref name="count"/> lanes (0 .. Count), the others are <paramref name="fill"/>; reads nothing past them.</summary>
    static abstract TSelf LoadPartial(float* source, int count, float fill);

    static abstract TSelf operator +(TSelf a, TSelf b);

    static abstract TSelf operator -(TSelf a, TSelf b);

    static abstract TSelf operator *(TSelf a, TSelf b);

    static abstract TSelf operator /(TSelf a, TSelf b);

    /// <summary>a * b + c: one rounding where the processor fuses it, two elsewhere.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf c);

    /// <summary>The larger of each lane; when either is NaN, <paramref name="b"/>.</summary>
    static abstract TSelf Max(TSelf a, TSelf b);

    /// <summary>The smaller of each lane; when either is NaN, <paramref name="b"/>.</summary>
    static abstract TSelf Min(TSelf a, TSelf b);

    static abstract TSelf Sqrt(TSelf a);

    static abstract TSelf Abs(TSelf a);

    /// <summary>To the nearest integer, ties to even.</summary>
    static abstract TSelf Round(TSelf a);

    /// <summary>2^n for integral n in -126 .. 127.</summary>
    static abstract TSelf PowerOfTwo(TSelf n);

    /// <summary>Lane by lane <c>a &lt; b ? whenLess : otherwise</c> (false for NaN).</summary>
    static abstract TSelf SelectLess(TSelf a, TSelf b, TSelf whenLess, TSelf otherwise);

    void Store(float* destination);

    /// <summary>Stores the first <paramref name="count"/> lanes (0 .. Count) and nothing past them.</summary>
    void StorePartial(float* destination, int count);

    /// <summary>The sum of the lanes, in a fixed order.</summary>
    float Sum();

    /// <summary>The largest lane; unspecified where one is NaN.</summary>
    float MaxLane();
}

/// <summary>Sixteen lanes, AVX-512.</summary>
internal readonly unsafe struct Float512(Vector512<float> value) : IFloatVector<Float512>
{
    public readonly Vector512<float> Value = value;

    public static int Count => 16;

    public static Float512 Zero => new(Vector512<float>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 Broadcast(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 Load(float* source) => new(Vector512.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 LoadPartial(float* source, int count)
        => new(Avx512F.MaskLoad(source, Mask(count), Vector512<float>.Zero));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 LoadPartial(float* source, int count, float fill)
        => new(Avx512F.MaskLoad(source, Mask(count), Vector512.Create(fill)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 operator +(Float512 a, Float512 b) => new(a.Value + b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 operator -(Float512 a, Float512 b) => new(a.Value - b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 operator *(Float512 a, Float512 b) => new(a.Value * b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 operator /(Float512 a, Float512 b) => new(a.Value / b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 MultiplyAdd(Float512 a, Float512 b, Float512 c) => new(Avx512F.FusedMultiplyAdd(a.Value, b.Value, c.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 Max(Float512 a, Float512 b) => new(Avx512F.Max(a.Value, b.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 Min(Float512 a, Float512 b) => new(Avx512F.Min(a.Value, b.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 Sqrt(Float512 a) => new(Avx512F.Sqrt(a.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 Abs(Float512 a) => new(Vector512.Abs(a.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 Round(Float512 a) => new(Avx512F.RoundScale(a.Value, 0));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 PowerOfTwo(Float512 n)
        => new(Vector512.ShiftLeft(Avx512F.ConvertToVector512Int32(n.Value) + Vector512.Create(127), 23).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 SelectLess(Float512 a, Float512 b, Float512 whenLess, Float512 otherwise)
        => new(Vector512.ConditionalSelect(Vector512.LessThan(a.Value, b.Value), whenLess.Value, otherwise.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* destination) => Value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StorePartial(float* destination, int count) => Avx512F.MaskStore(destination, Mask(count), Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Sum() => new Float256(Value.GetLower() + Value.GetUpper()).Sum();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float MaxLane() => new Float256(Avx.Max(Value.GetLower(), Value.GetUpper())).MaxLane();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Mask(int count)
        => Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle();
}

/// <summary>Eight lanes, AVX2 with FMA.</summary>
internal readonly unsafe struct Float256(Vector256<float> value) : IFloatVector<Float256>
{
    public readonly Vector256<float> Value = value;

    public static int Count => 8;

    public static Float256 Zero => new(Vector256<float>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 Broadcast(float value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 Load(float* source) => new(Vector256.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 LoadPartial(float* source, int count) => new(Avx.MaskLoad(source, Mask(count)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 LoadPartial(float* source, int count, float fill)
        => new(Vector256.ConditionalSelect(Mask(count), Avx.MaskLoad(source, Mask(count)), Vector256.Create(fill)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 operator +(Float256 a, Float256 b) => new(a.Value + b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 operator -(Float256 a, Float256 b) => new(a.Value - b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 operator *(Float256 a, Float256 b) => new(a.Value * b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 operator /(Float256 a, Float256 b) => new(a.Value / b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 MultiplyAdd(Float256 a, Float256 b, Float256 c) => new(Fma.MultiplyAdd(a.Value, b.Value, c.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 Max(Float256 a, Float256 b) => new(Avx.Max(a.Value, b.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 Min(Float256 a, Float256 b) => new(Avx.Min(a.Value, b.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 Sqrt(Float256 a) => new(Avx.Sqrt(a.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 Abs(Float256 a) => new(Vector256.Abs(a.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 Round(Float256 a) => new(Avx.RoundToNearestInteger(a.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 PowerOfTwo(Float256 n)
        => new(Vector256.ShiftLeft(Avx.ConvertToVector256Int32(n.Value) + Vector256.Create(127), 23).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 SelectLess(Float256 a, Float256 b, Float256 whenLess, Float256 otherwise)
        => new(Vector256.ConditionalSelect(Vector256.LessThan(a.Value, b.Value), whenLess.Value, otherwise.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* destination) => Value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StorePartial(float* destination, int count) => Avx.MaskStore(destination, Mask(count), Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Sum() => new Float128(Value.GetLower() + Value.GetUpper()).Sum();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float MaxLane() => new Float128(Sse.Max(Value.GetLower(), Value.GetUpper())).MaxLane();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Mask(int count)
        => Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count)).AsSingle();
}

/// <summary>Four lanes, portable: SSE or NEON.</summary>
internal readonly unsafe struct Float128(Vector128<float> value) : IFloatVector<Float128>
{
    public readonly Vector128<float> Value = value;

    public static int Count => 4;

    public static Float128 Zero => new(Vector128<float>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float128 Broadcast(float value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float128 Load(float* source) => new(Vector128.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float128 LoadPartial(float* source, int count) => new(count switch
    {
        <= 0 => Vector128<float>.Zero,
        1 => Vector128.CreateScalar(source[0]),
        2 => Vector128.Create(source[0], source[1], 0, 0),
        3 => Vector128.Create(source[0], source[1], source[2], 0),
        _ => Vector128.Load(source),
    });

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float128 LoadPartial(float* source, int count, float fill) => new(count switch
    {
        <= 0 => Vector128.Create(fill),
        1 => Vector128.Create(source[0], fill, fill, fill),
        2 => Vector128.Create(source[0], source[1], fill, fill),
        3 => Vector128.Create(source[0], source[1], source[2], fill),
        _ => Vector128.Load(source),
    });

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float128 operator +(Float128 a, Float128 b) => new(a.Value + b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float128 operator -(Float128 a, Float128 b) => new(a.Value - b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float128 operator *(Float128 a, Float128 b) => new(a.Value * b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float128 operator /(Float128 a, Float128 b) => new(a.Value / b.Value);

    // MultiplyAddEstimate fuses where the processor can and never falls back to the slow software fusion.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float128 MultiplyAdd(Float128 a, Float128 b, Float128 c) => new(Vector128.MultiplyAddEstimate(a.Value, b.Value, c.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float128 Max(Float128 a, Float128 b)
        => new(Sse.IsSupported ? Sse.Max(a.Value, b.Value) : Vector128.ConditionalSelect(Vector128.GreaterThan(a.Value, b.Value), a.Value, b.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float128 Min(Float128 a, Float128 b)
        => new(Sse.IsSupported ? Sse.Min(a.Value, b.Value) : Vector128.ConditionalSelect(Vector128.LessThan(a.Value, b.Value), a.Value, b.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float128 Sqrt(Float128 a) => new(Vector128.Sqrt(a.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float128 Abs(Float128 a) => new(Vector128.Abs(a.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float128 Round(Float128 a) => new(Vector128.Round(a.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float128 PowerOfTwo(Float128 n)
        => new(Vector128.ShiftLeft(Vector128.ConvertToInt32Native(n.Value) + Vector128.Create(127), 23).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float128 SelectLess(Float128 a, Float128 b, Float128 whenLess, Float128 otherwise)
        => new(Vector128.ConditionalSelect(Vector128.LessThan(a.Value, b.Value), whenLess.Value, otherwise.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* destination) => Value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StorePartial(float* destination, int count)
    {
        if (count >= 4)
        {
            Value.Store(destination);
            return;
        }

        for (int i = 0; i < count; i++)
            destination[i] = Value.GetElement(i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Sum() => (Value.GetElement(0) + Value.GetElement(2)) + (Value.GetElement(1) + Value.GetElement(3));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float MaxLane()
    {
        var halves = Max(this, new(Vector128.Shuffle(Value, Vector128.Create(2, 3, 0, 1))));
        return Max(halves, new(Vector128.Shuffle(halves.Value, Vector128.Create(1, 0, 3, 2)))).Value.ToScalar();
    }
}
