using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>The widest beam that <see cref="BeamReorder"/> takes.</summary>
    public const int MostBeamRows = BeamReorderKernel.MostRows;

    /// <summary>
    /// x[n, ...] = x[n - n mod beam + parents[n], ...], in place and outside the tape: rows of each beam in the order in which its hypotheses go on. Rows that go on
    /// themselves are not touched.
    /// </summary>
    /// <param name="x">[N, ...], floats or integers, N a multiple of <paramref name="beam"/>; with <paramref name="counts"/> [N, S, ...].</param>
    /// <param name="parents">[N] integers in 0 .. beam - 1: the row of its own beam that each row goes on from.</param>
    /// <param name="beam">Rows of a beam, 1 .. 64.</param>
    /// <param name="counts">[N] integers in 0 .. S: places of each row that hold anything, the others are not moved; all when omitted.</param>
    /// <exception cref="ArgumentException">The shapes do not fit together, an integer is out of its range, or a type is wrong.</exception>
    public static void BeamReorder(Tensor x, Tensor parents, int beam, Tensor? counts = null)
    {
        const string Op = nameof(BeamReorder);
        if (x.DType != DType.Int32)
            Check.Float(Op, x);
        if (beam is < 1 or > MostBeamRows)
            throw new ArgumentException($"{Op}: beam must be in 1 .. {MostBeamRows}, got {beam} (x {x.Shape}).");
        if (x.Shape.Rank < (counts is null ? 1 : 2) || x.Shape[0] % beam != 0)
        {
            throw new ArgumentException(
                $"{Op}: x must be [N, {(counts is null ? "..." : "S, ...")}] with N a multiple of beam, got x {x.Shape}, beam = {beam}.");
        }

        Check.Int(Op, "parents", x, parents);
        if (parents.Shape != [x.Shape[0]] || (counts is not null && counts.Shape != parents.Shape))
            throw new ArgumentException($"{Op}: parents and counts must be [N], got parents {parents.Shape}{(counts is null ? "" : $", counts {counts.Shape}")} (x {x.Shape}).");
        Check.Range(Op, "parents", parents, beam, "n");
        var size = new BeamReorderSize(x.Shape[0], beam, 1, checked((int)x.Shape.CountOf(1, x.Shape.Rank)));
        if (counts is not null)
        {
            Check.Int(Op, "counts", x, counts);
            Check.Range(Op, "counts", counts, x.Shape[1] + 1, "n");
            size = size with { S = x.Shape[1], C = checked((int)x.Shape.CountOf(2, x.Shape.Rank)) };
        }

        x.Data.Buffer.Touch();
        BeamReorderKernel.Forward(size, x.Data, parents.Data, counts?.Data);
    }
}
