using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>Token embeddings plus positions, a stack of layers, and for pre-norm models a last layer norm.</summary>
public sealed class Encoder : Module
{
    private readonly ModelConfig _config;
    private readonly SinusoidalPositions _positions;
    private readonly LayerStack<EncoderLayer> _layers;
    private readonly LayerNorm? _norm;

    /// <summary>Declares the parameters.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="layer">Makes the layer of each index.</param>
    public Encoder(ModelConfig config, Func<int, EncoderLayer> layer)
    {
        _config = config;
        Tokens = Add("embed_tokens", new Embedding(config.SourceVocabulary, config.ModelWidth));
        _positions = Add("embed_positions", new SinusoidalPositions(config.ModelWidth));
        _layers = new LayerStack<EncoderLayer>(config.EncoderLayers, i => Add($"layers.{i}", layer(i)), config.EncoderPath, config.EncoderLayerDrop);
        if (config.PreNorm)
            _norm = Add("layer_norm", new LayerNorm(config.ModelWidth));
    }

    /// <summary>The source embeddings.</summary>
    public Embedding Tokens { get; }

    /// <summary>Encodes a batch of sources.</summary>
    /// <param name="tokens">[B, S] integers, right-padded with any token.</param>
    /// <param name="lengths">[B] integers, 1 .. S.</param>
    /// <param name="random">Draws the dropout masks; null for evaluation.</param>
    /// <returns>States [B, S, C]; padding does not influence the others.</returns>
    public EncoderOutput Forward(Tensor tokens, Tensor lengths, RandomSource? random)
    {
        var x = Ops.Add(Tokens.Forward(tokens), _positions.Forward(0, tokens.Shape[1]));
        x = Ops.MaskPadding(Ops.Dropout(x, _config.Dropout, random), lengths);
        foreach (var layer in _layers.Drawn(random))
            x = layer.Forward(x, lengths, random);
        return new EncoderOutput(_norm?.Forward(x) ?? x, lengths);
    }
}
