namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>
    /// Dropout of weights instead of activations: each weight is 0 with probability p, and the others are divided by 1 - p.
    /// Source: Wan, Zeiler, Zhang, LeCun and Fergus, "Regularization of neural networks using DropConnect", ICML 2013; on the normalised filters of
    /// Wu et al., "Pay less attention with lightweight and dynamic convolutions", ICLR 2019, section 3.
    /// </summary>
    /// <inheritdoc cref="Dropout"/>
    public static Tensor DropConnect(Tensor x, float p, RandomSource? random) => Drop(nameof(DropConnect), x, p, random);
}
