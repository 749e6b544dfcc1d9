using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>
    /// Sets each element to 0 with probability p and divides the others by 1 - p. The mask is not stored: backward makes it again from its key.
    /// Source: Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, "Dropout: a simple way to prevent neural networks from overfitting", JMLR 2014.
    /// </summary>
    /// <param name="x">Any shape, float.</param>
    /// <param name="p">Probability in 0 .. 1, below 1.</param>
    /// <param name="random">Draws one stream; null in evaluation.</param>
    /// <returns>The shape of <paramref name="x"/>, new; <paramref name="x"/> itself when <paramref name="random"/> is null or p is 0.</returns>
    /// <exception cref="ArgumentException">p is not a probability below 1, or <paramref name="x"/> holds integers.</exception>
    public static Tensor Dropout(Tensor x, float p, RandomSource? random) => Drop(nameof(Dropout), x, p, random);

    private static Tensor Drop(string op, Tensor x, float p, RandomSource? random)
    {
        Check.Float(op, x);
        Check.DropProbability(op, p);
        if (random is null || p == 0)
            return x;
        var mask = new DropMask(random.NextKey(), p);
        var y = x.NewLike(x.Shape, op);
        DropoutKernel.Forward(mask, x.Data, y.Data);
        return Tape.Record(op, y, [x], (op, mask), static (dy, s) =>
        {
            var dx = dy.NewLike(dy.Shape, s.op);
            DropoutKernel.Forward(s.mask, dy.Data, dx.Data);
            return new Gradients(dx);
        });
    }
}
