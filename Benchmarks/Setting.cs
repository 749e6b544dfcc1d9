using CudaSeq.Kernels;

namespace CudaSeq.Benchmarks;

/// <summary>How large cases are.</summary>
public enum Sizes
{
    /// <summary>What a processor does in some milliseconds.</summary>
    Processor,

    /// <summary>65,536 tokens of 1024 channels, which fill a graphics card.</summary>
    Gpu,

    /// <summary>As small as goes through everything, to try the benchmarks themselves.</summary>
    Smoke,
}

/// <summary>What a list of cases is made for.</summary>
/// <param name="Sizes">How large they are.</param>
/// <param name="DType">Element type of what is not an integer.</param>
public readonly record struct Setting(Sizes Sizes, DType DType = DType.Float32)
{
    /// <summary>B T on a graphics card.</summary>
    public const int GpuTokens = 1 << 16;

    /// <summary>The element types that inputs can be made of.</summary>
    public static IReadOnlyList<DType> DTypes { get; } = [DType.Float32, DType.BFloat16];

    /// <summary>Bytes of an element.</summary>
    public int ElementBytes => DType.Size();

    /// <summary>Whether backward is also timed without forward; a processor's list shows it with forward only.</summary>
    public bool HasBackwardAlone => Sizes != Sizes.Processor;
}
