namespace CudaSeq.Kernels;

/// <summary>y = factor * x, element by element; y may be x.</summary>
internal static partial class ScaleKernel
{
    public static void Forward(DeviceSpan x, float factor, DeviceSpan y)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, x, factor, y); break;
            case CudaDevice cuda: ForwardCuda(cuda, x, factor, y); break;
            default: throw KernelException.NoKernel("Scale", x.Device);
        }
    }
}
