namespace CudaSeq.Kernels;

/// <summary>Differences of two tensors.</summary>
internal static partial class SubtractKernel
{
    /// <summary>y = a - b under broadcasting.</summary>
    public static void Forward(in BroadcastSize size, DeviceSpan a, DeviceSpan b, DeviceSpan y)
    {
        switch (y.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, a, b, y); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, a, b, y); break;
            default: throw KernelException.NoKernel("Subtract", y.Device);
        }
    }
}
