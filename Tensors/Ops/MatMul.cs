using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>
    /// The product of matrices, c[m, n] = sum over k of op(a)[m, k] op(b)[k, n], for every matrix of the leading axes; op transposes the last two axes where asked.
    /// Sums of no terms (K = 0) are 0. Costs 2 M N K operations a matrix. Saves a and b for backward.
    /// </summary>
    /// <param name="a">[..., M, K], or [..., K, M] with <paramref name="transposeA"/>.</param>
    /// <param name="b">[..., K, N], or [..., N, K] with <paramref name="transposeB"/>: the leading axes of <paramref name="a"/>, or none, and then one matrix for all.</param>
    /// <param name="transposeA">Use every matrix of <paramref name="a"/> transposed; nothing is moved.</param>
    /// <param name="transposeB">Use every matrix of <paramref name="b"/> transposed; nothing is moved.</param>
    /// <returns>[..., M, N], new.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit, an input holds integers or the devices differ.</exception>
    public static Tensor MatMul(Tensor a, Tensor b, bool transposeA = false, bool transposeB = false)
    {
        Check.Float(nameof(MatMul), a, b);
        int rank = a.Shape.Rank;
        if (rank < 2 || b.Shape.Rank < 2)
            throw new ArgumentException($"MatMul: inputs must have at least two axes, got {a.Shape} and {b.Shape}.");
        bool shared = b.Shape.Rank == 2 && rank > 2;
        if (!shared && !SameLeading(a.Shape, b.Shape))
            throw new ArgumentException($"MatMul: the axes before the last two must be equal or b must have none, got {a.Shape} and {b.Shape}.");
        var (m, k) = transposeA ? (a.Shape[-1], a.Shape[-2]) : (a.Shape[-2], a.Shape[-1]);
        var (n, depth) = transposeB ? (b.Shape[-2], b.Shape[-1]) : (b.Shape[-1], b.Shape[-2]);
        if (k != depth)
        {
            throw new ArgumentException(
                $"MatMul: the inner axes must be equal, got {k} and {depth} ({Stored("a", a, transposeA)}, {Stored("b", b, transposeB)}).");
        }

        var c = a.NewLike(a.Shape.With(-2, m).With(-1, n), nameof(MatMul));
        int batch = checked((int)a.Shape.CountOf(0, rank - 2));
        var size = new MatMulSize(batch, m, n, k, transposeA, transposeB, shared);
        MatMulKernel.Forward(Folded(size), a.Data, b.Data, c.Data);
        return Tape.Record(
            nameof(MatMul),
            c,
            [a, b],
            (a, b, size),
            static (dc, saved) =>
            {
                var (a, b, s) = saved;
                Tensor? da = null, db = null;
                if (a.RequiresGrad)
                {
                    da = dc.NewLike(a.Shape, nameof(MatMul));
                    if (s.TransposeA && s.SharedB)
                        SharedLeft(s, b.Data, dc.Data, da.Data);
                    else if (s.TransposeA)
                        MatMulKernel.Forward(new MatMulSize(s.Batch, s.K, s.M, s.N, s.TransposeB, true), b.Data, dc.Data, da.Data);
                    else
                        MatMulKernel.Forward(Folded(new MatMulSize(s.Batch, s.M, s.K, s.N, false, !s.TransposeB, s.SharedB)), dc.Data, b.Data, da.Data);
                }

                if (b.RequiresGrad)
                {
                    db = dc.NewLike(b.Shape, nameof(MatMul));
                    // With one b, the rows of all matrices are rows of one long product.
                    bool fold = s.SharedB && !s.TransposeA;
                    var (count, rows) = fold ? (1, s.Batch * s.M) : (s.Batch, s.M);
                    bool sum = s.SharedB && !fold;
                    if (s.TransposeB)
                        MatMulKernel.Forward(new MatMulSize(count, s.N, s.K, rows, true, s.TransposeA, SharedC: sum), dc.Data, a.Data, db.Data);
                    else
                        MatMulKernel.Forward(new MatMulSize(count, s.K, s.N, rows, !s.TransposeA, false, SharedC: sum), a.Data, dc.Data, db.Data);
                }

                return new Gradients(da, db);
            });
    }

    // One b for all: the matrices of an untransposed a are one tall matrix.
    private static MatMulSize Folded(MatMulSize s) => s.SharedB && !s.TransposeA ? s with { Batch = 1, M = checked(s.Batch * s.M) } : s;

    // da[l] = op(b) dc[l]^T with one b: the shared matrix stands on the left, so the products are taken one by one.
    private static void SharedLeft(MatMulSize s, DeviceSpan b, DeviceSpan dc, DeviceSpan da)
    {
        long result = (long)s.K * s.M, gradient = (long)s.M * s.N;
        for (int l = 0; l < s.Batch; l++)
        {
            MatMulKernel.Forward(
                new MatMulSize(1, s.K, s.M, s.N, s.TransposeB, true),
                b,
                dc with { Offset = dc.Offset + (l * gradient), Length = gradient },
                da with { Offset = da.Offset + (l * result), Length = result });
        }
    }

    private static bool SameLeading(Shape a, Shape b)
    {
        if (a.Rank != b.Rank)
            return false;
        for (int i = 0; i < a.Rank - 2; i++)
        {
            if (a[i] != b[i])
                return false;
        }

        return true;
    }

    private static string Stored(string name, Tensor tensor, bool transposed) => $"{name} {tensor.Shape}{(transposed ? " transposed" : "")}";
}
