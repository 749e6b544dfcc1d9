namespace CudaSeq.Kernels;

/// <summary>A tensor [Outer, Length, Inner] summed over its middle axis.</summary>
/// <param name="Outer">Elements of the axes before.</param>
/// <param name="Length">The axis summed over.</param>
/// <param name="Inner">Elements of the axes behind.</param>
internal readonly record struct SumSize(long Outer, long Length, long Inner);

/// <summary>Sums along an axis. Partial sums have fixed borders and are added in order: the result does not depend on the number of threads.</summary>
internal static partial class SumKernel
{
    /// <summary>y [Outer, Inner] = factor * sum over l of x [Outer, l, Inner].</summary>
    public static void Forward(in SumSize size, DeviceSpan x, float factor, DeviceSpan y)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, x, factor, y); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, x, factor, y); break;
            default: throw KernelException.NoKernel("Sum", x.Device);
        }
    }

    /// <summary>y [Outer, Inner] = sum over l of x [Outer, l, Inner] * w [Outer, l, Inner], without the product in memory.</summary>
    public static void Products(in SumSize size, DeviceSpan x, DeviceSpan w, DeviceSpan y)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: ProductsCpu(cpu, size, x, w, y); break;
            case CudaDevice cuda: ProductsCuda(cuda, size, x, w, y); break;
            default: throw KernelException.NoKernel("Sum", x.Device);
        }
    }

    /// <summary>dx [Outer, l, Inner] = factor * dy [Outer, Inner] for every l.</summary>
    public static void Backward(in SumSize size, DeviceSpan dy, float factor, DeviceSpan dx)
    {
        switch (dy.Device)
        {
            case CpuDevice cpu: BackwardCpu(cpu, size, dy, factor, dx); break;
            case CudaDevice cuda: BackwardCuda(cuda, size, dy, factor, dx); break;
            default: throw KernelException.NoKernel("Sum", dy.Device);
        }
    }
}
