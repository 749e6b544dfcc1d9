using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>A Transformer that remembers one more number each step in a tensor of its own, which grows: what a captured step cannot do.</summary>
internal sealed class GrowingModel : Seq2SeqModel
{
    public GrowingModel(ModelConfig config)
        : base(config)
        => Inner = Add(string.Empty, new Transformer2017(config));

    /// <summary>The same without growing.</summary>
    public EncoderDecoderModel Inner { get; }

    protected override OutputHead Head => Inner.Decoder.Head;

    public override EncoderOutput Encode(Tensor source, Tensor lengths, RandomSource? random = null) => Inner.Encode(source, lengths, random);

    public override Tensor Decode(Tensor previous, EncoderOutput encoded, RandomSource? random = null) => Inner.Decode(previous, encoded, random);

    protected override void Fill(IncrementalState state, EncoderOutput encoded)
    {
        Inner.Decoder.Begin(state, encoded);
        state.AddPerHypothesis(this, Tensor.Zeros(encoded.Lengths.Device, [state.Hypotheses, 1]));
    }

    protected override Tensor Step(Tensor tokens, IncrementalState state)
    {
        var memory = state.Of(this)[0];
        memory.Value = Ops.Concat(1, memory.Value, Tensor.Zeros(tokens.Device, [state.Hypotheses, 1]));
        return Inner.Decoder.Step(tokens, state);
    }
}
