namespace CudaSeq.Kernels;

/// <summary>Entries Start .. Start + Count - 1 of the middle axis of [Outer, Length, Inner].</summary>
internal readonly record struct SliceSize(long Outer, int Length, long Inner, int Start, int Count);

/// <summary>Part of an axis taken out or put in. Elements of 4 bytes, floats or integers alike.</summary>
internal static partial class SliceKernel
{
    /// <summary>y [Outer, Count, Inner] = the slice of x [Outer, Length, Inner].</summary>
    public static void Forward(in SliceSize size, DeviceSpan x, DeviceSpan y)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, x, y); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, x, y); break;
            default: throw KernelException.NoKernel("Slice", x.Device);
        }
    }

    /// <summary>dx [Outer, Length, Inner] = dy in the slice, 0 around it.</summary>
    public static void Backward(in SliceSize size, DeviceSpan dy, DeviceSpan dx)
    {
        switch (dy.Device)
        {
            case CpuDevice cpu: BackwardCpu(cpu, size, dy, dx); break;
            case CudaDevice cuda: BackwardCuda(cuda, size, dy, dx); break;
            default: throw KernelException.NoKernel("Slice", dy.Device);
        }
    }
}
