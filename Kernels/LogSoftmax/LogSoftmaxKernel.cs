namespace CudaSeq.Kernels;

/// <summary>y[n, c] = x[n, c] - log sum_c' exp x[n, c']. x and y [N, C].</summary>
internal static partial class LogSoftmaxKernel
{
    public static void Forward(SoftmaxSize size, DeviceSpan x, DeviceSpan y)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, x, y); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, x, y); break;
            default: throw KernelException.NoKernel("LogSoftmax", x.Device);
        }
    }

    /// <summary>dx = dy - exp(y) sum_c dy, row by row.</summary>
    public static void Backward(SoftmaxSize size, DeviceSpan y, DeviceSpan dy, DeviceSpan dx)
    {
        switch (y.Device)
        {
            case CpuDevice cpu: BackwardCpu(cpu, size, y, dy, dx); break;
            case CudaDevice cuda: BackwardCuda(cuda, size, y, dy, dx); break;
            default: throw KernelException.NoKernel("LogSoftmax", y.Device);
        }
    }
}
