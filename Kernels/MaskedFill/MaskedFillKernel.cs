namespace CudaSeq.Kernels;

/// <summary>y = value where the mask (int32, repeated along broadcast axes) is not 0, x elsewhere. With value 0 it is its own backward.</summary>
internal static partial class MaskedFillKernel
{
    /// <param name="size">x and the mask under broadcasting, where x has the output's shape.</param>
    /// <param name="x">Floats.</param>
    /// <param name="mask">Integers.</param>
    /// <param name="value">What fills.</param>
    /// <param name="y">The shape of x.</param>
    public static void Forward(in BroadcastSize size, DeviceSpan x, DeviceSpan mask, float value, DeviceSpan y)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, x, mask, value, y); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, x, mask, value, y); break;
            default: throw KernelException.NoKernel("MaskedFill", x.Device);
        }
    }
}
