namespace CudaSeq.Kernels;

/// <summary>Entries of the middle axis of x [Outer, Length, Inner] chosen by N indices.</summary>
internal readonly record struct IndexSelectSize(long Outer, int Length, long Inner, int N);

/// <summary>y [Outer, n, Inner] = x [Outer, indices[n], Inner]. Elements of 4 bytes, floats or integers alike.</summary>
internal static partial class IndexSelectKernel
{
    public static void Forward(in IndexSelectSize size, DeviceSpan x, DeviceSpan indices, DeviceSpan y)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, x, indices, y); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, x, indices, y); break;
            default: throw KernelException.NoKernel("IndexSelect", x.Device);
        }
    }

    /// <summary>dx [Outer, l, Inner] = sum of dy [Outer, n, Inner] over the n with indices[n] = l, in the order of n.</summary>
    public static void Backward(in IndexSelectSize size, DeviceSpan indices, DeviceSpan dy, DeviceSpan dx)
    {
        switch (dy.Device)
        {
            case CpuDevice cpu: BackwardCpu(cpu, size, indices, dy, dx); break;
            case CudaDevice cuda: BackwardCuda(cuda, size, indices, dy, dx); break;
            default: throw KernelException.NoKernel("IndexSelect", dy.Device);
        }
    }
}
