namespace CudaSeq.Kernels;

/// <summary>All of some integers are at least <paramref name="Least"/> and at most <paramref name="Most"/>. No integers: Least is above Most.</summary>
internal readonly record struct IndexBounds(int Least, int Most)
{
    /// <summary>The narrowest bounds of these numbers.</summary>
    public static IndexBounds Of(ReadOnlySpan<int> values)
    {
        int least = int.MaxValue, most = int.MinValue;
        foreach (int value in values)
        {
            least = Math.Min(least, value);
            most = Math.Max(most, value);
        }

        return new(least, most);
    }

    /// <summary>The narrowest bounds of both.</summary>
    public IndexBounds With(IndexBounds other) => new(Math.Min(Least, other.Least), Math.Max(Most, other.Most));

    /// <summary>Whether all are in 0 .. <paramref name="limit"/> - 1.</summary>
    public bool AreWithin(int limit) => Least >= 0 && Most < limit;
}
