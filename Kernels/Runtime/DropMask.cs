namespace CudaSeq.Kernels;

/// <summary>
/// A random mask that is never stored: element i is dropped when its Philox word is below <see cref="Threshold"/>, and what stays is multiplied by <see cref="Scale"/>.
/// The default value drops nothing.
/// </summary>
/// <param name="Key">The key that forward drew; backward gives the same one.</param>
/// <param name="Threshold">Philox.DropThreshold(p); 0 drops nothing.</param>
/// <param name="Scale">1 / (1 - p).</param>
internal readonly unsafe record struct DropMask(PhiloxKey Key, uint Threshold, float Scale)
{
    public DropMask(PhiloxKey key, float p)
        : this(key, Philox.DropThreshold(p), 1 / (1 - p))
    {
    }

    /// <summary>Whether anything can be dropped.</summary>
    public bool Active => Threshold > 0;

    /// <summary>Writes <see cref="Scale"/> or 0 for elements <paramref name="first"/> .. <paramref name="first"/> + <paramref name="count"/> - 1.</summary>
    public void Fill<TVector>(ulong first, int count, float* scales)
        where TVector : struct, IFloatVector<TVector>
        => Philox.Factors<TVector>(Key, first, scales, count, Threshold, Scale);
}
