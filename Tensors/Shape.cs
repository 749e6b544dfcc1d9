using System.Collections;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace CudaSeq.Tensors;

/// <summary>The sizes of a tensor's axes, outermost first; up to six axes, none for a single number. A value: comparing and copying allocate nothing.</summary>
[CollectionBuilder(typeof(Shape), nameof(Create))]
public readonly struct Shape : IEquatable<Shape>, IEnumerable<int>
{
    /// <summary>The most axes a tensor can have.</summary>
    public const int MaxRank = 6;

    private readonly Sizes _sizes;

    /// <summary>Makes a shape from its sizes.</summary>
    /// <param name="sizes">Non-negative sizes, outermost axis first.</param>
    /// <exception cref="ArgumentException">More than six axes, a negative size, or more than 2^40 elements.</exception>
    public Shape(params ReadOnlySpan<int> sizes)
    {
        if (sizes.Length > MaxRank)
            throw new ArgumentException($"Shape: at most {MaxRank} axes, got {sizes.Length}.");
        long count = 1;
        for (int i = 0; i < sizes.Length; i++)
        {
            if (sizes[i] < 0)
                throw new ArgumentException($"Shape: sizes must not be negative, got {sizes[i]} at axis {i}.");
            _sizes[i] = sizes[i];
            if (sizes[i] != 0 && count > (1L << 40) / sizes[i])
                throw new ArgumentException($"Shape: at most 2^40 elements, got [{string.Join(", ", sizes.ToArray())}].");
            count *= sizes[i];
        }

        Rank = sizes.Length;
    }

    /// <summary>Number of axes.</summary>
    public int Rank { get; }

    /// <summary>Number of elements; 1 for a shape without axes.</summary>
    public long Count => CountOf(0, Rank);

    /// <summary>The size of an axis; negative numbers count from the last axis.</summary>
    /// <param name="axis">-Rank .. Rank - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such axis.</exception>
    public int this[int axis] => _sizes[Axis(axis)];

    /// <summary>Whether two shapes have the same axes.</summary>
    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    /// <summary>Whether two shapes differ.</summary>
    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <summary>Makes a shape from a collection expression, <c>[2, 3]</c>.</summary>
    public static Shape Create(ReadOnlySpan<int> sizes) => new(sizes);

    /// <summary>The axis as 0 .. Rank - 1, where negative numbers count from the last.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such axis.</exception>
    public int Axis(int axis)
    {
        int resolved = axis < 0 ? axis + Rank : axis;
        if ((uint)resolved >= (uint)Rank)
            throw new ArgumentOutOfRangeException(nameof(axis), $"Shape: axis must be in -{Rank} .. {Rank - 1} for {this}, got {axis}.");
        return resolved;
    }

    /// <summary>The same shape with another size at one axis.</summary>
    public Shape With(int axis, int size)
    {
        Span<int> sizes = stackalloc int[Rank];
        CopyTo(sizes);
        sizes[Axis(axis)] = size;
        return new Shape(sizes);
    }

    /// <summary>The shape without one axis.</summary>
    public Shape Without(int axis)
    {
        axis = Axis(axis);
        Span<int> sizes = stackalloc int[Rank - 1];
        for (int i = 0, j = 0; i < Rank; i++)
        {
            if (i != axis)
                sizes[j++] = _sizes[i];
        }

        return new Shape(sizes);
    }

    /// <summary>Number of elements in axes <paramref name="from"/> .. <paramref name="to"/> - 1.</summary>
    public long CountOf(int from, int to)
    {
        long count = 1;
        for (int i = from; i < to; i++)
            count *= _sizes[i];
        return count;
    }

    /// <summary>Writes the sizes to <paramref name="destination"/>, which holds at least Rank numbers.</summary>
    public void CopyTo(Span<int> destination)
    {
        for (int i = 0; i < Rank; i++)
            destination[i] = _sizes[i];
    }

    /// <inheritdoc/>
    public bool Equals(Shape other)
    {
        if (Rank != other.Rank)
            return false;
        for (int i = 0; i < Rank; i++)
        {
            if (_sizes[i] != other._sizes[i])
                return false;
        }

        return true;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        for (int i = 0; i < Rank; i++)
            hash.Add(_sizes[i]);
        return hash.ToHashCode();
    }

    /// <summary>For example <c>[8, 20, 512]</c>.</summary>
    public override string ToString()
    {
        var parts = new string[Rank];
        for (int i = 0; i < Rank; i++)
            parts[i] = _sizes[i].ToString(CultureInfo.InvariantCulture);
        return $"[{string.Join(", ", parts)}]";
    }

    /// <inheritdoc/>
    public IEnumerator<int> GetEnumerator()
    {
        for (int i = 0; i < Rank; i++)
            yield return _sizes[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    [InlineArray(MaxRank)]
    private struct Sizes
    {
        private int _first;
    }
}
