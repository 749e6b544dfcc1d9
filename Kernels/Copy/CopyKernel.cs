namespace CudaSeq.Kernels;

/// <summary>Moves elements: unchanged within a device, from the host, to the host; or into another type.</summary>
internal static partial class CopyKernel
{
    public static void Copy(DeviceSpan x, DeviceSpan y)
    {
        switch (x.Device)
        {
            case CpuDevice: CopyCpu(x, y); break;
            case CudaDevice cuda: CopyCuda(cuda, x, y); break;
            default: throw KernelException.NoKernel("Copy", x.Device);
        }
    }

    /// <summary>y = x in y's type, rounded to the nearest number, of two the even one. One of the two types is float32. On the processor all floats are.</summary>
    public static void Convert(DeviceSpan x, DeviceSpan y)
    {
        switch (x.Device)
        {
            case CpuDevice: CopyCpu(x, y); break;
            case CudaDevice cuda: ConvertCuda(cuda, x, y); break;
            default: throw KernelException.NoKernel("Copy", x.Device);
        }
    }

    public static void FromHost<T>(ReadOnlySpan<T> x, DeviceSpan y)
        where T : unmanaged
    {
        y.Buffer.Touch();
        switch (y.Device)
        {
            case CpuDevice: FromHostCpu(x, y); break;
            case CudaDevice cuda: FromHostCuda(cuda, x, y); break;
            default: throw KernelException.NoKernel("Copy", y.Device);
        }
    }

    public static void ToHost<T>(DeviceSpan x, Span<T> y)
        where T : unmanaged
    {
        switch (x.Device)
        {
            case CpuDevice: ToHostCpu(x, y); break;
            case CudaDevice cuda: ToHostCuda(cuda, x, y); break;
            default: throw KernelException.NoKernel("Copy", x.Device);
        }
    }
}
