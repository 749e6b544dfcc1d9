using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>What is wanted of the tokens of a batch: its text, and besides, where somebody teaches, what the teacher would say.</summary>
/// <param name="Target">[N] integers; padding does not count.</param>
/// <param name="Smoothing">The probability moved away from the true token, in [0, 1).</param>
/// <param name="Form">Where it goes.</param>
internal sealed record TokenLoss(Tensor Target, float Smoothing, LabelSmoothing Form)
{
    /// <summary>What a teacher says; null where none does.</summary>
    public TaughtTokens? Taught { get; init; }

    /// <summary>The loss, and the negative log-likelihood of the text, both summed over the targets that are no padding, in nats.</summary>
    /// <param name="head">What turns features into probabilities.</param>
    /// <param name="features">[N, F].</param>
    /// <returns>Two single numbers; gradients flow from the first alone.</returns>
    public (Tensor Loss, Tensor NegativeLogLikelihood) Of(OutputHead head, Tensor features)
    {
        var (loss, negativeLogLikelihood) = head.CrossEntropy(features, Target, Smoothing, Form);
        return (Taught is null ? loss : Taught.Joined(loss, head.Logits(features)), negativeLogLikelihood);
    }

    /// <summary>The same of some of the tokens.</summary>
    /// <param name="index">Which, integers.</param>
    public TokenLoss Rows(Tensor index) => this with
    {
        Target = Ops.IndexSelect(Target, 0, index),
        Taught = Taught is null ? null : Taught with { Wanted = Ops.IndexSelect(Taught.Wanted, 0, index) },
    };
}

/// <summary>What a teacher says of the tokens of a batch (<see cref="Distillation"/>).</summary>
/// <param name="Wanted">[N, V], its probabilities p; rows of zeros where nothing is wanted. No gradient.</param>
/// <param name="Weight">w, the share of its loss, in 0 .. 1.</param>
/// <param name="Temperature">T, above 0.</param>
internal sealed record TaughtTokens(Tensor Wanted, float Weight, float Temperature)
{
    /// <summary>w T^2 sum of - p log q + (1 - w) times the loss of the text, q = softmax(l / T).</summary>
    /// <param name="loss">Of the text, a single number.</param>
    /// <param name="logits">l, [N, V].</param>
    public Tensor Joined(Tensor loss, Tensor logits)
    {
        var distilled = Ops.Sum(Ops.Multiply(Ops.LogSoftmax(Distillation.Tempered(logits, Temperature)), Wanted));
        return Ops.Add(Ops.Scale(distilled, -Weight * Temperature * Temperature), Ops.Scale(loss, 1 - Weight));
    }
}
