namespace CudaSeq.Tensors;

/// <summary>Where Adam puts epsilon and the weight decay.</summary>
public enum AdamForm
{
    /// <summary>
    /// fairseq's: step = rate * sqrt(1 - beta2^t) / (1 - beta1^t), p = p - rate * decay * p - step * m / (sqrt(v) + epsilon).
    /// Epsilon stands before the bias correction, the decay is decoupled from the gradient.
    /// </summary>
    Fairseq,

    /// <summary>
    /// PyTorch's: g = g + decay * p, p = p - rate / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + epsilon).
    /// Epsilon stands behind the bias correction, the decay is an L2 penalty.
    /// </summary>
    PyTorch,
}

/// <summary>What Adam needs to know besides the learning rate. The defaults are those of Vaswani et al. (2017) with fairseq's epsilon.</summary>
public sealed record AdamOptions
{
    /// <summary>Share of the old first moment kept at each update, 0 .. 1, below 1.</summary>
    public float Beta1 { get; init; } = 0.9f;

    /// <summary>Share of the old second moment kept at each update, 0 .. 1, below 1.</summary>
    public float Beta2 { get; init; } = 0.98f;

    /// <summary>Added to the root of the second moment; at least 0.</summary>
    public float Epsilon { get; init; } = 1e-8f;

    /// <summary>Weight decay, at least 0.</summary>
    public float WeightDecay { get; init; }

    /// <summary>Where epsilon and the decay stand.</summary>
    public AdamForm Form { get; init; } = AdamForm.Fairseq;
}
