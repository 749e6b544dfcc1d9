using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>cache[n, positions[n], :] = x[n, :], in place and outside the tape: what a decoding step adds for the steps after it.</summary>
    /// <param name="cache">[N, S, C], overwritten at one place of each sequence.</param>
    /// <param name="x">[N, C].</param>
    /// <param name="positions">[N] integers in 0 .. S - 1. In memory, so that a captured step may be launched for any.</param>
    /// <exception cref="ArgumentException">The shapes do not fit together, a type is wrong, or the cache has no such position.</exception>
    public static void CacheAppend(Tensor cache, Tensor x, Tensor positions)
    {
        Check.Float(nameof(CacheAppend), cache, x);
        if (cache.Shape.Rank != 3 || x.Shape != [cache.Shape[0], cache.Shape[2]])
            throw new ArgumentException($"CacheAppend: must be cache [N, S, C], x [N, C], got cache {cache.Shape}, x {x.Shape}.");
        CheckPositions(nameof(CacheAppend), x, positions, cache.Shape[1], new("cache", cache, "x", x));
        cache.Data.Buffer.Touch();
        CacheAppendKernel.Forward(new CacheAppendSize(cache.Shape[0], cache.Shape[1], cache.Shape[2]), cache.Data, x.Data, positions.Data);
    }
}
