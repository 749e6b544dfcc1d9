using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>What turns the features of a position into the probabilities of its next token, and into a loss.</summary>
public abstract class OutputHead : Module
{
    /// <summary>Whether <see cref="Logits"/> gives log probabilities, or what takes their place in a search, and no softmax is to follow.</summary>
    public virtual bool GivesLogProbabilities => false;

    /// <summary>Scores of all tokens, before their softmax.</summary>
    /// <param name="features">[..., F].</param>
    /// <returns>[..., V], new, float32 in every precision.</returns>
    public abstract Tensor Logits(Tensor features);

    /// <summary>The label-smoothed cross-entropy and the negative log-likelihood, both summed over the targets that are no padding, in nats.</summary>
    /// <param name="features">[N, F].</param>
    /// <param name="target">[N] integers; padding does not count.</param>
    /// <param name="smoothing">The probability moved away from the true token, in [0, 1).</param>
    /// <param name="form">Where it goes.</param>
    /// <returns>Two single numbers; gradients flow from the first alone.</returns>
    public abstract (Tensor Loss, Tensor NegativeLogLikelihood) CrossEntropy(Tensor features, Tensor target, float smoothing, LabelSmoothing form);
}

/// <summary>A linear layer before another head: logits of W x (v1 of Xu et al. 2021, arXiv 2003.09586, before a tied classifier).</summary>
/// <param name="first">W, without a bias.</param>
/// <param name="head">What follows.</param>
internal sealed class LinearHead(Linear first, OutputHead head) : OutputHead
{
    public override bool GivesLogProbabilities => head.GivesLogProbabilities;

    public override Tensor Logits(Tensor features) => head.Logits(first.Forward(features));

    public override (Tensor Loss, Tensor NegativeLogLikelihood) CrossEntropy(Tensor features, Tensor target, float smoothing, LabelSmoothing form)
        => head.CrossEntropy(first.Forward(features), target, smoothing, form);
}

/// <summary>Logits are the features' products with the vectors of a table: y = x W^T + b. The table belongs to another module.</summary>
/// <param name="weight">Gives the table, [V, C].</param>
/// <param name="bias">Gives b, [V]; null for none.</param>
internal sealed class ProjectionHead(Func<Tensor> weight, Func<Tensor>? bias = null) : OutputHead
{
    public override Tensor Logits(Tensor features) => Ops.Linear(features, weight(), bias?.Invoke(), result: DType.Float32);

    public override (Tensor Loss, Tensor NegativeLogLikelihood) CrossEntropy(Tensor features, Tensor target, float smoothing, LabelSmoothing form)
        => Ops.CrossEntropy(features, weight(), target, smoothing, Vocabulary.Pad, form, bias?.Invoke());
}
