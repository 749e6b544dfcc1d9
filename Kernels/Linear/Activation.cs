namespace CudaSeq.Kernels;

/// <summary>What a linear layer applies to its result, element by element.</summary>
public enum Activation
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>max(0, z).</summary>
    Relu,

    /// <summary>z (1 + erf(z / sqrt 2)) / 2 (Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016, the exact form).</summary>
    Gelu,
}
