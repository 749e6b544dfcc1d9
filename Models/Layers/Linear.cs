using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// y = x W^T + b. Parameters: <c>weight</c> [O, I], which starts Xavier-uniform, and <c>bias</c> [O], which starts at zero
/// (fairseq's Linear; layers with another start pass their own initializer).
/// </summary>
public sealed class Linear : Module
{
    private readonly Parameter _weight;
    private readonly Parameter? _bias;

    /// <summary>Declares the parameters.</summary>
    /// <param name="inputs">I, channels of the input.</param>
    /// <param name="outputs">O, channels of the output.</param>
    /// <param name="bias">Whether there is a bias.</param>
    /// <param name="initializer">How the weight starts; Xavier-uniform when omitted.</param>
    public Linear(int inputs, int outputs, bool bias = true, Initializer? initializer = null)
    {
        _weight = Declare("weight", [outputs, inputs], initializer ?? Initializer.XavierUniform());
        if (bias)
            _bias = Declare("bias", [outputs], Initializer.Zeros);
    }

    /// <summary>[O, I].</summary>
    public Tensor Weight => _weight.Tensor;

    /// <summary>[O], or null.</summary>
    public Tensor? Bias => _bias?.Tensor;

    /// <summary>Applies the layer, with an activation fused behind it.</summary>
    /// <param name="x">[..., I].</param>
    /// <param name="activation">What follows.</param>
    /// <returns>[..., O], new.</returns>
    public Tensor Forward(Tensor x, Activation activation = Activation.None) => Ops.Linear(x, Weight, Bias, activation);
}
