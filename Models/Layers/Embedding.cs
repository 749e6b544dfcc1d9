using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// A table of one vector for each token. Parameter: <c>weight</c> [V, C], normal with standard deviation C^-0.5; the padding token's row starts at zero, and
/// looking it up gives it no gradient.
/// </summary>
public sealed class Embedding : Module
{
    private readonly Parameter _weight;
    private readonly float _scale;

    /// <summary>Declares the table.</summary>
    /// <param name="vocabulary">V, number of tokens.</param>
    /// <param name="width">C, channels.</param>
    public Embedding(int vocabulary, int width)
    {
        _weight = Declare("weight", [vocabulary, width], Initializer.Normal(MathF.Pow(width, -0.5f), Vocabulary.Pad));
        _scale = MathF.Sqrt(width);
    }

    /// <summary>[V, C].</summary>
    public Tensor Weight => _weight.Tensor;

    /// <summary>Looks tokens up and scales their vectors by sqrt(C) (Vaswani et al. 2017, section 3.4).</summary>
    /// <param name="tokens">[...] integers in 0 .. V - 1.</param>
    /// <returns>[..., C], new, in the module's <see cref="Module.Precision"/>: all that is computed from it is too.</returns>
    public Tensor Forward(Tensor tokens) => Ops.Embedding(Weight, tokens, _scale, Vocabulary.Pad, Precision);
}
