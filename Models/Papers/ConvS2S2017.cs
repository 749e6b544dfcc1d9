using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// Convolutional sequence to sequence learning: J. Gehring, M. Auli, D. Grangier, D. Yarats and Y. N. Dauphin, ICML 2017 (fairseq's fconv). Embeddings of tokens and learned positions,
/// then blocks of a convolution and a gated linear unit, <code>x' = (GLU(conv(dropout(x))) + x) sqrt(0.5),</code>
/// x through a linear layer where the widths differ. The encoder ends in z, as wide as the embeddings e; its values are (z + e) sqrt(0.5). Every block of the decoder attends to the source
/// (<see cref="MultiStepAttention"/>) before its residual. All linear layers and convolutions have weight normalisation.
/// </summary>
/// <remarks>
/// C (<see cref="ModelConfig.ModelWidth"/>) is the width of embeddings and attention, <see cref="ModelConfig.EncoderChannels"/> and <see cref="ModelConfig.DecoderChannels"/> those of the
/// blocks, <see cref="ModelConfig.OutputWidth"/> that of the last layer before the words. The presets are fairseq's, which differ from the paper's text: there the English-German model has
/// ten layers of 512, three of 768 and two of 2048, and all embeddings are 512 wide. The gradient that comes to z is divided by twice the number of attentions, as in the code; the paper says by their
/// number. The decoder sees K - 1 positions before each, which the paper's "k elements" of padding, all removed again, would be one too many. Parameters have fairseq's names and shapes. A batch is at most
/// <see cref="ModelConfig.MaxPositions"/> tokens wide, padding included.
/// </remarks>
public sealed class ConvS2S2017 : Seq2SeqModel
{
    private static readonly float Half = MathF.Sqrt(0.5f);

    private readonly Embedding _source;
    private readonly LearnedPositions _sourcePositions;
    private readonly Blocks _encoder;
    private readonly NormedLinear _encoderOut;
    private readonly Embedding _target;
    private readonly LearnedPositions _targetPositions;
    private readonly Blocks _decoder;
    private readonly MultiStepAttention[] _attention;
    private readonly NormedLinear _decoderOut;

    /// <summary>Declares the parameters of a model.</summary>
    /// <param name="config">The configuration; its architecture is <see cref="Architecture.ConvS2S"/>.</param>
    /// <exception cref="ArgumentException">The configuration has problems: one line for each.</exception>
    public ConvS2S2017(ModelConfig config)
        : base(config)
    {
        CheckConfig(config, Architecture.ConvS2S);
        int width = config.ModelWidth;
        _source = Add("encoder.embed_tokens", Table(config.SourceVocabulary));
        _sourcePositions = Add("encoder.embed_positions", new LearnedPositions(config.MaxPositions, width));
        _encoder = Add("encoder", new Blocks(width, config.EncoderLayers, config.EncoderChannelsOf, config.EncoderKernelWidth, causal: false, config.Dropout));
        _encoderOut = Add("encoder.fc2", new NormedLinear(config.EncoderChannelsOf(config.EncoderLayers - 1), width));
        _target = Add("decoder.embed_tokens", Table(config.TargetVocabulary));
        _targetPositions = Add("decoder.embed_positions", new LearnedPositions(config.MaxPositions, width));
        _decoder = Add("decoder", new Blocks(width, config.DecoderLayers, config.DecoderChannelsOf, config.DecoderKernelWidth, causal: true, config.Dropout));
        _attention = [.. Enumerable.Range(0, config.DecoderLayers).Select(i => Add($"decoder.attention.{i}", new MultiStepAttention(config.DecoderChannelsOf(i), width)))];
        _decoderOut = Add("decoder.fc2", new NormedLinear(config.DecoderChannelsOf(config.DecoderLayers - 1), config.WidthOfOutput));
        if (config.ShareEmbeddings == EmbeddingSharing.None)
        {
            var words = Add("decoder.fc3", new NormedLinear(config.WidthOfOutput, config.TargetVocabulary, config.Dropout));
            Head = Add("decoder.head", new ProjectionHead(() => words.Weight, () => words.Bias));
        }
        else
        {
            var bias = Declare("decoder.fc3.bias", [config.TargetVocabulary], Initializer.Zeros);
            Head = Add("decoder.head", new ProjectionHead(() => _target.Weight, () => bias.Tensor));
        }

        Embedding Table(int vocabulary) => new(vocabulary, width, Initializer.Normal(0.1f, Vocabulary.Pad), scale: 1);
    }

    /// <summary>fairseq fconv_iwslt_de_en: four and three blocks of 256 channels.</summary>
    public static ModelConfig Iwslt { get; } = WmtEnRoWith(256, 256) with { EncoderLayers = 4, DecoderLayers = 3 };

    /// <summary>fairseq fconv_wmt_en_ro: twenty blocks of 512 channels on each side.</summary>
    public static ModelConfig WmtEnRo { get; } = WmtEnRoWith(512, 512);

    /// <summary>fairseq fconv_wmt_en_de: nine blocks of 512 channels, four of 1024 and two of 2048 with filters of one tap; dropout 0.2 as on its command line.</summary>
    public static ModelConfig WmtEnDe { get; } = Graded(0.2f, (512, 9), (1024, 4), (2048, 2));

    /// <summary>fairseq fconv_wmt_en_fr: six blocks of 512 channels, four of 768, three of 1024, one of 2048 and one of 4096, these two with filters of one tap.</summary>
    public static ModelConfig WmtEnFr { get; } = Graded(0.1f, (512, 6), (768, 4), (1024, 3), (2048, 1), (4096, 1));

    /// <inheritdoc/>
    protected override OutputHead Head { get; }

    /// <summary>Reads a batch of sources.</summary>
    /// <returns>z, [B, S, C], and the values.</returns>
    /// <inheritdoc/>
    public override EncoderOutput Encode(Tensor source, Tensor lengths, RandomSource? random = null)
    {
        CheckSources(source, lengths);
        var embedded = Ops.Dropout(Ops.Add(_source.Forward(source), _sourcePositions.Forward(source.Shape[1])), Config.Dropout, random);
        var z = Ops.MaskPadding(_encoderOut.Forward(_encoder.Forward(embedded, lengths, after: null, random)), lengths);
        z = DepthAdaptive2020.Scaled(z, 1f / (2 * Config.DecoderLayers));
        return new EncoderOutput(z, lengths) { Values = Ops.Scale(Ops.Add(z, embedded), Half) };
    }

    /// <inheritdoc/>
    public override Tensor Decode(Tensor previous, EncoderOutput encoded, RandomSource? random = null)
    {
        CheckPrevious(nameof(Decode), previous, encoded);
        return Decoded(previous, encoded, random).Features;
    }

    /// <summary>How much attention each position pays to the source in the mean of all layers, for alignments; no gradient.</summary>
    /// <returns>[B, 1, T, S], new: rows sum to 1, and what lies beyond a source's length is 0.</returns>
    /// <inheritdoc/>
    public override Tensor SourceAttention(Tensor previous, EncoderOutput encoded)
    {
        using var scope = TensorScope.Begin();
        using var pause = new NoGrad();
        var paid = SourceAttentions(previous, encoded);
        return Ops.Scale(paid.Aggregate(Ops.Add), 1f / paid.Count).Keep();
    }

    /// <summary>The attention of each block, whose one head it is.</summary>
    /// <inheritdoc/>
    internal override IReadOnlyList<Tensor> SourceAttentions(Tensor previous, EncoderOutput encoded)
    {
        CheckPrevious(nameof(SourceAttention), previous, encoded);
        using var scope = TensorScope.Begin();
        using var pause = new NoGrad();
        return [.. Decoded(previous, encoded, random: null).Probabilities.Select(p => p.Reshape([p.Shape[0], 1, p.Shape[1], p.Shape[2]]).Keep())];
    }

    /// <inheritdoc/>
    protected override void Fill(IncrementalState state, EncoderOutput encoded)
    {
        var source = AttendedSource.Of(encoded);
        state.AddPerSentence(this, Ops.Scale(source.Keys, 1), Ops.Scale(source.Values, 1), source.Mask, source.Roots);
        _decoder.Begin(state);
    }

    /// <inheritdoc/>
    protected override Tensor Step(Tensor tokens, IncrementalState state)
    {
        var memories = state.Of(this);
        var source = new AttendedSource(memories[0].Value, memories[1].Value, memories[2].Value, memories[3].Value);
        var embedded = Ops.Add(_target.Forward(tokens), _targetPositions.At(state.Positions));
        return _decoderOut.Forward(_decoder.Step(embedded, state, (i, x) => _attention[i].Step(x, embedded, source)));
    }

    private (Tensor Features, Tensor[] Probabilities) Decoded(Tensor previous, EncoderOutput encoded, RandomSource? random)
    {
        var source = AttendedSource.Of(encoded);
        var embedded = Ops.Dropout(Ops.Add(_target.Forward(previous), _targetPositions.Forward(previous.Shape[1])), Config.Dropout, random);
        var paid = new Tensor[_attention.Length];
        var x = _decoder.Forward(embedded, lengths: null, Attended, random);
        return (Ops.Dropout(_decoderOut.Forward(x), Config.Dropout, random), paid);

        Tensor Attended(int layer, Tensor x)
        {
            (x, paid[layer]) = _attention[layer].Forward(x, embedded, source);
            return x;
        }
    }

    private static ModelConfig WmtEnRoWith(int width, int output) => new()
    {
        Architecture = Architecture.ConvS2S,
        ModelWidth = width,
        OutputWidth = output,
        EncoderLayers = 20,
        DecoderLayers = 20,
        EncoderKernelWidths = [3],
        DecoderKernelWidths = [3],
        Dropout = 0.1f,
    };

    // The widest filters are of one tap, 1024 channels and less have three.
    private static ModelConfig Graded(float dropout, params (int Channels, int Layers)[] parts)
    {
        int[] channels = [.. parts.SelectMany(p => Enumerable.Repeat(p.Channels, p.Layers))], taps = [.. channels.Select(c => c > 1024 ? 1 : 3)];
        return WmtEnRoWith(768, 512) with
        {
            EncoderLayers = channels.Length,
            DecoderLayers = channels.Length,
            EncoderChannels = channels,
            DecoderChannels = channels,
            EncoderKernelWidths = taps,
            DecoderKernelWidths = taps,
            Dropout = dropout,
        };
    }

    /// <summary>The blocks of one side, behind the linear layer that leads to them. Parameters: <c>fc1</c>, <c>projections.i</c> where a block changes the width, <c>convolutions.i</c>.</summary>
    private sealed class Blocks : Module
    {
        private readonly NormedLinear _first;
        private readonly NormedLinear?[] _projections;
        private readonly GatedConvolution[] _convolutions;
        private readonly float _dropout;

        public Blocks(int width, int layers, Func<int, int> channels, Func<int, int> taps, bool causal, float dropout)
        {
            _dropout = dropout;
            _first = Add("fc1", new NormedLinear(width, channels(0), dropout));
            _projections = new NormedLinear?[layers];
            _convolutions = new GatedConvolution[layers];
            for (int i = 0; i < layers; i++)
            {
                int inputs = channels(Math.Max(0, i - 1));
                if (inputs != channels(i))
                    _projections[i] = Add($"projections.{i}", new NormedLinear(inputs, channels(i)));
                _convolutions[i] = Add($"convolutions.{i}", new GatedConvolution(inputs, channels(i), taps(i), causal, dropout));
            }
        }

        /// <summary>[B, T, C'] of [B, T, C]; where there are lengths, padding is hidden from the convolutions; what comes after each of them is given its index.</summary>
        public Tensor Forward(Tensor embedded, Tensor? lengths, Func<int, Tensor, Tensor>? after, RandomSource? random)
        {
            var x = _first.Forward(embedded);
            for (int i = 0; i < _convolutions.Length; i++)
            {
                var input = Ops.Dropout(lengths is null ? x : Ops.MaskPadding(x, lengths), _dropout, random);
                var y = _convolutions[i].Forward(input);
                y = after?.Invoke(i, y) ?? y;
                x = Ops.Scale(Ops.Add(y, _projections[i]?.Forward(x) ?? x), Half);
            }

            return x;
        }

        public void Begin(IncrementalState state)
        {
            foreach (var convolution in _convolutions)
                convolution.Begin(state);
        }

        public Tensor Step(Tensor embedded, IncrementalState state, Func<int, Tensor, Tensor> after)
        {
            var x = _first.Forward(embedded);
            for (int i = 0; i < _convolutions.Length; i++)
            {
                var y = after(i, _convolutions[i].Step(x, state));
                x = Ops.Scale(Ops.Add(y, _projections[i]?.Forward(x) ?? x), Half);
            }

            return x;
        }
    }
}
