namespace CudaSeq.Kernels;

/// <summary>Copies a tensor with its axes in another order. Elements of 4 bytes, floats or integers alike. Backward is the inverse order.</summary>
internal static partial class TransposeKernel
{
    public static void Forward(in TransposeSize size, DeviceSpan x, DeviceSpan y)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, x, y); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, x, y); break;
            default: throw KernelException.NoKernel("Transpose", x.Device);
        }
    }
}
