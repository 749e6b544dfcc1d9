namespace CudaSeq.Kernels;

/// <summary>y = x * Phi(x), element by element, where Phi is the cumulative normal distribution.</summary>
internal static partial class GeluKernel
{
    public static void Forward(DeviceSpan x, DeviceSpan y)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, x, y); break;
            case CudaDevice cuda: ForwardCuda(cuda, x, y); break;
            default: throw KernelException.NoKernel("Gelu", x.Device);
        }
    }

    /// <summary>dx = dy * (Phi(x) + x * phi(x)), where phi is the normal density.</summary>
    public static void Backward(DeviceSpan x, DeviceSpan dy, DeviceSpan dx)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: BackwardCpu(cpu, x, dy, dx); break;
            case CudaDevice cuda: BackwardCuda(cuda, x, dy, dx); break;
            default: throw KernelException.NoKernel("Gelu", x.Device);
        }
    }
}
