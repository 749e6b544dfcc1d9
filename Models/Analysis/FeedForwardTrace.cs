using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// A decoder seen as key-value memories (Geva et al. 2021): what each feed-forward block reads, its cells' coefficients, keys and values, and the tokens that vectors of its
/// stream stand for. All without gradient, in the caller's scopes.
/// </summary>
/// <remarks>
/// Which tokens a vector stands for is what the model itself would make of it. Where a layer norm follows the last layer, whole states of the stream (r and o) pass through it;
/// what is only added to the stream (y and the values) passes through its linear part, channels minus their mean times the gain, because the rest of it, a division by the
/// deviation of the whole state and a shift, is the state's and not the addend's. Rankings do not depend on the division where the output is one table.
/// <see cref="Models.Vocabulary.Bos"/> and <see cref="Models.Vocabulary.Pad"/> are left out of every distribution: no text has them, so that training says next to nothing of their rows.
/// </remarks>
internal sealed class FeedForwardTrace
{
    private static readonly int[] NotOfText = [Models.Vocabulary.Bos, Models.Vocabulary.Pad];

    private readonly AutoregressiveModel _model;
    private readonly Decoder _decoder;

    /// <exception cref="ArgumentException">The model has no such decoder.</exception>
    public FeedForwardTrace(AutoregressiveModel model)
    {
        _model = model;
        _decoder = model switch
        {
            LanguageModel language => language.Decoder,
            EncoderDecoderModel translation => translation.Decoder,
            _ => throw new ArgumentException($"FeedForward: the model must have a decoder of layers, got {model.GetType().Name}."),
        };
        if (model.Config.SurfaceFusion != SurfaceFusion.None)
            throw new ArgumentException($"FeedForward: surface_fusion must be none, for another stream joins the decoder's before the output; got {model.Config.SurfaceFusion}.");
    }

    /// <summary>L, layers in the order in which they are applied.</summary>
    public int Depth => _decoder.Path.Count;

    /// <summary>F, cells of a layer.</summary>
    public int Cells => _model.Config.FeedForwardWidth;

    /// <summary>C.</summary>
    public int Width => _model.Config.ModelWidth;

    /// <summary>V.</summary>
    public int Vocabulary => _model.Config.TargetVocabulary;

    /// <summary>How many tokens of the vocabulary a text may have.</summary>
    public int TextTokens => Vocabulary - NotOfText.Length;

    /// <summary>Where the model lives.</summary>
    public Device Device => _model.Device;

    /// <summary>Whether what enters and what leaves a block are of one stream.</summary>
    public bool IsPreNorm => _model.Config.PreNorm;

    /// <summary>How vectors are turned into tokens, in words.</summary>
    public string Projection => (!IsPreNorm
        ? "products of values with the output table, as they are"
        : _decoder.Norm is null
            ? "products of r, o, y and values with the output table, as they are (no layer norm follows the last layer)"
            : "products with the output table: of r and o behind the last layer norm, of y and values behind that norm's linear part (minus the mean, times the gain)")
        + (_model.Config.OutputLinear ? "; before the table stands the model's linear layer" : "")
        + (_model.Config.AdaptiveSoftmaxCutoffs.Count > 0 ? "; the table is an adaptive softmax, whose classes and bands together give every token its log probability" : "");

    /// <summary>Passes a batch through the first layers and shows what each feed-forward block reads.</summary>
    /// <param name="batch">Prefixes.</param>
    /// <param name="depth">The last layer, from 1.</param>
    /// <param name="visit">
    /// Gets the layer, what is in front of its block and what the block reads, [B, T, C] both; gives the block's <see cref="Activations"/> where it computed them, so that
    /// they are not computed again, or null. All that it does not keep ends with the call.
    /// </param>
    public void Visit(PrefixBatch batch, int depth, Func<int, Tensor, Tensor, Tensor?> visit)
    {
        using var scope = TensorScope.Begin();
        using var pause = new NoGrad();
        var (x, seen) = _decoder.Enter(Tensor.From(Device, batch.Previous, [batch.B, batch.T]), Encoded(batch));
        for (int n = 1; n <= depth; n++)
        {
            var entered = x;
            using (TensorScope.Begin())
            {
                var (residual, input) = _decoder.Path[n - 1].BeforeFeedForward(entered, seen?[n - 1]);
                var activations = visit(n, residual, input);
                if (n < depth)
                    x = After(n, residual, Output(n, activations is null ? Coefficients(n, input) : Ops.Relu(activations))).Keep();
            }

            entered.Dispose();
        }
    }

    /// <summary>x K^T + b of all cells, before the ReLU.</summary>
    /// <param name="layer">From 1.</param>
    /// <param name="input">[..., C], what the block reads.</param>
    /// <returns>[..., F], new.</returns>
    public Tensor Activations(int layer, Tensor input) => Block(layer).Activations(input);

    /// <summary>m, the memory coefficients of all cells.</summary>
    /// <returns>[..., F], new.</returns>
    public Tensor Coefficients(int layer, Tensor input) => Block(layer).Inner(input);

    /// <summary>y, the sum of all values times their coefficients and the block's bias.</summary>
    /// <returns>[..., C], new.</returns>
    public Tensor Output(int layer, Tensor coefficients) => Block(layer).Output(coefficients);

    /// <summary>o, what the layer gives.</summary>
    /// <returns>[..., C], new.</returns>
    public Tensor After(int layer, Tensor residual, Tensor output) => _decoder.Path[layer - 1].AfterFeedForward(residual, output);

    /// <summary>The values of some cells: columns of W_2.</summary>
    /// <returns>[count, C], new.</returns>
    public Tensor Values(int layer, int first, int count) => Ops.Transpose(Ops.Slice(Block(layer).Values.Weight, 1, first, count), 1, 0);

    /// <summary>Scores of all tokens for states of the stream.</summary>
    /// <param name="states">[N, C].</param>
    /// <returns>[N, V], new, float32; negative infinity for tokens that no text has.</returns>
    public Tensor StateLogits(Tensor states) => OfText(_model.Logits(_decoder.Norm?.Forward(states) ?? states));

    /// <summary>Scores of all tokens for what is added to the stream.</summary>
    /// <param name="addends">[N, C].</param>
    /// <returns>[N, V], new, float32; negative infinity for tokens that no text has.</returns>
    public Tensor AddendLogits(Tensor addends)
    {
        if (_decoder.Norm is not { } norm)
            return OfText(_model.Logits(addends));
        addends = addends.To(DType.Float32);
        return OfText(_model.Logits(Ops.Multiply(Ops.Subtract(addends, Ops.Mean(addends, -1, keepAxis: true)), norm.Gain)));
    }

    private static Tensor OfText(Tensor logits)
    {
        int[] mask = new int[logits.Shape[1]];
        foreach (int token in NotOfText)
            mask[token] = 1;
        return Ops.MaskedFill(logits, Tensor.From(logits.Device, mask), float.NegativeInfinity);
    }

    private FeedForward Block(int layer) => _decoder.Path[layer - 1].FeedForward;

    private EncoderOutput? Encoded(PrefixBatch batch)
    {
        if (_model is not Seq2SeqModel translation)
            return null;
        return batch.S > 0
            ? translation.Encode(Tensor.From(Device, batch.Source, [batch.B, batch.S]), Tensor.From(Device, batch.SourceLengths))
            : throw new ArgumentException("FeedForward: a model that translates must be given pairs, got text without sources.");
    }
}
