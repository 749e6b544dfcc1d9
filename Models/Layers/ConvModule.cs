using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// What stands in the place of self-attention in LightConv and DynamicConv models (Wu et al. 2019):
/// <code>y = linear2(conv(mask(glu(linear1(dropout(x))))))</code>
/// The mask zeroes padding right before the convolution, or the bias of linear1 would leak out of it. Without GLU, linear1 keeps the width.
/// Parameters: <c>linear1</c>, <c>conv</c>, <c>linear2</c>.
/// </summary>
public sealed class ConvModule : SequenceMixer
{
    private readonly float _inputDropout;
    private readonly bool _glu;
    private readonly Linear _in;
    private readonly Convolution _convolution;
    private readonly Linear _out;

    /// <summary>Declares the parameters.</summary>
    /// <param name="width">C, channels.</param>
    /// <param name="glu">Whether a gated linear unit stands before the convolution.</param>
    /// <param name="inputDropout">Probability of dropping an element of the input while training.</param>
    /// <param name="convolution">The convolution, of the same width.</param>
    public ConvModule(int width, bool glu, float inputDropout, Convolution convolution)
    {
        _inputDropout = inputDropout;
        _glu = glu;
        _in = Add("linear1", new Linear(width, glu ? 2 * width : width));
        _convolution = Add("conv", convolution);
        _out = Add("linear2", new Linear(width, width));
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x, Tensor? lengths, RandomSource? random)
    {
        x = Project(Ops.Dropout(x, _inputDropout, random));
        if (lengths is not null)
            x = Ops.MaskPadding(x, lengths);
        return _out.Forward(_convolution.Forward(x, random));
    }

    /// <summary>Where the filters lie and what they are in <see cref="Forward"/>; no gradient.</summary>
    /// <param name="x">[B, T, C].</param>
    /// <param name="lengths">[B] integers; null if there is nothing to hide.</param>
    /// <returns>[H, K] of filters that are the same everywhere, [B, T, H, K] of others, new; rows sum to 1 where they are normalised by a softmax. Tap k of position t is for position t + k - LeftPadding.</returns>
    internal (Tensor Taps, int LeftPadding) Taps(Tensor x, Tensor? lengths)
    {
        x = Project(x);
        return (_convolution.Taps(lengths is null ? x : Ops.MaskPadding(x, lengths)), _convolution.LeftPadding);
    }

    /// <inheritdoc/>
    public override void Begin(IncrementalState state) => _convolution.Begin(state);

    /// <inheritdoc/>
    public override Tensor Step(Tensor x, IncrementalState state) => _out.Forward(_convolution.Step(Project(x), state));

    /// <inheritdoc/>
    internal override Tensor? Step(Tensor x, IncrementalState state, StepRows rows)
    {
        var y = _convolution.Step(Project(x), state);
        return rows.Active.Count == 0 ? null : _out.Forward(rows.Of(y));
    }

    private Tensor Project(Tensor x)
    {
        x = _in.Forward(x);
        return _glu ? Ops.Glu(x) : x;
    }
}
