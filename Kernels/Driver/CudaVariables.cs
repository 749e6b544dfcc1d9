namespace CudaSeq.Kernels;

/// <summary>The environment variables that the CUDA side listens to.</summary>
internal static class CudaVariables
{
    /// <summary>The file to load as libcuda; likewise for the other libraries below.</summary>
    public const string DriverLibrary = "CUDASEQ_CUDA_LIBRARY";

    public const string CublasLibrary = "CUDASEQ_CUBLAS_LIBRARY";

    public const string CublasLtLibrary = "CUDASEQ_CUBLASLT_LIBRARY";

    public const string NvrtcLibrary = "CUDASEQ_NVRTC_LIBRARY";

    /// <summary>A file with compiled kernels, instead of those in the assembly.</summary>
    public const string KernelImage = "CUDASEQ_KERNEL_IMAGE";

    /// <summary>The folder of compiled kernels, instead of the user's cache folder.</summary>
    public const string Cache = "CUDASEQ_CACHE";

    /// <summary>1: wait for the device after each launch, so that an error names the kernel that caused it.</summary>
    public const string Synchronous = "CUDASEQ_SYNC";

    /// <summary>1: compare count and sizes of the arguments of each launch with what the kernel takes, as debug builds always do.</summary>
    public const string CheckArguments = "CUDASEQ_CHECK_ARGUMENTS";

    /// <summary>Whether a switch is on.</summary>
    public static bool IsOn(string name) => Environment.GetEnvironmentVariable(name) == "1";
}
