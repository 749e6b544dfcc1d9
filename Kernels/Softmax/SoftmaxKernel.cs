namespace CudaSeq.Kernels;

/// <summary>N rows of C numbers.</summary>
internal readonly record struct SoftmaxSize(int N, int C);

/// <summary>y[n, c] = exp(x[n, c] - m[n]) / sum_c' exp(x[n, c'] - m[n]) with m[n] = max_c x[n, c]. x and y [N, C].</summary>
internal static partial class SoftmaxKernel
{
    public static void Forward(SoftmaxSize size, DeviceSpan x, DeviceSpan y)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, x, y); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, x, y); break;
            default: throw KernelException.NoKernel("Softmax", x.Device);
        }
    }

    /// <summary>dx = y (dy - sum_c y dy), row by row.</summary>
    public static void Backward(SoftmaxSize size, DeviceSpan y, DeviceSpan dy, DeviceSpan dx)
    {
        switch (y.Device)
        {
            case CpuDevice cpu: BackwardCpu(cpu, size, y, dy, dx); break;
            case CudaDevice cuda: BackwardCuda(cuda, size, y, dy, dx); break;
            default: throw KernelException.NoKernel("Softmax", y.Device);
        }
    }
}
