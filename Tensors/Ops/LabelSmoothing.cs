namespace CudaSeq.Tensors;

/// <summary>
/// Over which tokens label smoothing spreads its probability eps, V tokens in all. The loss differs, and so do models trained with one and compared by the other.
/// </summary>
public enum LabelSmoothing
{
    /// <summary>eps / (V - 1) on every token but the right one, 1 - eps on the right one: fairseq since 2021.</summary>
    OverOthers,

    /// <summary>eps / V on every token, the right one included, which so gets 1 - eps + eps / V: Szegedy et al. 2016, PyTorch.</summary>
    Uniform,
}
