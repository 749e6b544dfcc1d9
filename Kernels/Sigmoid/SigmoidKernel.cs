namespace CudaSeq.Kernels;

/// <summary>y = 1 / (1 + e^-x), element by element.</summary>
internal static partial class SigmoidKernel
{
    public static void Forward(DeviceSpan x, DeviceSpan y)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, x, y); break;
            case CudaDevice cuda: ForwardCuda(cuda, x, y); break;
            default: throw KernelException.NoKernel("Sigmoid", x.Device);
        }
    }

    /// <summary>dx = dy * y * (1 - y).</summary>
    public static void Backward(DeviceSpan y, DeviceSpan dy, DeviceSpan dx)
    {
        switch (y.Device)
        {
            case CpuDevice cpu: BackwardCpu(cpu, y, dy, dx); break;
            case CudaDevice cuda: BackwardCuda(cuda, y, dy, dx); break;
            default: throw KernelException.NoKernel("Sigmoid", y.Device);
        }
    }
}
