using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// y = x W^T + b with weight normalisation, W = g v / |v| row by row (<see cref="Ops.WeightNorm"/>). Parameters, in PyTorch's names: <c>weight_v</c> [O, I], normal, <c>weight_g</c> [O, 1], which
/// starts as the lengths of its rows, so that W = v at first, and <c>bias</c> [O], zero. fairseq's Linear of fconv: deviation sqrt(keep / I), where keep is the share of the inputs that
/// dropout keeps.
/// </summary>
internal sealed class NormedLinear : Module
{
    private readonly Parameter _direction;
    private readonly Parameter _length;
    private readonly Parameter _bias;
    private readonly KeptTensor _weight = new(Ops.WeightNorm);

    /// <summary>Declares the parameters.</summary>
    /// <param name="inputs">I.</param>
    /// <param name="outputs">O.</param>
    /// <param name="dropout">Probability with which elements of the input are dropped, for the start; 0 where nothing drops them right before.</param>
    public NormedLinear(int inputs, int outputs, float dropout = 0)
    {
        _direction = Declare("weight_v", [outputs, inputs], Initializer.Normal(MathF.Sqrt((1 - dropout) / inputs)));
        _length = Declare("weight_g", [outputs, 1], Initializer.Lengths(_direction, rows: true));
        _bias = Declare("bias", [outputs], Initializer.Zeros);
    }

    /// <summary>W, [O, I]: new where a gradient is wanted, else kept until v or g changes. Steps of a decoding therefore compute it once.</summary>
    public Tensor Weight => _weight.Of(_direction.Tensor, _length.Tensor);

    /// <summary>[O].</summary>
    public Tensor Bias => _bias.Tensor;

    /// <summary>Applies the layer.</summary>
    /// <param name="x">[..., I].</param>
    /// <returns>[..., O], new.</returns>
    public Tensor Forward(Tensor x) => Ops.Linear(x, Weight, Bias);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _weight.Dispose();
        base.Dispose(disposing);
    }
}
