using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>A causal mixer, attention to the encoder, which a language model's layers have not, then a feed-forward block, each within a residual connection.</summary>
public sealed class DecoderLayer : Module
{
    private readonly SequenceMixer _mixer;
    private readonly Residual _mixerResidual;
    private readonly MultiHeadAttention? _encoderAttention;
    private readonly Residual? _encoderResidual;
    private readonly FeedForward _feedForward;
    private readonly Residual _finalResidual;

    /// <summary>Declares the parameters.</summary>
    /// <param name="config">Widths, heads, dropout and the place of the layer norms.</param>
    /// <param name="mixer">Self-attention or a convolution module, causal.</param>
    /// <param name="names">What the parameters are called.</param>
    public DecoderLayer(ModelConfig config, SequenceMixer mixer, LayerNames names)
    {
        _mixer = Add(names.Mixer, mixer);
        _mixerResidual = Add(names.MixerNorm, Norm());
        if (!config.IsLanguageModel)
        {
            _encoderAttention = Add("encoder_attn", new MultiHeadAttention(config.ModelWidth, config.AttentionHeads, config.AttentionDropout, sourceWidth: config.WidthOfEncoder));
            _encoderResidual = Add("encoder_attn_layer_norm", Norm());
        }

        _feedForward = Add(string.Empty, new FeedForward(config.ModelWidth, config.FeedForwardWidth, config.ActivationDropout));
        _finalResidual = Add(names.FinalNorm, Norm());

        Residual Norm() => new(config.ModelWidth, config.PreNorm, config.Dropout);
    }

    /// <summary>Applies the layer to whole sequences.</summary>
    /// <param name="x">[B, T, C].</param>
    /// <param name="encoded">The source; null for a language model.</param>
    /// <param name="random">Draws the dropout masks; null for evaluation.</param>
    /// <returns>[B, T, C], new.</returns>
    public Tensor Forward(Tensor x, EncoderOutput? encoded, RandomSource? random) => Forward(x, encoded, random, observer: null);

    /// <summary>The same before somebody's eyes.</summary>
    /// <param name="x">[B, T, C].</param>
    /// <param name="encoded">The source; null for a language model.</param>
    /// <param name="random">Draws the dropout masks; null for evaluation.</param>
    /// <param name="observer">Who looks; null for nobody.</param>
    /// <param name="without">A part whose output counts as zero.</param>
    internal Tensor Forward(Tensor x, EncoderOutput? encoded, RandomSource? random, LayerObserver? observer, LayerPart without = LayerPart.None)
    {
        x = BeforeFeedForward(x, encoded, random, observer, without);
        return _finalResidual.After(x, _feedForward.Forward(_finalResidual.Before(x), random), random);
    }

    /// <summary>What <see cref="Forward(Tensor, EncoderOutput?, RandomSource?)"/> has in front of the feed-forward block, and what that block reads of it; no dropout.</summary>
    /// <param name="x">[B, T, C].</param>
    /// <param name="encoded">The source; null for a language model.</param>
    /// <returns>[B, T, C] both; the same tensor in a post-norm model.</returns>
    internal (Tensor Residual, Tensor Input) BeforeFeedForward(Tensor x, EncoderOutput? encoded)
    {
        x = BeforeFeedForward(x, encoded, random: null, observer: null, LayerPart.None);
        return (x, _finalResidual.Before(x));
    }

    /// <summary>What follows there; no dropout.</summary>
    /// <param name="residual">[..., C], what is in front of the feed-forward block.</param>
    /// <param name="y">[..., C], what the block gave.</param>
    /// <returns>[..., C], new.</returns>
    internal Tensor AfterFeedForward(Tensor residual, Tensor y) => _finalResidual.After(residual, y, random: null);

    /// <summary>The feed-forward block.</summary>
    internal FeedForward FeedForward => _feedForward;

    /// <summary>The weights of the attention to the encoder in <see cref="Forward(Tensor, EncoderOutput?, RandomSource?)"/>; no gradient.</summary>
    /// <param name="x">[B, T, C].</param>
    /// <param name="encoded">The source.</param>
    /// <returns>[B, H, T, S], new.</returns>
    public Tensor SourceAttention(Tensor x, EncoderOutput encoded)
    {
        x = _mixerResidual.After(x, _mixer.Forward(_mixerResidual.Before(x), lengths: null, random: null), random: null);
        return _encoderAttention!.Probabilities(_encoderResidual!.Before(x), encoded.States, encoded.Lengths, causal: false);
    }

    /// <summary>Prepares a decoding: the source's keys and values are projected once, for all hypotheses and steps.</summary>
    /// <param name="state">The decoding's memory.</param>
    /// <param name="encoded">The source; null for a language model, or where <see cref="See"/> comes later.</param>
    public void Begin(IncrementalState state, EncoderOutput? encoded)
    {
        _mixer.Begin(state);
        if (encoded is not null)
            See(state, encoded.States);
    }

    /// <summary>Whether the source's keys and values are still to be projected.</summary>
    /// <param name="state">The decoding's memory.</param>
    internal bool IsBlind(IncrementalState state) => _encoderAttention is not null && !state.Knows(this);

    /// <summary>Projects them.</summary>
    /// <param name="state">The decoding's memory.</param>
    /// <param name="source">[M, S, C].</param>
    internal void See(IncrementalState state, Tensor source) => state.AddPerSentence(this, _encoderAttention!.Keys(source), _encoderAttention.Values(source));

    /// <summary>Applies the layer to one more position.</summary>
    /// <param name="x">[N, C].</param>
    /// <param name="state">The decoding's memory.</param>
    /// <returns>[N, C], new.</returns>
    public Tensor Step(Tensor x, IncrementalState state)
    {
        x = _mixerResidual.After(x, _mixer.Step(_mixerResidual.Before(x), state), random: null);
        if (_encoderAttention is not null)
        {
            var source = state.Of(this);
            var y = _encoderAttention.Step(_encoderResidual!.Before(x), source[0].Value, source[1].Value, state.SourceLengths);
            x = _encoderResidual.After(x, y, random: null);
        }

        return _finalResidual.After(x, _feedForward.Forward(_finalResidual.Before(x), random: null), random: null);
    }

    /// <summary>Applies the layer to one more position of some hypotheses; of the others only what later positions will need of them is remembered.</summary>
    /// <param name="x">[N, C].</param>
    /// <param name="state">The decoding's memory.</param>
    /// <param name="rows">Which hypotheses.</param>
    /// <returns>[N, C], new, with the others' as they were; <paramref name="x"/> itself where there are none.</returns>
    internal Tensor Step(Tensor x, IncrementalState state, StepRows rows)
    {
        if (rows.IsAll)
            return Step(x, state);
        if (_mixer.Step(_mixerResidual.Before(x), state, rows) is not { } mixed)
            return x;
        var own = _mixerResidual.After(rows.Of(x), mixed, random: null);
        if (_encoderAttention is not null)
        {
            var source = state.Of(this);
            var y = _encoderAttention.Step(_encoderResidual!.Before(own), source[0].Value, source[1].Value, rows.SourceLengths, rows);
            own = _encoderResidual.After(own, y, random: null);
        }

        return rows.Join(x, _finalResidual.After(own, _feedForward.Forward(_finalResidual.Before(own), random: null), random: null));
    }

    private Tensor BeforeFeedForward(Tensor x, EncoderOutput? encoded, RandomSource? random, LayerObserver? observer, LayerPart without)
    {
        var before = _mixerResidual.Before(x);
        observer?.Mixes(_mixer, before, lengths: null);
        x = _mixerResidual.After(x, without == LayerPart.Mixer ? Ops.Scale(before, 0) : _mixer.Forward(before, lengths: null, random), random);
        if (_encoderAttention is null)
            return x;
        before = _encoderResidual!.Before(x);
        observer?.Attends(_encoderAttention, before, encoded!);
        var y = without == LayerPart.SourceAttention ? Ops.Scale(before, 0) : _encoderAttention.Forward(before, encoded!.States, encoded.Lengths, causal: false, random);
        return _encoderResidual.After(x, y, random);
    }
}
