namespace CudaSeq.Kernels;

/// <summary>Sentences of T positions with Inner elements each.</summary>
internal readonly record struct MaskPaddingSize(int B, int T, long Inner);

/// <summary>y [b, t, Inner] = x where t is below lengths[b], else 0. Its own backward.</summary>
internal static partial class MaskPaddingKernel
{
    public static void Forward(in MaskPaddingSize size, DeviceSpan x, DeviceSpan lengths, DeviceSpan y)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, x, lengths, y); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, x, lengths, y); break;
            default: throw KernelException.NoKernel("MaskPadding", x.Device);
        }
    }
}
