using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>A transformer that looks at its numbers on the way, so that none of its work can be captured as a graph.</summary>
internal sealed class PeepingModel : Seq2SeqModel
{
    public PeepingModel(ModelConfig config)
        : base(config)
        => Inner = Add(string.Empty, new Transformer2017(config));

    /// <summary>The same without looking.</summary>
    public EncoderDecoderModel Inner { get; }

    protected override OutputHead Head => Inner.Decoder.Head;

    public override EncoderOutput Encode(Tensor source, Tensor lengths, RandomSource? random = null) => Inner.Encode(source, lengths, random);

    public override Tensor Decode(Tensor previous, EncoderOutput encoded, RandomSource? random = null) => Look(Inner.Decode(previous, encoded, random));

    protected override void Fill(IncrementalState state, EncoderOutput encoded) => Inner.Decoder.Begin(state, encoded);

    protected override Tensor Step(Tensor tokens, IncrementalState state) => Look(Inner.Decoder.Step(tokens, state));

    private static Tensor Look(Tensor features)
    {
        features.ToArray();
        return features;
    }
}
