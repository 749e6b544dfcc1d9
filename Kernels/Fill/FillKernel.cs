namespace CudaSeq.Kernels;

/// <summary>Sets every element to one value.</summary>
internal static partial class FillKernel
{
    public static void Zero(DeviceSpan y)
    {
        switch (y.Device)
        {
            case CpuDevice: ZeroCpu(y); break;
            case CudaDevice cuda: ZeroCuda(cuda, y); break;
            default: throw KernelException.NoKernel("Fill", y.Device);
        }
    }

    public static void Fill(DeviceSpan y, float value)
    {
        switch (y.Device)
        {
            case CpuDevice cpu: FillCpu(cpu, y, value); break;
            case CudaDevice cuda: FillCuda(cuda, y, value); break;
            default: throw KernelException.NoKernel("Fill", y.Device);
        }
    }
}
