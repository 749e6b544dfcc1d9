using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>What a probe looks at.</summary>
internal enum ProbeKind
{
    /// <summary>A layer of the encoder, brought into the order of the target by the decoder's attention.</summary>
    Encoder,

    /// <summary>A layer of the decoder.</summary>
    Decoder,

    /// <summary>The same, whose last layer's self-attention, or convolution, gives nothing.</summary>
    DecoderWithoutSelf,

    /// <summary>The same, whose last layer's attention to the source gives nothing.</summary>
    DecoderWithoutSource,

    /// <summary>A layer of the decoder, asked for the token behind the one that it predicts.</summary>
    DecoderAhead,
}

/// <summary>What a frozen model computes of a batch, for all probes: states and attention, in float32, none of which a gradient flows to. Lives as long as the scope.</summary>
internal sealed class FrozenBatch : LayerObserver
{
    private readonly AnalysisRun _run;
    private readonly EncoderOutput _encoded;
    private readonly List<Tensor> _encoder = [];
    private readonly List<Tensor> _decoder = [];
    private readonly List<Tensor> _attention = [];

    /// <summary>Sends a batch through a model.</summary>
    public FrozenBatch(AnalysisRun run, Batch batch)
    {
        using var pause = new NoGrad();
        var tensors = new BatchTensors(run.Device, batch);
        (_run, Batch) = (run, batch);
        Next = new ProbeTargets(tensors.Target, batch.Target);
        int[] ahead = [.. batch.Target.Select((_, i) => i % batch.T < batch.T - 1 ? batch.Target[i + 1] : Vocabulary.Pad)];
        Ahead = new ProbeTargets(Tensor.From(run.Device, ahead), ahead);
        _encoded = run.Layers.Encoder.Forward(tensors.Source!, tensors.SourceLengths!, random: null, this);
        run.Decoder.Forward(tensors.PreviousTarget, _encoded, random: null, this);
        var all = Ops.Concat(1, _attention.ToArray());
        Attention = all.Reshape([batch.B, all.Shape[1], batch.T * batch.S]);
    }

    /// <summary>The batch.</summary>
    public Batch Batch { get; }

    /// <summary>The token that each position of the decoder predicts.</summary>
    public ProbeTargets Next { get; }

    /// <summary>The one behind it; a target's last position has none.</summary>
    public ProbeTargets Ahead { get; }

    /// <summary>[B, M H, T S], the attention of all layers and heads to the source.</summary>
    public Tensor Attention { get; }

    /// <summary>[B, S, C], a layer of the encoder through its last layer norm, 0 for what enters the first.</summary>
    public Tensor Encoder(int depth)
    {
        using var pause = new NoGrad();
        return _run.Layers.Encoder.Normalized(_encoder[depth]);
    }

    /// <summary>[B, T, C], what a decoder gives that ends after a layer, 0 for what enters the first.</summary>
    public Tensor Decoder(int depth, LayerPart without)
    {
        using var pause = new NoGrad();
        return _run.Decoder.Normalized(without == LayerPart.None ? _decoder[depth] : _run.Decoder.ForwardWithout(depth - 1, _decoder[depth - 1], _encoded, without));
    }

    public override void Attends(MultiHeadAttention attention, Tensor x, EncoderOutput encoded)
        => _attention.Add(attention.Probabilities(x, encoded.States, encoded.Lengths, causal: false));

    protected override void OnStates(int depth, Tensor x) => (Side == LayerSide.Encoder ? _encoder : _decoder).Add(x);
}

/// <summary>What probes of a batch are to say.</summary>
/// <param name="Tensor">[B * T] integers, padding where there is nothing to say.</param>
/// <param name="Tokens">The same on the host.</param>
internal sealed record ProbeTargets(Tensor Tensor, int[] Tokens)
{
    /// <summary>How many there are.</summary>
    public int Count { get; } = Tokens.Count(t => t != Vocabulary.Pad);
}

/// <summary>
/// What a layer of a frozen model knows of the words of a translation: with z the layer's states in the order of the target,
/// <code>logits = E (W_t z)</code>
/// of which only W_t [C, C] is learned, and for a layer of the encoder, where z = LN_dec(sum over m of a_m A_m X), with A the attention of every layer and head, a = softmax(w), w [M H]. W_t begins
/// as the identity: the probe of the decoder's last layer begins as the model itself.
/// </summary>
internal sealed class WordProbe : IDisposable
{
    private const float Smoothing = 0.1f;
    private const float Dropout = 0.1f;

    // Logits that exist at one time.
    private const int MostLogits = 1 << 24;

    private readonly AnalysisRun _run;
    private readonly Tensor _transform;
    private readonly Tensor? _alignment;
    private readonly Adam _adam;

    /// <summary>Makes a probe.</summary>
    /// <param name="run">The frozen model.</param>
    /// <param name="kind">What it looks at.</param>
    /// <param name="depth">After so many layers.</param>
    /// <param name="random">Draws w, uniform within 1 / sqrt(M H).</param>
    public WordProbe(AnalysisRun run, ProbeKind kind, int depth, RandomSource random)
    {
        (_run, Kind, Depth) = (run, kind, depth);
        int width = run.Config.ModelWidth;
        float[] identity = new float[width * width];
        for (int i = 0; i < width; i++)
            identity[i * (width + 1)] = 1;
        _transform = Scopes.Leave(Tensor.From(run.Device, identity, [width, width])).AsParameter();
        if (kind == ProbeKind.Encoder)
        {
            float[] weights = new float[run.Config.DecoderDepth * run.Config.AttentionHeads];
            random.Uniform(weights, -1 / MathF.Sqrt(weights.Length), 1 / MathF.Sqrt(weights.Length));
            _alignment = Scopes.Leave(Tensor.From(run.Device, weights)).AsParameter();
        }

        _adam = new Adam(_alignment is null ? [_transform] : [_transform, _alignment], new AdamOptions());
    }

    /// <summary>What it looks at.</summary>
    public ProbeKind Kind { get; }

    /// <summary>After so many layers.</summary>
    public int Depth { get; }

    /// <summary>Tokens that were to be predicted, ends included.</summary>
    public long Tokens { get; private set; }

    /// <summary>Ends of them.</summary>
    public long Ends { get; private set; }

    /// <summary>Tokens that were predicted right, ends included.</summary>
    public long Right { get; private set; }

    /// <summary>Ends of them.</summary>
    public long RightEnds { get; private set; }

    /// <summary>The mean loss of the last update, nats a token; NaN before the first.</summary>
    public double Loss { get; private set; } = double.NaN;

    /// <summary>a, [M H], of a probe of the encoder; empty of others.</summary>
    public double[] Alignment()
    {
        using var scope = TensorScope.Begin();
        using var pause = new NoGrad();
        return _alignment is null ? [] : Array.ConvertAll(Ops.Softmax(_alignment).ToArray(), v => (double)v);
    }

    /// <summary>Takes an update: label-smoothed cross-entropy with the true tokens.</summary>
    /// <param name="batch">What the model computed.</param>
    /// <param name="rate">The learning rate.</param>
    /// <param name="random">Drops elements of w.</param>
    public void Train(FrozenBatch batch, float rate, RandomSource random)
    {
        var targets = Targets(batch);
        if (targets.Count == 0)
            return;
        using var scope = TensorScope.Begin();
        var (loss, _) = Ops.CrossEntropy(Features(batch, random), _run.Decoder.OutputWeight.Detach(), targets.Tensor, Smoothing, Vocabulary.Pad);
        loss.Backward();
        _adam.Step(rate, 1f / targets.Count);
        Loss = loss.Item() / targets.Count;
        _transform.ZeroGrad();
        _alignment?.ZeroGrad();
    }

    /// <summary>Counts the tokens that are the likeliest where they are the true ones.</summary>
    public void Measure(FrozenBatch batch)
    {
        using var scope = TensorScope.Begin();
        using var pause = new NoGrad();
        int[] likeliest = Likeliest(Features(batch, random: null));
        foreach (var (said, target) in likeliest.Zip(Targets(batch).Tokens).Where(p => p.Second != Vocabulary.Pad))
        {
            int end = target == Vocabulary.Eos ? 1 : 0;
            Tokens++;
            Ends += end;
            if (said != target)
                continue;
            Right++;
            RightEnds += end;
        }
    }

    /// <summary>What a probe of the encoder makes of the source alone, word by word in its order: the likeliest tokens of E (W_t X), without special ones.</summary>
    /// <returns>For each sentence of the batch.</returns>
    public int[][] Words(FrozenBatch batch)
    {
        using var scope = TensorScope.Begin();
        using var pause = new NoGrad();
        var states = batch.Encoder(Depth);
        int[] likeliest = Likeliest(Ops.Linear(Rows(states), _transform));
        int width = states.Shape[1];
        return [.. batch.Batch.SourceLengths.Select((length, b) => likeliest.AsSpan(b * width, length).ToArray().Where(t => t >= Vocabulary.Unk).ToArray())];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _adam.Dispose();
        _transform.Dispose();
        _alignment?.Dispose();
    }

    private ProbeTargets Targets(FrozenBatch batch) => Kind == ProbeKind.DecoderAhead ? batch.Ahead : batch.Next;

    // [B * T, C], W_t z.
    private Tensor Features(FrozenBatch batch, RandomSource? random)
    {
        Tensor z;
        if (Kind == ProbeKind.Encoder)
        {
            var a = Ops.Softmax(Ops.DropConnect(_alignment!, Dropout, random));
            var order = Ops.MatMul(batch.Attention, a.Reshape([a.Shape[0], 1]), transposeA: true).Reshape([batch.Batch.B, batch.Batch.T, batch.Batch.S]);
            z = _run.Decoder.Normalized(Ops.MatMul(order, batch.Encoder(Depth)));
        }
        else
        {
            z = batch.Decoder(Depth, Kind switch { ProbeKind.DecoderWithoutSelf => LayerPart.Mixer, ProbeKind.DecoderWithoutSource => LayerPart.SourceAttention, _ => LayerPart.None });
        }

        return Ops.Linear(Rows(z), _transform);
    }

    private int[] Likeliest(Tensor features)
    {
        var table = _run.Decoder.OutputWeight;
        int rows = features.Shape[0], step = Math.Max(1, MostLogits / table.Shape[0]);
        var tokens = new int[rows];
        for (int start = 0; start < rows; start += step)
        {
            using var scope = TensorScope.Begin();
            var part = features.Rows(start, Math.Min(step, rows - start));
            Ops.ArgMax(Ops.Linear(part, table, result: DType.Float32)).ToIntArray().CopyTo(tokens, start);
        }

        return tokens;
    }

    private static Tensor Rows(Tensor x) => x.Reshape([x.Shape[0] * x.Shape[1], x.Shape[2]]);
}
