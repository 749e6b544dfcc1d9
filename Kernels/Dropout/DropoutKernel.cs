namespace CudaSeq.Kernels;

/// <summary>y = 0 where the mask drops an element, scale x elsewhere. Its own backward under the same mask.</summary>
internal static partial class DropoutKernel
{
    public static void Forward(DropMask mask, DeviceSpan x, DeviceSpan y)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, mask, x, y); break;
            case CudaDevice cuda: ForwardCuda(cuda, mask, x, y); break;
            default: throw KernelException.NoKernel("Dropout", x.Device);
        }
    }
}
