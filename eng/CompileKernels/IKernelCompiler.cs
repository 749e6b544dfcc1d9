namespace CudaSeq.CompileKernels;

/// <summary>The kernels for one architecture.</summary>
/// <param name="Architecture">sm_90a for machine code, compute_90 for PTX.</param>
/// <param name="Code">A cubin, or PTX.</param>
/// <param name="Messages">What the compiler said, ptxas's account of resources among it.</param>
internal sealed record CompiledKernels(string Architecture, byte[] Code, string Messages)
{
    /// <summary>Whether this is text that a driver compiles on.</summary>
    public bool IsPtx => Architecture.StartsWith("compute_", StringComparison.Ordinal);

    /// <summary>90a of sm_90a.</summary>
    public string Number => Architecture[(Architecture.IndexOf('_', StringComparison.Ordinal) + 1)..];
}

/// <summary>A CUDA compiler of this machine.</summary>
internal interface IKernelCompiler
{
    /// <summary>For example NVRTC 12.4.</summary>
    string Name { get; }

    /// <summary>Compiles NativeKernels.cu; may be called by several threads at once.</summary>
    /// <exception cref="BuildException">It does not compile.</exception>
    CompiledKernels Compile(string architecture);

    /// <summary>One image of them all, from which a driver takes what is for its chip.</summary>
    byte[] Pack(IReadOnlyList<CompiledKernels> parts);
}

/// <summary>The kernels cannot be built; the message is for people and complete.</summary>
internal sealed class BuildException(string message) : Exception(message);
