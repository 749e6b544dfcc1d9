namespace CudaSeq.Kernels;

/// <summary>y = 0 where the mask of key drops an element, x / (1 - p) elsewhere. Its own backward: the same key gives the same mask.</summary>
internal static partial class DropoutKernel
{
    public static void Forward(float p, PhiloxKey key, DeviceSpan x, DeviceSpan y)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, p, key, x, y); break;
            case CudaDevice cuda: ForwardCuda(cuda, p, key, x, y); break;
            default: throw KernelException.NoKernel("Dropout", x.Device);
        }
    }
}
