namespace CudaSeq.Kernels;

internal static partial class CacheAppendKernel
{
    private static readonly CudaKernel Places = new("cache_append_b32");

    private static void ForwardCuda(CudaDevice cuda, CacheAppendSize size, DeviceSpan cache, DeviceSpan x, DeviceSpan positions)
    {
        long length = (long)size.N * size.C;
        if (length > 0)
            cuda.Launch(Places, Elementwise.Grid(cuda, length), new Dim3(Elementwise.Threads), 0, x, positions, cache, length, (long)size.C, (long)size.S);
    }
}
