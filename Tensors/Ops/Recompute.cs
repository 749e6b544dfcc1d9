namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>
    /// function(x, random), whose intermediate results are not kept for backward: it is computed again there, with the same random streams, and then differentiated. Gradient checkpointing.
    /// </summary>
    /// <remarks>
    /// Memory until backward is that of the result alone; the cost is one more forward. What backward gives is bit for bit what it gives without: gradients reach x, parameters, and all else that
    /// the function reads, in the same order. Nothing is saved, and the function is called once, where no gradient is asked of x.
    /// T. Chen, B. Xu, C. Zhang and C. Guestrin, "Training Deep Nets with Sublinear Memory Cost", arXiv 1604.06174, 2016.
    /// </remarks>
    /// <param name="x">What the function is of; it may read other tensors, which must live until backward.</param>
    /// <param name="function">Gives the same every time for the same random streams. It draws them from what it is given.</param>
    /// <param name="random">The randomness; null in evaluation.</param>
    /// <returns>What the function gives.</returns>
    public static Tensor Recompute(Tensor x, Func<Tensor, RandomSource?, Tensor> function, RandomSource? random)
    {
        if (!Tape.Records(x))
            return function(x, random);
        ulong position = random?.Position ?? 0;
        Tensor y;
        using (TensorScope.Begin())
        {
            y = Tape.Rehearse(() => function(x, random));

            // What was there before keeps its place, and a view does not keep what it shows.
            y = (y.OwnsMemory && y.Scope == TensorScope.Current ? y : Copied(y)).Keep();
        }

        return Tape.Record(
            nameof(Recompute),
            y,
            [x],
            (X: x, Function: function, Seed: random?.Seed, Position: position),
            static (dy, s) =>
            {
                Tape.Replay(() => s.Function(s.X, s.Seed is { } seed ? new RandomSource(seed, s.Position) : null), dy);
                return default;
            });
    }

    private static Tensor Copied(Tensor x)
    {
        var copy = x.NewLike(x.Shape, nameof(Recompute));
        Kernels.CopyKernel.Copy(x.Data, copy.Data);
        return copy;
    }
}
