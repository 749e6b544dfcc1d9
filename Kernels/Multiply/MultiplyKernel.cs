namespace CudaSeq.Kernels;

/// <summary>Products of two tensors, element by element.</summary>
internal static partial class MultiplyKernel
{
    /// <summary>y = a * b under broadcasting.</summary>
    public static void Forward(in BroadcastSize size, DeviceSpan a, DeviceSpan b, DeviceSpan y)
    {
        switch (y.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, a, b, y); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, a, b, y); break;
            default: throw KernelException.NoKernel("Multiply", y.Device);
        }
    }

    /// <summary>da = dy * b and db = dy * a in one pass, for inputs of one shape.</summary>
    public static void Backward(DeviceSpan a, DeviceSpan b, DeviceSpan dy, DeviceSpan da, DeviceSpan db)
    {
        switch (dy.Device)
        {
            case CpuDevice cpu: BackwardCpu(cpu, a, b, dy, da, db); break;
            case CudaDevice cuda: BackwardCuda(cuda, a, b, dy, da, db); break;
            default: throw KernelException.NoKernel("Multiply", dy.Device);
        }
    }
}
