using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// A learned vector for each position, as in fairseq: token t has row t + 2, behind that of padding. Parameter: <c>weight</c> [P + 2, C], normal with deviation 0.1, the row of padding zero.
/// </summary>
internal sealed class LearnedPositions : Module
{
    private const int First = Vocabulary.Pad + 1;

    private readonly Parameter _weight;
    private readonly int _most;

    /// <summary>Declares the table.</summary>
    /// <param name="most">P, the most tokens of a sentence.</param>
    /// <param name="width">C.</param>
    public LearnedPositions(int most, int width)
    {
        _most = most;
        _weight = Declare("weight", [most + First, width], Initializer.Normal(0.1f, Vocabulary.Pad));
    }

    /// <summary>The vectors of the first tokens. A width that is rounded up must not be rounded beyond P, so that more than P columns are a sentence that is too long.</summary>
    /// <param name="count">T, the width of a batch.</param>
    /// <returns>[T, C], in the module's precision.</returns>
    /// <exception cref="ArgumentException">There are more columns than positions.</exception>
    public Tensor Forward(int count) => count <= _most
        ? Ops.Convert(_weight.Tensor.Rows(First, count), Precision)
        : throw new ArgumentException($"LearnedPositions: a batch must be at most max_positions, {_most}, tokens wide, got {count}.");

    /// <summary>The vectors of tokens whose positions lie on the device; no gradient.</summary>
    /// <param name="positions">[N] integers.</param>
    /// <returns>[N, C], new.</returns>
    public Tensor At(Tensor positions) => Ops.Convert(Ops.IndexSelect(_weight.Tensor.Rows(First, _most), 0, positions), Precision);
}
