using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>Predicts at which depth positions leave a decoder (<see cref="ExitPredictor"/>). Parameters: <c>weight</c> [N, C] or [1, C], and <c>bias</c>.</summary>
public sealed class ExitHead : Module
{
    private readonly Linear _linear;

    /// <summary>Declares the parameters.</summary>
    /// <param name="config">Width, depth and kind of predictor.</param>
    public ExitHead(ModelConfig config)
    {
        Kind = config.ExitPredictor;
        _linear = Add(string.Empty, new Linear(Kind == ExitPredictor.Sequence ? config.WidthOfEncoder : config.ModelWidth, Kind == ExitPredictor.Geometric ? 1 : config.DecoderDepth));
    }

    /// <summary>What it is.</summary>
    public ExitPredictor Kind { get; }

    /// <summary>The cross-entropy of the predicted depths with the wanted ones, summed; gradients flow into the states.</summary>
    /// <param name="states">What each layer gave, [N, C] each; of a predictor for sequences one [B, C], the mean of the source.</param>
    /// <param name="wanted">[N] or [B], from 1; 0 does not count.</param>
    /// <returns>A single number.</returns>
    public Tensor Loss(IReadOnlyList<Tensor> states, int[] wanted)
    {
        var device = states[0].Device;
        if (Kind != ExitPredictor.Geometric)
            return Ops.CrossEntropy(states[0], _linear.Weight, Tensor.From(device, Array.ConvertAll(wanted, n => n - 1)), bias: _linear.Bias).Loss;

        // A sigmoid is a softmax beside a logit of 0.
        var weight = Ops.Concat(0, Tensor.Zeros(device, [1, states[0].Shape[1]]), _linear.Weight);
        var bias = Ops.Concat(0, Tensor.Zeros(device, [1]), _linear.Bias!);
        Tensor? sum = null;
        for (int n = 1; n < states.Count; n++)
        {
            int depth = n;
            var leaves = Tensor.From(device, Array.ConvertAll(wanted, w => w == 0 || w < depth ? -1 : w == depth ? 1 : 0));
            var loss = Ops.CrossEntropy(states[n - 1], weight, leaves, bias: bias).Loss;
            sum = sum is null ? loss : Ops.Add(sum, loss);
        }

        return sum ?? Tensor.Zeros(device, []);
    }

    /// <summary>The likeliest depth of each row; no gradient.</summary>
    /// <param name="states">[N, C].</param>
    /// <returns>[N], from 1.</returns>
    public int[] Depths(Tensor states) => Array.ConvertAll(Ops.TopK(Logits(states), 1).Indices.ToIntArray(), n => n + 1);

    /// <summary>The probabilities of leaving after a layer; no gradient.</summary>
    /// <param name="states">[N, C].</param>
    /// <returns>[N].</returns>
    public float[] Halting(Tensor states) => Ops.Sigmoid(Logits(states)).ToArray();

    /// <summary>The mean of each source's states.</summary>
    /// <param name="encoded">The source.</param>
    /// <returns>[B, C], new.</returns>
    public static Tensor Mean(EncoderOutput encoded)
    {
        float[] shares = Array.ConvertAll(encoded.Lengths.ToIntArray(), length => 1f / length);
        var sum = Ops.Sum(Ops.MaskPadding(encoded.States, encoded.Lengths), 1);
        var share = Tensor.From(sum.Device, shares, [shares.Length, 1]);
        return Ops.Multiply(sum, sum.DType == share.DType ? share : Ops.Convert(share, sum.DType));
    }

    private Tensor Logits(Tensor states) => Ops.Linear(states, _linear.Weight, _linear.Bias, result: DType.Float32);
}
