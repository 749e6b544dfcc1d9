using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>
    /// One step of incremental decoding: y[n, h, :] = sum_s p[n, h, s] values[m, s, h, :] with p = softmax_s(scale q[n, h, :] . keys[m, s, h, :]) and m = n M / N, or the row that
    /// <paramref name="origins"/> name for each s.
    /// No gradient flows.
    /// </summary>
    /// <remarks>
    /// N is a multiple of M, so that the hypotheses of a beam share the keys and values of their source. A query without any visible key gives zeros.
    /// Equals the last query of <see cref="Attention"/> with the causal mask over the first <paramref name="count"/> places, up to rounding.
    /// </remarks>
    /// <param name="q">[N, C], one query a row.</param>
    /// <param name="keys">[M, S, C], the cached keys.</param>
    /// <param name="values">[M, S, C], the cached values.</param>
    /// <param name="heads">H, which divides C.</param>
    /// <param name="lengths">[M] integers in 0 .. S: how many keys of each sequence are no padding; all when omitted.</param>
    /// <param name="count">How many places of the cache are filled, 0 .. S; S when omitted.</param>
    /// <param name="scale">The factor of the scores; 1 / sqrt(C / H) when omitted.</param>
    /// <param name="window">How many of the visible keys a query sees, the last ones; 0 for all.</param>
    /// <param name="origins">
    /// [N, S] integers in 0 .. beam - 1, where N = M: place s of query n lies in row n - n mod beam + origins[n, s] of the caches, so that hypotheses of a beam go on from one
    /// another without moving them (the cache indirection of FasterTransformer). Each row's own when omitted.
    /// </param>
    /// <param name="beam">Hypotheses of a beam, which divides N; for origins.</param>
    /// <returns>[N, C], new.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit together, H does not divide C, a length is not in 0 .. S, an origin not in 0 .. beam - 1, or a type is wrong.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is not in 0 .. S, or <paramref name="window"/> is negative.</exception>
    public static Tensor AttentionStep(
        Tensor q, Tensor keys, Tensor values, int heads, Tensor? lengths = null, int? count = null, float? scale = null, int window = 0, Tensor? origins = null, int beam = 1)
    {
        Check.Float(nameof(AttentionStep), q, keys, values);
        if (q.Shape.Rank != 2 || keys.Shape.Rank != 3 || keys.Shape[2] != q.Shape[1] || values.Shape != keys.Shape
            || (keys.Shape[0] == 0 ? q.Shape[0] != 0 : q.Shape[0] % keys.Shape[0] != 0))
        {
            throw new ArgumentException(
                $"AttentionStep: must be q [N, C], keys and values [M, S, C] with N a multiple of M, got q {q.Shape}, keys {keys.Shape}, values {values.Shape}.");
        }

        if (heads < 1 || q.Shape[1] == 0 || q.Shape[1] % heads != 0)
            throw new ArgumentException($"AttentionStep: H must divide C, got H = {heads}, C = {q.Shape[1]} (q {q.Shape}, keys {keys.Shape}).");
        if (lengths is not null)
        {
            Check.Int(nameof(AttentionStep), "lengths", q, lengths);
            if (lengths.Shape != [keys.Shape[0]])
                throw new ArgumentException($"AttentionStep: lengths must be [M], got {lengths.Shape} (q {q.Shape}, keys {keys.Shape}).");
            Check.Range(nameof(AttentionStep), "lengths", lengths, keys.Shape[1] + 1, "m");
        }

        if (origins is not null)
        {
            Check.Int(nameof(AttentionStep), "origins", q, origins);
            if (beam < 1 || q.Shape[0] != keys.Shape[0] || q.Shape[0] % beam != 0 || origins.Shape != [q.Shape[0], keys.Shape[1]])
            {
                throw new ArgumentException(
                    $"AttentionStep: origins must be [N, S] with N = M a multiple of beam, got origins {origins.Shape}, beam = {beam} (q {q.Shape}, keys {keys.Shape}).");
            }

            Check.Range(nameof(AttentionStep), "origins", origins, beam, "n", "s");
        }

        int filled = count ?? keys.Shape[1];
        if (filled < 0 || filled > keys.Shape[1])
            throw new ArgumentOutOfRangeException(null, $"AttentionStep: count must be in 0 .. S, got count = {filled} (q {q.Shape}, keys {keys.Shape}).");
        CheckWindow(nameof(AttentionStep), window);
        var y = q.NewLike(q.Shape, nameof(AttentionStep));
        var size = new AttentionStepSize(
            q.Shape[0], keys.Shape[0], keys.Shape[1], q.Shape[1], heads, filled, scale ?? 1 / MathF.Sqrt(q.Shape[1] / heads), Math.Min(window, keys.Shape[1]), beam);
        AttentionStepKernel.Forward(size, q.Data, keys.Data, values.Data, lengths?.Data, origins?.Data, y.Data);
        return y;
    }
}
