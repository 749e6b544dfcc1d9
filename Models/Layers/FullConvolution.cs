using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// An ordinary convolution over time, whose every output channel sees all input channels:
/// <code>y[t, :] = b + sum over k of W_k mask(dropout(x))[t + k - P, :]</code>
/// with zeros beyond the sequence and in its padding, P = K - 1 where it is causal and (K - 1) / 2 where it is centred. It is computed as one product with K shifted copies of x side by side.
/// Parameters: <c>conv.weight</c> [C, K C], for each output channel tap by tap, tap 0 the earliest, and <c>conv.bias</c>.
/// </summary>
public sealed class FullConvolution : SequenceMixer
{
    private readonly int _width;
    private readonly int _taps;
    private readonly bool _causal;
    private readonly float _inputDropout;
    private readonly Linear _convolution;

    /// <summary>Declares the parameters.</summary>
    /// <param name="width">C, channels.</param>
    /// <param name="kernelWidth">K, at least 1.</param>
    /// <param name="causal">Whether the filter ends at the position it computes; otherwise it is centred.</param>
    /// <param name="inputDropout">Probability of dropping an element of the input while training.</param>
    public FullConvolution(int width, int kernelWidth, bool causal, float inputDropout)
    {
        (_width, _taps, _causal, _inputDropout) = (width, kernelWidth, causal, inputDropout);
        _convolution = Add("conv", new Linear(kernelWidth * width, width));
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x, Tensor? lengths, RandomSource? random)
    {
        x = Ops.Dropout(x, _inputDropout, random);
        if (lengths is not null)
            x = Ops.MaskPadding(x, lengths);
        return _convolution.Forward(ShiftedCopies.Of(x, _taps, _causal));
    }

    /// <inheritdoc/>
    public override void Begin(IncrementalState state) => ShiftedCopies.Begin(this, _taps, _width, state);

    /// <inheritdoc/>
    public override Tensor Step(Tensor x, IncrementalState state) => _convolution.Forward(ShiftedCopies.Step(this, _taps, x, state));
}
