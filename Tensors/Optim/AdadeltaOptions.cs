namespace CudaSeq.Tensors;

/// <summary>What Adadelta needs to know besides the learning rate. The defaults are those of Bahdanau et al. (2015).</summary>
public sealed record AdadeltaOptions
{
    /// <summary>Share of the old averages kept at each update, 0 .. 1, below 1.</summary>
    public float Rho { get; init; } = 0.95f;

    /// <summary>Added to both averages before their roots are taken; above 0, since the first change is a share of its root.</summary>
    public float Epsilon { get; init; } = 1e-6f;

    /// <summary>L2 penalty: its share of the parameter is added to the gradient; at least 0.</summary>
    public float WeightDecay { get; init; }
}
