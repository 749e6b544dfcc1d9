using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>
    /// Looks up rows: y[..., :] = scale * table[ids[...], :]. The gradient of the table is the sum of scale * dy over the positions of each id,
    /// in their order, so it is the same for any number of threads; rows without a position get 0. Keeps the ids for backward.
    /// </summary>
    /// <param name="table">[V, C], float32: one row for each token of the vocabulary.</param>
    /// <param name="ids">[...], integers in 0 .. V - 1.</param>
    /// <param name="scale">Factor of every element; sqrt(C) in Vaswani et al., "Attention is all you need", NIPS 2017, section 3.4.</param>
    /// <param name="paddingIndex">The id whose row gets no gradient; -1 for none.</param>
    /// <param name="dtype">The type of y: the door through which a model's activations get theirs.</param>
    /// <returns>[..., C], new.</returns>
    /// <exception cref="ArgumentException">The table is no matrix, an id is not in the table, or the types are wrong.</exception>
    public static Tensor Embedding(Tensor table, Tensor ids, float scale = 1, int paddingIndex = -1, DType dtype = DType.Float32)
    {
        Check.Parameters(nameof(Embedding), table, table);
        Check.Defined(nameof(Embedding), nameof(dtype), dtype);
        if (!dtype.IsFloat())
            throw new ArgumentException($"Embedding: dtype must be of floats, got {dtype}.");
        Check.Inference(nameof(Embedding), dtype, table);
        Check.Int(nameof(Embedding), "token ids", table, ids);
        if (table.Shape.Rank != 2)
            throw new ArgumentException($"Embedding: the table must be [V, C], got {table.Shape} (token ids {ids.Shape}).");
        Check.Range(nameof(Embedding), "token ids", ids, table.Shape[0]);
        var size = new EmbeddingSize(checked((int)ids.Shape.Count), table.Shape[0], table.Shape[1], scale, paddingIndex);
        Span<int> sizes = stackalloc int[ids.Shape.Rank + 1];
        ids.Shape.CopyTo(sizes);
        sizes[^1] = size.C;
        var y = Tensor.Empty(table.Device, new Shape(sizes), dtype, nameof(Embedding));
        EmbeddingKernel.Forward(size, table.Data, ids.Data, y.Data);
        return Tape.Record(nameof(Embedding), y, [table], (size, table.Shape, ids), static (dy, s) =>
        {
            var dtable = dy.NewFloats(s.Shape, nameof(Embedding));
            EmbeddingKernel.Backward(s.size, s.ids.Data, dy.Data, dtable.Data);
            return new Gradients(dtable);
        });
    }
}
