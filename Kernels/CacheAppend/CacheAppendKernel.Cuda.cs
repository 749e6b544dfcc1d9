namespace CudaSeq.Kernels;

internal static partial class CacheAppendKernel
{
    private static readonly CudaKernelFamily Places = new("cache_append", KernelTypes.Bits);

    private static void ForwardCuda(CudaDevice cuda, CacheAppendSize size, DeviceSpan cache, DeviceSpan x, DeviceSpan positions)
    {
        long length = (long)size.N * size.C;
        if (length > 0)
            cuda.Launch(Places[x.Type], Elementwise.Grid(cuda, x), new Dim3(Elementwise.Threads), 0, x, positions, cache, length, (long)size.C, (long)size.S);
    }
}
