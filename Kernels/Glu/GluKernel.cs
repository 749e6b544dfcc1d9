namespace CudaSeq.Kernels;

/// <summary>Rows of x hold 2C channels, rows of y C.</summary>
internal readonly record struct GluSize(long N, int C);

/// <summary>y [N, C] = a * sigmoid(b) where x [N, 2C] = [a, b].</summary>
internal static partial class GluKernel
{
    public static void Forward(in GluSize size, DeviceSpan x, DeviceSpan y)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, x, y); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, x, y); break;
            default: throw KernelException.NoKernel("Glu", x.Device);
        }
    }

    /// <summary>da = dy * s and db = dy * a * s * (1 - s) with s = sigmoid(b), side by side in dx [N, 2C].</summary>
    public static void Backward(in GluSize size, DeviceSpan x, DeviceSpan dy, DeviceSpan dx)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: BackwardCpu(cpu, size, x, dy, dx); break;
            case CudaDevice cuda: BackwardCuda(cuda, size, x, dy, dx); break;
            default: throw KernelException.NoKernel("Glu", x.Device);
        }
    }
}
