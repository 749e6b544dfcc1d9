namespace CudaSeq.Tensors;

/// <summary>What stochastic gradient descent needs to know besides the learning rate.</summary>
public sealed record SgdOptions
{
    /// <summary>Share of the old velocity kept at each update, 0 .. 1, below 1; 0 has no velocity.</summary>
    public float Momentum { get; init; }

    /// <summary>Whether the step looks ahead along the new velocity, as Nesterov's accelerated gradient does; needs a momentum.</summary>
    public bool Nesterov { get; init; }

    /// <summary>L2 penalty: its share of the parameter is added to the gradient; at least 0.</summary>
    public float WeightDecay { get; init; }
}
