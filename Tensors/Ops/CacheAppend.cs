using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>cache[n, position, :] = x[n, :], in place and outside the tape: what a decoding step adds for the steps after it.</summary>
    /// <param name="cache">[N, S, C], overwritten at one place of each sequence.</param>
    /// <param name="x">[N, C].</param>
    /// <param name="position">0 .. S - 1.</param>
    /// <exception cref="ArgumentException">The shapes do not fit together, or a type is wrong.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The cache has no such position.</exception>
    public static void CacheAppend(Tensor cache, Tensor x, int position)
    {
        Check.Float(nameof(CacheAppend), cache, x);
        if (cache.Shape.Rank != 3 || x.Shape != [cache.Shape[0], cache.Shape[2]])
            throw new ArgumentException($"CacheAppend: must be cache [N, S, C], x [N, C], got cache {cache.Shape}, x {x.Shape}.");
        if (position < 0 || position >= cache.Shape[1])
            throw new ArgumentOutOfRangeException(null, $"CacheAppend: position must be in 0 .. S - 1, got position = {position} (cache {cache.Shape}).");
        cache.Data.Buffer.Touch();
        CacheAppendKernel.Forward(new CacheAppendSize(cache.Shape[0], cache.Shape[1], cache.Shape[2]), cache.Data, x.Data, position);
    }
}
