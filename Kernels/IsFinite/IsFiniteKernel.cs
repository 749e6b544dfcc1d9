namespace CudaSeq.Kernels;

/// <summary>Whether no element is NaN or infinite.</summary>
internal static partial class IsFiniteKernel
{
    public static bool All(DeviceSpan x) => x.Device switch
    {
        CpuDevice cpu => AllCpu(cpu, x),
        CudaDevice cuda => AllCuda(cuda, x),
        _ => throw KernelException.NoKernel("IsFinite", x.Device),
    };
}
