using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>What positions are weighed for.</summary>
internal enum WeightKind
{
    /// <summary>The encoder's positions for each other: self-attention, or the taps of a convolution.</summary>
    EncoderSelf,

    /// <summary>The decoder's positions for those after them.</summary>
    DecoderSelf,

    /// <summary>The source's for the decoder's.</summary>
    Source,
}

/// <summary>The weights of one place of a path. They are freed when the observer that gave them goes on.</summary>
/// <param name="Kind">What is weighed.</param>
/// <param name="Place">The place in the path, from 0.</param>
/// <param name="Values">[B, H, T, S] of attention; of a convolution its taps, [B, T, H, K], or [H, K] where they are the same everywhere. Rows sum to 1.</param>
/// <param name="LeftPadding">Of a convolution: tap k of position t is for position t + k - LeftPadding. Null for attention.</param>
/// <param name="Window">How many positions self-attention sees at most (attention_windows); 0 for all.</param>
internal sealed record PositionWeights(WeightKind Kind, int Place, Tensor Values, int? LeftPadding, int Window = 0)
{
    /// <summary>H.</summary>
    public int Heads => IsFixed ? Values.Shape[0] : LeftPadding is null ? Values.Shape[1] : Values.Shape[2];

    /// <summary>Whether every position has the same: a LightConv's.</summary>
    public bool IsFixed => Values.Shape.Rank == 2;

    /// <summary>Weights of each position and head, as one function of sentence, head and position.</summary>
    public Func<int, int, int, ReadOnlyMemory<float>> Rows()
    {
        float[] all = (Values.DType == DType.Float32 ? Values : Ops.Convert(Values, DType.Float32)).ToArray();
        var shape = Values.Shape;
        int width = shape[shape.Rank - 1];
        return IsFixed ? (_, h, _) => all.AsMemory(h * width, width)
            : LeftPadding is null ? (b, h, t) => all.AsMemory((((b * shape[1]) + h) * shape[2] + t) * width, width)
            : (b, h, t) => all.AsMemory((((b * shape[1]) + t) * shape[2] + h) * width, width);
    }
}

/// <summary>Gives the weights of every place of a model's paths, one after the other; of a model that is no stack of layers those of its attentions to the source.</summary>
/// <param name="take">Takes them.</param>
internal sealed class WeightsObserver(Action<PositionWeights> take) : LayerObserver
{
    /// <summary>Sends a batch through a model.</summary>
    /// <param name="run">The model.</param>
    /// <param name="batch">The batch.</param>
    public void Look(AnalysisRun run, Batch batch)
    {
        using var scope = TensorScope.Begin();
        using var pause = new NoGrad();
        var tensors = new BatchTensors(run.Device, batch);
        if (!run.Config.HasLayers)
        {
            var model = run.Translator.Model;
            var paid = model.SourceAttentions(tensors.PreviousTarget, model.Encode(tensors.Source!, tensors.SourceLengths!));
            for (int place = 0; place < paid.Count; place++)
                take(new PositionWeights(WeightKind.Source, place, paid[place], null));
            return;
        }

        var encoded = run.Config.IsLanguageModel ? null : run.Layers.Encoder.Forward(tensors.Source!, tensors.SourceLengths!, random: null, this);
        run.Decoder.Forward(tensors.PreviousTarget, encoded, random: null, this);
    }

    public override void Mixes(SequenceMixer mixer, Tensor x, Tensor? lengths)
    {
        using var scope = TensorScope.Begin();
        var kind = Side == LayerSide.Encoder ? WeightKind.EncoderSelf : WeightKind.DecoderSelf;
        switch (mixer)
        {
            case SelfAttention attention:
                take(new PositionWeights(kind, Place, attention.Probabilities(x, lengths), null, attention.Window));
                break;
            case ConvModule convolution:
                var (taps, padding) = convolution.Taps(x, lengths);
                take(new PositionWeights(kind, Place, taps, padding));
                break;
        }
    }

    public override void Attends(MultiHeadAttention attention, Tensor x, EncoderOutput encoded)
    {
        using var scope = TensorScope.Begin();
        take(new PositionWeights(WeightKind.Source, Place, attention.Probabilities(x, encoded.States, encoded.Lengths, causal: false), null));
    }
}
