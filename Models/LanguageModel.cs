using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// A decoder without a source: it predicts a text token by token, each from those before it. Self-attention (fairseq's transformer_lm) or causal convolutions (lightconv_lm, Wu
/// et al. 2019, section 6.4), by the configuration's architecture; parameters bear fairseq's names, <c>decoder.layers.0.fc1.weight</c>.
/// </summary>
/// <remarks>
/// Decoder layers have no attention to a source. Pre-norm transformers have a last layer norm unless <see cref="ModelConfig.DecoderFinalNorm"/> says otherwise; pre-norm convolutional language models have none.
/// Sharing embeddings, in either way, makes the token embeddings and the output projection one table.
/// </remarks>
/// <example>
/// <code>
/// var config = Transformer2017.Iwslt.AsLanguageModel() with { PreNorm = true, TargetVocabulary = 10_000 };
/// using var model = LanguageModel.Create(config, device, new RandomSource(seed: 1));
/// </code>
/// </example>
public sealed class LanguageModel : AutoregressiveModel
{
    /// <summary>Declares the parameters: they can be listed and counted, and have no memory yet.</summary>
    /// <param name="config">What determines the model; without an encoder, see <see cref="ModelConfig.AsLanguageModel"/>.</param>
    /// <exception cref="ArgumentException">The configuration has problems, or has an encoder: one line for each.</exception>
    public LanguageModel(ModelConfig config)
        : base(config)
    {
        var problems = config.Validate();
        if (!config.IsLanguageModel)
            problems = [$"encoder_layers must be 0 for a language model, got {config.EncoderLayers}.", .. problems];
        if (problems.Count > 0)
            throw new ArgumentException(string.Join('\n', problems));
        Decoder = Add("decoder", new Decoder(config, Layers(config), shared: null));
    }

    /// <summary>The decoder.</summary>
    public Decoder Decoder { get; }

    /// <inheritdoc/>
    internal override bool GradientCheckpointing
    {
        get => Decoder.GradientCheckpointing;
        set => Decoder.GradientCheckpointing = value;
    }

    /// <inheritdoc/>
    protected override OutputHead Head => Decoder.Head;

    /// <summary>Makes a language model with its first parameters.</summary>
    /// <param name="config">What determines it; without an encoder, see <see cref="ModelConfig.AsLanguageModel"/>.</param>
    /// <param name="device">Where it lives.</param>
    /// <param name="random">Draws the parameters; the same seed gives the same bits.</param>
    /// <returns>A model that the caller disposes.</returns>
    /// <exception cref="ArgumentException">The configuration has problems, or has an encoder: one line for each.</exception>
    public static new LanguageModel Create(ModelConfig config, Device device, RandomSource random)
    {
        var model = new LanguageModel(config);
        model.Initialize(device, random);
        return model;
    }

    /// <summary>The features from which each position's next token is predicted.</summary>
    /// <param name="previous">[B, T] integers: what stands before each token, end-of-sentence before the first of a text; right-padded.</param>
    /// <param name="random">Draws the dropout masks; null for evaluation.</param>
    /// <returns>[B, T, C], new; position t depends on tokens up to t alone, and positions of padding mean nothing.</returns>
    /// <exception cref="ArgumentException">The shape does not fit, or a token is not in the vocabulary.</exception>
    public Tensor Forward(Tensor previous, RandomSource? random = null) => previous.Shape.Rank == 2
        ? Decoder.Forward(previous, encoded: null, random)
        : throw new ArgumentException($"LanguageModel: previous must be [B, T], got {previous.Shape}.");

    /// <summary>The label-smoothed cross-entropy of a batch and its negative log-likelihood, both summed over the tokens of the target, in nats.</summary>
    /// <param name="previous">[B, T] integers: what stands before each token; right-padded.</param>
    /// <param name="target">[B * T] integers: what follows each position; padding does not count.</param>
    /// <param name="smoothing">The probability moved away from the true token, in [0, 1).</param>
    /// <param name="form">Where it goes.</param>
    /// <param name="random">Draws the dropout masks; null for evaluation.</param>
    /// <returns>Two single numbers; gradients flow from the first alone.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit, or a token is not in the vocabulary.</exception>
    public (Tensor Loss, Tensor NegativeLogLikelihood) Loss(
        Tensor previous, Tensor target, float smoothing = 0, LabelSmoothing form = LabelSmoothing.OverOthers, RandomSource? random = null)
        => Loss(previous, new TokenLoss(target, smoothing, form), random);

    /// <summary>Begins to decode, token by token: nothing already computed is computed again. No gradient.</summary>
    /// <param name="texts">Texts side by side, M.</param>
    /// <param name="beam">Hypotheses of each, side by side.</param>
    /// <param name="maxLength">The most steps that will be taken.</param>
    /// <returns>The memory of the decoding, which the caller disposes.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="texts"/>, <paramref name="beam"/> or <paramref name="maxLength"/> is below 1.</exception>
    public IncrementalState Begin(int texts, int beam, int maxLength) => Begin(texts, beam, maxLength, DecodingSizes.Exact, memory: null, exit: null);

    /// <inheritdoc/>
    internal override Tensor Features(BatchTensors batch, RandomSource? random) => Forward(batch.PreviousTarget, random);

    /// <inheritdoc/>
    internal override IncrementalState Begin(IReadOnlyList<int[]> sources, int beam, int maxLength, DecodingSizes sizes, FixedMemory? memory, ExitRule? exit)
        => Begin(sources.Count, beam, maxLength, sizes, memory, exit);

    /// <inheritdoc/>
    internal override (Tensor Loss, Tensor NegativeLogLikelihood) Loss(BatchTensors batch, TokenLoss wanted, RandomSource? random) => Loss(batch.PreviousTarget, wanted, random);

    /// <inheritdoc/>
    internal override Tensor StepLogits(Tensor features, IncrementalState state) => Decoder.Classifiers.Logits(features, state.ExitDepths);

    /// <inheritdoc/>
    protected override Tensor Step(Tensor tokens, IncrementalState state) => Decoder.Step(tokens, state);

    private (Tensor Loss, Tensor NegativeLogLikelihood) Loss(Tensor previous, TokenLoss wanted, RandomSource? random)
        => Config.Halting != Halting.None
            ? UniversalTransformer2018.Loss(Decoder, Config, encoded: null, previous, wanted.Target, features => LossOf(features, wanted), random)
            : Config.AdaptiveDepth == AdaptiveDepth.None
            ? LossOf(Forward(previous, random), wanted)
            : DepthAdaptive2020.Loss(Decoder, Config, encoded: null, previous, wanted, random);

    private static Func<int, DecoderLayer> Layers(ModelConfig config) => config.Architecture switch
    {
        Architecture.Transformer => i => Transformer2017.DecoderLayer(config, i),
        Architecture.LightConv => i => LightConv2019.DecoderLayer(config, i),
        Architecture.DynamicConv => i => DynamicConv2019.DecoderLayer(config, i),
        Architecture.Cnn => i => Cnn2019.DecoderLayer(config, i),
        _ => throw new ArgumentException($"architecture must be one of {string.Join(", ", Enum.GetNames<Architecture>())}, got {config.Architecture}."),
    };

    private IncrementalState Begin(int texts, int beam, int maxLength, DecodingSizes sizes, FixedMemory? memory, ExitRule? exit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(texts, 1);
        using var scope = TensorScope.Begin();
        var state = new IncrementalState(Tensor.Zeros(Device, [texts], DType.Int32), sourceWidth: 0, beam, maxLength, sizes, memory) { Exit = exit };
        return Filled(state, () => Decoder.Begin(state, encoded: null));
    }
}
