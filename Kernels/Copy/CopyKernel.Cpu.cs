namespace CudaSeq.Kernels;

internal static unsafe partial class CopyKernel
{
    private static void CopyCpu(DeviceSpan x, DeviceSpan y)
        => Buffer.MemoryCopy(x.Floats, y.Floats, y.Length * sizeof(float), x.Length * sizeof(float));

    private static void FromHostCpu<T>(ReadOnlySpan<T> x, DeviceSpan y)
        where T : unmanaged
        => x.CopyTo(new Span<T>(y.Floats, checked((int)y.Length)));

    private static void ToHostCpu<T>(DeviceSpan x, Span<T> y)
        where T : unmanaged
        => new ReadOnlySpan<T>(x.Floats, checked((int)x.Length)).CopyTo(y);
}
