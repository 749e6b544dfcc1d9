namespace CudaSeq.Kernels;

/// <summary>Sums of two tensors.</summary>
internal static partial class AddKernel
{
    /// <summary>y = a + b under broadcasting; y may be a or b where that has y's shape.</summary>
    public static void Forward(in BroadcastSize size, DeviceSpan a, DeviceSpan b, DeviceSpan y)
    {
        switch (y.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, a, b, y); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, a, b, y); break;
            default: throw KernelException.NoKernel("Add", y.Device);
        }
    }

    /// <summary>sum += x: the one kernel that does not overwrite, for the tape's sums.</summary>
    public static void Accumulate(DeviceSpan sum, DeviceSpan x)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: AccumulateCpu(cpu, sum, x); break;
            case CudaDevice cuda: AccumulateCuda(cuda, sum, x); break;
            default: throw KernelException.NoKernel("Add", x.Device);
        }
    }
}
