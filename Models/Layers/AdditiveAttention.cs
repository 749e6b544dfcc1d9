using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// Additive attention (Bahdanau, Cho and Bengio 2015, appendix A.1.2): e_j = v . tanh(W_a s + U_a h_j + b), a = softmax(e) over the source, c = sum_j a_j h_j. Parameters:
/// <c>query.weight</c> [A, H] and <c>key.weight</c> [A, H'], normal with deviation 0.001, <c>key.bias</c> [A] and <c>value.weight</c> [1, A], which start at zero: so attention is even at first.
/// </summary>
internal sealed class AdditiveAttention : Module
{
    private readonly Linear _query;
    private readonly Linear _key;
    private readonly Linear _value;

    /// <summary>Declares the parameters.</summary>
    /// <param name="query">H, channels of a query.</param>
    /// <param name="source">H', channels of the source.</param>
    /// <param name="width">A, channels of the alignment.</param>
    public AdditiveAttention(int query, int source, int width)
    {
        var start = Initializer.Normal(0.001f);
        _query = Add("query", new Linear(query, width, bias: false, start));
        _key = Add("key", new Linear(source, width, initializer: start));
        _value = Add("value", new Linear(width, 1, bias: false, Initializer.Zeros));
    }

    /// <summary>What is the same for all queries.</summary>
    /// <param name="source">[M, S, H'].</param>
    /// <param name="lengths">[M] integers.</param>
    /// <returns>U_a h + b, [M, S, A], and the <see cref="SourceMask"/>, [M, 1, S]; new.</returns>
    public (Tensor Keys, Tensor Mask) Prepare(Tensor source, Tensor lengths) => (_key.Forward(source), SourceMask.Of(source, lengths));

    /// <summary>Attends.</summary>
    /// <param name="query">[N, H]; N is a multiple of M, row n looks at source n / (N / M).</param>
    /// <param name="source">[M, S, H'].</param>
    /// <param name="keys">[M, S, A].</param>
    /// <param name="mask">[M, 1, S].</param>
    /// <returns>[N, H'] and the probabilities, [M, N / M, S]; new.</returns>
    public (Tensor Context, Tensor Probabilities) Forward(Tensor query, Tensor source, Tensor keys, Tensor mask)
    {
        int sentences = source.Shape[0], beam = query.Shape[0] / sentences, length = source.Shape[1], width = keys.Shape[2];
        var sum = Ops.Add(_query.Forward(query).Reshape([sentences, beam, 1, width]), keys.Reshape([sentences, 1, length, width]));
        var scores = _value.Forward(Ops.Tanh(sum)).Reshape([sentences, beam, length]);
        var probabilities = Ops.Softmax(Ops.Add(scores, mask));
        return (Ops.MatMul(probabilities, source).Reshape([query.Shape[0], source.Shape[2]]), probabilities);
    }
}
