using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// An encoder and a decoder of layers: what the transformer and the convolutional models have in common. A paper's model says what its layers are.
/// Parameters bear the names of fairseq's checkpoints. A shared table appears once: under <c>encoder.embed_tokens.weight</c> where all embeddings are one,
/// under <c>decoder.embed_tokens.weight</c> where the decoder's two are.
/// </summary>
public abstract class EncoderDecoderModel : Seq2SeqModel
{
    /// <summary>Declares the parameters.</summary>
    /// <param name="config">What determines the model.</param>
    /// <param name="architecture">What the configuration must be for.</param>
    /// <param name="encoderLayer">Makes the encoder's layer of each index.</param>
    /// <param name="decoderLayer">Makes the decoder's layer of each index.</param>
    /// <exception cref="ArgumentException">The configuration has problems, or is for another architecture: one line for each problem.</exception>
    private protected EncoderDecoderModel(
        ModelConfig config, Architecture architecture, Func<int, EncoderLayer> encoderLayer, Func<int, DecoderLayer> decoderLayer)
        : base(config)
    {
        CheckConfig(config, architecture);
        Encoder = Add("encoder", new Encoder(config.OfEncoder, encoderLayer));
        Decoder = Add("decoder", new Decoder(config, decoderLayer, config.ShareEmbeddings == EmbeddingSharing.All ? Encoder.Tokens : null));
    }

    /// <summary>The encoder.</summary>
    public Encoder Encoder { get; }

    /// <summary>The decoder.</summary>
    public Decoder Decoder { get; }

    /// <inheritdoc/>
    internal sealed override bool GradientCheckpointing
    {
        get => Decoder.GradientCheckpointing;
        set => Encoder.GradientCheckpointing = Decoder.GradientCheckpointing = value;
    }

    /// <inheritdoc/>
    protected sealed override OutputHead Head => Decoder.Head;

    /// <inheritdoc/>
    public sealed override EncoderOutput Encode(Tensor source, Tensor lengths, RandomSource? random = null)
    {
        CheckSources(source, lengths);
        return Encoder.Forward(source, lengths, random);
    }

    /// <inheritdoc/>
    public sealed override Tensor Decode(Tensor previous, EncoderOutput encoded, RandomSource? random = null)
    {
        CheckPrevious(nameof(Decode), previous, encoded);
        return Decoder.Forward(previous, encoded, random);
    }

    /// <inheritdoc/>
    public sealed override Tensor SourceAttention(Tensor previous, EncoderOutput encoded)
    {
        CheckPrevious(nameof(SourceAttention), previous, encoded);
        return Decoder.SourceAttention(previous, encoded);
    }

    private protected sealed override (Tensor Loss, Tensor NegativeLogLikelihood) LossOf(Tensor previous, EncoderOutput encoded, TokenLoss wanted, RandomSource? random)
        => Config.Halting != Halting.None
            ? UniversalTransformer2018.Loss(Decoder, Config, encoded, previous, wanted.Target, features => LossOf(features, wanted), random)
            : Config.AdaptiveDepth == AdaptiveDepth.None
            ? base.LossOf(previous, encoded, wanted, random)
            : DepthAdaptive2020.Loss(Decoder, Config, encoded, previous, wanted, random);

    /// <inheritdoc/>
    protected sealed override void Fill(IncrementalState state, EncoderOutput encoded) => Decoder.Begin(state, encoded);

    /// <inheritdoc/>
    internal sealed override Tensor StepLogits(Tensor features, IncrementalState state) => Decoder.Classifiers.Logits(features, state.ExitDepths);

    /// <inheritdoc/>
    protected sealed override Tensor Step(Tensor tokens, IncrementalState state) => Decoder.Step(tokens, state);
}
