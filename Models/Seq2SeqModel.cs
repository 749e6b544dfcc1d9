using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// A model that reads a source sequence and predicts a target sequence token by token.
/// Passing a <see cref="RandomSource"/> trains (dropout is on), passing null evaluates. A model may evaluate on several threads at once.
/// </summary>
/// <example>
/// Training: <c>var (loss, nll) = model.Loss(source, lengths, previous, target, 0.1f, LabelSmoothing.OverOthers, random); loss.Backward();</c><br/>
/// Translating: <c>new SequenceGenerator(model).Generate(sources, new DecodingOptions(), cancellation)</c>.
/// </example>
/// <param name="config">What determines the model.</param>
public abstract class Seq2SeqModel(ModelConfig config) : AutoregressiveModel(config)
{
    /// <summary>Reads a batch of sources.</summary>
    /// <param name="source">[B, S] integers, token ids, right-padded.</param>
    /// <param name="lengths">[B] integers, tokens of each source, 1 .. S.</param>
    /// <param name="random">Draws the dropout masks; null for evaluation.</param>
    /// <returns>States [B, S, C] and the lengths.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit, or a token is not in the vocabulary.</exception>
    public abstract EncoderOutput Encode(Tensor source, Tensor lengths, RandomSource? random = null);

    /// <summary>The features from which each position's next token is predicted, for whole target sequences.</summary>
    /// <param name="previous">[B, T] integers: end-of-sentence, then the target without its last token; right-padded.</param>
    /// <param name="encoded">The source.</param>
    /// <param name="random">Draws the dropout masks; null for evaluation.</param>
    /// <returns>[B, T, C], new; position t depends on tokens up to t alone, and positions of padding mean nothing.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit, or a token is not in the vocabulary.</exception>
    public abstract Tensor Decode(Tensor previous, EncoderOutput encoded, RandomSource? random = null);

    /// <summary>How much attention each position pays to the source in the decoder's last layer, for alignments; no gradient.</summary>
    /// <param name="previous">[B, T] integers: end-of-sentence, then the target without its last token; right-padded.</param>
    /// <param name="encoded">The source.</param>
    /// <returns>[B, H, T, S], new: rows sum to 1, and what lies beyond a source's length is 0.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit, or a token is not in the vocabulary.</exception>
    /// <exception cref="NotSupportedException">The model pays none, or does not say it.</exception>
    public virtual Tensor SourceAttention(Tensor previous, EncoderOutput encoded)
        => throw new NotSupportedException($"SourceAttention: the model must attend to its source, got {GetType().Name}.");

    /// <summary>The same of every place that attends to the source, in the order in which they do; no gradient. One that is a stack of layers is looked at layer by layer (<see cref="LayerObserver"/>).</summary>
    /// <param name="previous">[B, T] integers: end-of-sentence, then the target without its last token; right-padded.</param>
    /// <param name="encoded">The source.</param>
    /// <returns>[B, H, T, S] each, new.</returns>
    internal virtual IReadOnlyList<Tensor> SourceAttentions(Tensor previous, EncoderOutput encoded) => [SourceAttention(previous, encoded)];

    /// <summary>
    /// The label-smoothed cross-entropy of a batch and its negative log-likelihood, both summed over the tokens of the target, in nats.
    /// </summary>
    /// <param name="source">[B, S] integers, token ids, right-padded.</param>
    /// <param name="lengths">[B] integers, tokens of each source.</param>
    /// <param name="previous">[B, T] integers: end-of-sentence, then the target without its last token; right-padded.</param>
    /// <param name="target">[B * T] integers: what follows each position; padding does not count.</param>
    /// <param name="smoothing">The probability moved away from the true token, in [0, 1).</param>
    /// <param name="form">Where it goes.</param>
    /// <param name="random">Draws the dropout masks; null for evaluation.</param>
    /// <returns>Two single numbers; gradients flow from the first alone.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit, or a token is not in the vocabulary.</exception>
    public (Tensor Loss, Tensor NegativeLogLikelihood) Loss(
        Tensor source,
        Tensor lengths,
        Tensor previous,
        Tensor target,
        float smoothing = 0,
        LabelSmoothing form = LabelSmoothing.OverOthers,
        RandomSource? random = null)
        => LossOf(previous, Encode(source, lengths, random), new TokenLoss(target, smoothing, form), random);

    /// <summary>Begins to decode, token by token: nothing already computed is computed again. No gradient.</summary>
    /// <param name="encoded">The sources, M sentences; may be freed afterwards.</param>
    /// <param name="beam">Hypotheses of each sentence, side by side.</param>
    /// <param name="maxLength">The most steps that will be taken.</param>
    /// <returns>The memory of the decoding, which the caller disposes.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="beam"/> or <paramref name="maxLength"/> is below 1.</exception>
    public IncrementalState Begin(EncoderOutput encoded, int beam, int maxLength)
    {
        using var scope = TensorScope.Begin();
        return Begin(new IncrementalState(encoded, beam, maxLength), encoded);
    }

    private IncrementalState Begin(IncrementalState state, EncoderOutput encoded) => Filled(state, () => Fill(state, encoded));

    /// <inheritdoc/>
    internal sealed override Tensor Features(BatchTensors batch, RandomSource? random)
    {
        var (source, lengths) = (batch.Source, batch.SourceLengths);
        return source is null || lengths is null
            ? throw new ArgumentException("Loss: a model that translates must be given sources, got a batch without.")
            : Decode(batch.PreviousTarget, Encode(source, lengths, random), random);
    }

    /// <inheritdoc/>
    internal sealed override (Tensor Loss, Tensor NegativeLogLikelihood) Loss(BatchTensors batch, TokenLoss wanted, RandomSource? random)
        => batch.Source is { } source && batch.SourceLengths is { } lengths
            ? LossOf(batch.PreviousTarget, Encode(source, lengths, random), wanted, random)
            : base.Loss(batch, wanted, random);

    /// <inheritdoc/>
    internal sealed override IncrementalState Begin(IReadOnlyList<int[]> sources, int beam, int maxLength, DecodingSizes sizes, FixedMemory? memory, ExitRule? exit)
    {
        int longest = sources.Max(s => s.Length);

        // Not rounded beyond the positions that there are, behind which padding had none.
        int width = Math.Max(longest, Math.Min(sizes.Source(longest), Config.MostPositions));
        int[] padded = new int[sources.Count * width];
        Array.Fill(padded, Vocabulary.Pad);
        for (int i = 0; i < sources.Count; i++)
            sources[i].CopyTo(padded, i * width);
        int[] lengths = [.. sources.Select(s => s.Length)];
        using var scope = TensorScope.Begin();
        var encoded = Encode(Tensor.From(Device, padded, [sources.Count, width]), Tensor.From(Device, lengths));
        return Begin(new IncrementalState(encoded, beam, maxLength, sizes, memory) { Exit = exit }, encoded);
    }

    /// <summary>Refuses a configuration that has problems or is for another model: one line for each problem.</summary>
    private protected static void CheckConfig(ModelConfig config, Architecture architecture)
    {
        var problems = config.Validate();
        if (config.Architecture != architecture)
            problems = [$"architecture must be {architecture} for this model, got {config.Architecture}.", .. problems];
        if (config.IsLanguageModel)
            problems = ["encoder_layers must be at least 1 for a model that translates, got 0.", .. problems];
        if (problems.Count > 0)
            throw new ArgumentException(string.Join('\n', problems));
    }

    /// <summary>Refuses sources that are no batch.</summary>
    private protected static void CheckSources(Tensor source, Tensor lengths)
    {
        if (source.Shape.Rank != 2 || lengths.Shape != [source.Shape[0]])
            throw new ArgumentException($"Encode: source must be [B, S] and lengths [B], got {source.Shape} and {lengths.Shape}.");
    }

    /// <summary>Refuses targets that are no batch for the sources.</summary>
    private protected static void CheckPrevious(string call, Tensor previous, EncoderOutput encoded)
    {
        if (previous.Shape.Rank != 2 || previous.Shape[0] != encoded.Lengths.Shape[0])
            throw new ArgumentException($"{call}: previous must be [B, T] for the {encoded.Lengths.Shape[0]} encoded sources, got {previous.Shape}.");
    }

    /// <summary>Both sums of the loss for sources that are encoded.</summary>
    private protected virtual (Tensor Loss, Tensor NegativeLogLikelihood) LossOf(Tensor previous, EncoderOutput encoded, TokenLoss wanted, RandomSource? random)
        => LossOf(Decode(previous, encoded, random), wanted);

    /// <summary>Fills a new state.</summary>
    /// <param name="state">No step was taken.</param>
    /// <param name="encoded">The sources.</param>
    protected abstract void Fill(IncrementalState state, EncoderOutput encoded);
}
