namespace CudaSeq.Kernels;

/// <summary>How label smoothing spreads its share eps of the probability (Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, "Rethinking the Inception Architecture", 2016, section 7).</summary>
public enum LabelSmoothing
{
    /// <summary>1 - eps on the target, eps / (V - 1) on every other class: fairseq since 2021.</summary>
    OverOthers,

    /// <summary>1 - eps on the target and eps / V on every class, the target included: the paper, and fairseq before.</summary>
    Uniform,
}
