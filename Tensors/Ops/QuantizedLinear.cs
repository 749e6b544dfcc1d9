using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>
    /// A linear layer on integers of 8 bits, for inference: y[..., o] = activation((sum over i of q(x)[..., i] q(weight)[o, i]) a[...] s[o] + bias[o]), where
    /// q(v) = round(v / scale), ties to even, s[o] = max over i of |weight[o, i]| / 127, and a[...] = max over i of |x[..., i]| / 127, found for each row as it comes.
    /// The sums are exact, so that devices and thread counts agree before bias and activation. A row whose largest magnitude is below 2^-100 counts as zeros; one that is
    /// not finite gives NaN. The weight's integers are made once and kept, beside the floats, until it changes: a quarter of its memory. Costs 2 I O operations a row;
    /// pays on the processor, while a GPU is faster in half precision.
    /// </summary>
    /// <param name="x">[..., I].</param>
    /// <param name="weight">[O, I], float32.</param>
    /// <param name="bias">[O], float32; no bias when omitted.</param>
    /// <param name="activation">Applied to every element.</param>
    /// <param name="result">The type of y: that of <paramref name="x"/> when omitted, or Float32.</param>
    /// <returns>[..., O], new, without gradient.</returns>
    /// <exception cref="ArgumentException">
    /// The shapes do not fit, I is above 133,144, an input holds integers, the devices differ, or <paramref name="activation"/> is undefined.
    /// </exception>
    /// <exception cref="InvalidOperationException">A gradient would have to flow through it.</exception>
    public static Tensor QuantizedLinear(Tensor x, Tensor weight, Tensor? bias = null, Activation activation = Activation.None, DType? result = null)
    {
        var (rows, outputs) = CheckLinear(nameof(QuantizedLinear), x, weight, bias, activation, result);
        if (Tape.Records(x, weight, bias))
            throw new InvalidOperationException($"QuantizedLinear: integers have no gradient, got x {x.Shape}, weight {weight.Shape}, of which one wants it; open a NoGrad.");
        int features = weight.Shape[1];
        if (features > QuantizedLinearSize.MostInputs)
            throw new ArgumentException($"QuantizedLinear: I must be at most {QuantizedLinearSize.MostInputs}, got weight {weight.Shape}.");
        var size = new QuantizedLinearSize(rows, features, outputs, activation);
        var y = Tensor.Empty(x.Device, x.Shape.With(-1, outputs), result ?? x.DType, nameof(QuantizedLinear));
        var (words, scales) = weight.AsIntegers();
        QuantizedLinearKernel.Forward(size, x.Data, words, scales, bias?.Data, y.Data);
        return y;
    }
}
