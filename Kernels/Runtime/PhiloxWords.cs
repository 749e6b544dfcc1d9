using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CudaSeq.Kernels;

/// <summary>
/// Philox words of several counters, one in the low half of each 64-bit lane. The high halves hold anything: products read low halves only,
/// so no round has to clean up.
/// </summary>
internal unsafe interface IPhiloxWords<TSelf>
    where TSelf : struct, IPhiloxWords<TSelf>
{
    /// <summary>Lanes.</summary>
    static abstract int Counters { get; }

    static abstract TSelf Broadcast(ulong value);

    /// <summary>Consecutive counters, in the order of lanes from which <see cref="StoreFactors"/> stores elements in order.</summary>
    static abstract TSelf CountersFrom(ulong counter);

    /// <summary>The 64-bit products of the low halves.</summary>
    static abstract TSelf MultiplyLow(TSelf a, TSelf b);

    /// <summary>The high halves, moved to the low ones.</summary>
    static abstract TSelf High(TSelf a);

    static abstract TSelf operator ^(TSelf a, TSelf b);

    static abstract TSelf operator +(TSelf a, TSelf b);

    /// <summary>The four words of each counter in order, each as 0 where below <paramref name="threshold"/> and <paramref name="scale"/> elsewhere.</summary>
    static abstract void StoreFactors(TSelf x, TSelf y, TSelf z, TSelf w, uint threshold, float scale, float* destination);
}

/// <summary>Eight counters, AVX-512.</summary>
internal readonly unsafe struct PhiloxWords512(Vector512<ulong> value) : IPhiloxWords<PhiloxWords512>
{
    private readonly Vector512<ulong> _value = value;

    public static int Counters => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxWords512 Broadcast(ulong value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxWords512 CountersFrom(ulong counter) => new(Vector512.Create(counter) + Vector512.Create(0UL, 4, 1, 5, 2, 6, 3, 7));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxWords512 MultiplyLow(PhiloxWords512 a, PhiloxWords512 b) => new(Avx512F.Multiply(a._value.AsUInt32(), b._value.AsUInt32()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxWords512 High(PhiloxWords512 a) => new(a._value >> 32);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxWords512 operator ^(PhiloxWords512 a, PhiloxWords512 b) => new(a._value ^ b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxWords512 operator +(PhiloxWords512 a, PhiloxWords512 b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreFactors(
        PhiloxWords512 x, PhiloxWords512 y, PhiloxWords512 z, PhiloxWords512 w, uint threshold, float scale, float* destination)
    {
        var low = Vector512.Create((ulong)uint.MaxValue);
        var xy = Vector512.ConditionalSelect(low, x._value, y._value << 32);
        var zw = Vector512.ConditionalSelect(low, z._value, w._value << 32);
        var limit = Vector512.Create(threshold);
        var kept = Vector512.Create(scale);
        var first = Vector512.LessThan(Avx512F.UnpackLow(xy, zw).AsUInt32(), limit);
        var second = Vector512.LessThan(Avx512F.UnpackHigh(xy, zw).AsUInt32(), limit);
        Vector512.AndNot(kept, first.AsSingle()).Store(destination);
        Vector512.AndNot(kept, second.AsSingle()).Store(destination + 16);
    }
}

/// <summary>Four counters, AVX2.</summary>
internal readonly unsafe struct PhiloxWords256(Vector256<ulong> value) : IPhiloxWords<PhiloxWords256>
{
    private readonly Vector256<ulong> _value = value;

    public static int Counters => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxWords256 Broadcast(ulong value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxWords256 CountersFrom(ulong counter) => new(Vector256.Create(counter) + Vector256.Create(0UL, 2, 1, 3));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxWords256 MultiplyLow(PhiloxWords256 a, PhiloxWords256 b) => new(Avx2.Multiply(a._value.AsUInt32(), b._value.AsUInt32()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxWords256 High(PhiloxWords256 a) => new(a._value >> 32);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxWords256 operator ^(PhiloxWords256 a, PhiloxWords256 b) => new(a._value ^ b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxWords256 operator +(PhiloxWords256 a, PhiloxWords256 b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreFactors(
        PhiloxWords256 x, PhiloxWords256 y, PhiloxWords256 z, PhiloxWords256 w, uint threshold, float scale, float* destination)
    {
        var xy = Avx2.Blend(x._value.AsUInt32(), (y._value << 32).AsUInt32(), 0b1010_1010).AsUInt64();
        var zw = Avx2.Blend(z._value.AsUInt32(), (w._value << 32).AsUInt32(), 0b1010_1010).AsUInt64();
        var limit = Vector256.Create(threshold);
        var kept = Vector256.Create(scale);
        var first = Vector256.LessThan(Avx2.UnpackLow(xy, zw).AsUInt32(), limit);
        var second = Vector256.LessThan(Avx2.UnpackHigh(xy, zw).AsUInt32(), limit);
        Vector256.AndNot(kept, first.AsSingle()).Store(destination);
        Vector256.AndNot(kept, second.AsSingle()).Store(destination + 8);
    }
}

/// <summary>Two counters, portable.</summary>
internal readonly unsafe struct PhiloxWords128(Vector128<ulong> value) : IPhiloxWords<PhiloxWords128>
{
    private readonly Vector128<ulong> _value = value;

    public static int Counters => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxWords128 Broadcast(ulong value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxWords128 CountersFrom(ulong counter) => new(Vector128.Create(counter) + Vector128.Create(0UL, 1));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxWords128 MultiplyLow(PhiloxWords128 a, PhiloxWords128 b)
    {
        if (Sse2.IsSupported)
            return new(Sse2.Multiply(a._value.AsUInt32(), b._value.AsUInt32()));
        var low = Vector128.Create((ulong)uint.MaxValue);
        return new((a._value & low) * (b._value & low));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxWords128 High(PhiloxWords128 a) => new(a._value >> 32);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxWords128 operator ^(PhiloxWords128 a, PhiloxWords128 b) => new(a._value ^ b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxWords128 operator +(PhiloxWords128 a, PhiloxWords128 b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreFactors(
        PhiloxWords128 x, PhiloxWords128 y, PhiloxWords128 z, PhiloxWords128 w, uint threshold, float scale, float* destination)
    {
        var low = Vector128.Create((ulong)uint.MaxValue);
        var xy = Vector128.ConditionalSelect(low, x._value, y._value << 32);
        var zw = Vector128.ConditionalSelect(low, z._value, w._value << 32);
        var limit = Vector128.Create(threshold);
        var kept = Vector128.Create(scale);
        var first = Vector128.LessThan(Vector128.Create(xy.GetLower(), zw.GetLower()).AsUInt32(), limit);
        var second = Vector128.LessThan(Vector128.Create(xy.GetUpper(), zw.GetUpper()).AsUInt32(), limit);
        Vector128.AndNot(kept, first.AsSingle()).Store(destination);
        Vector128.AndNot(kept, second.AsSingle()).Store(destination + 4);
    }
}
