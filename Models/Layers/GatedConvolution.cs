using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// A convolution over time from I channels to 2 O, all of them with all, and a gated linear unit behind it (Gehring et al. 2017, section 3.2):
/// <code>y[t] = GLU(b + sum_j W_j x[t + j - left]),   left = K - 1 where it is causal, else (K - 1) / 2,</code>
/// with zeros beyond the sequence. The filters' weights are normalised, each output channel's for itself. Parameters, in fairseq's names and shapes: <c>weight_v</c> [K, I, 2 O], normal with
/// deviation sqrt(4 keep / (K I)), where keep is the share of the inputs that dropout keeps, <c>weight_g</c> [1, 1, 2 O], which starts as the lengths, and <c>bias</c> [2 O], zero.
/// Computed as one linear layer over windows of K inputs; decoding remembers the last K - 1.
/// </summary>
internal sealed class GatedConvolution : Module
{
    private readonly Parameter _direction;
    private readonly Parameter _length;
    private readonly Parameter _bias;
    private readonly int _taps;
    private readonly int _inputs;
    private readonly int _outputs;
    private readonly bool _causal;
    private readonly KeptTensor _weight = new(Normalized);

    /// <summary>Declares the parameters.</summary>
    /// <param name="inputs">I.</param>
    /// <param name="outputs">O.</param>
    /// <param name="taps">K.</param>
    /// <param name="causal">Whether a position sees only itself and those before it.</param>
    /// <param name="dropout">Probability with which elements of the input are dropped, for the start.</param>
    public GatedConvolution(int inputs, int outputs, int taps, bool causal, float dropout)
    {
        (_inputs, _outputs, _taps, _causal) = (inputs, 2 * outputs, taps, causal);
        _direction = Declare("weight_v", [taps, inputs, _outputs], Initializer.Normal(MathF.Sqrt(4 * (1 - dropout) / (taps * inputs))));
        _length = Declare("weight_g", [1, 1, _outputs], Initializer.Lengths(_direction, rows: false));
        _bias = Declare("bias", [_outputs], Initializer.Zeros);
    }

    // [2 O, K I]: new where a gradient is wanted, else kept until v or g changes.
    private Tensor Weight => _weight.Of(_direction.Tensor, _length.Tensor);

    /// <summary>Convolves whole sequences.</summary>
    /// <param name="x">[B, T, I].</param>
    /// <returns>[B, T, O], new.</returns>
    public Tensor Forward(Tensor x) => Ops.Glu(Ops.Linear(ShiftedCopies.Of(x, _taps, _causal), Weight, _bias.Tensor));

    /// <summary>Gives the convolution its place in a decoding's memory.</summary>
    /// <param name="state">The decoding, before its first step.</param>
    public void Begin(IncrementalState state) => ShiftedCopies.Begin(this, _taps, _inputs, state);

    /// <summary>Convolves one more position with those before it.</summary>
    /// <param name="x">[N, I].</param>
    /// <param name="state">The decoding.</param>
    /// <returns>[N, O], new.</returns>
    public Tensor Step(Tensor x, IncrementalState state) => Ops.Glu(Ops.Linear(ShiftedCopies.Step(this, _taps, x, state), Weight, _bias.Tensor));

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _weight.Dispose();
        base.Dispose(disposing);
    }

    private static Tensor Normalized(Tensor direction, Tensor length)
    {
        int outputs = direction.Shape[2];
        return Ops.WeightNorm(Ops.Transpose(direction.Reshape([direction.Shape[0] * direction.Shape[1], outputs]), 1, 0), length.Reshape([outputs, 1]));
    }
}
