namespace CudaSeq.Kernels;

internal static partial class CacheAppendKernel
{
    private static void ForwardCuda(CudaDevice cuda, CacheAppendSize size, DeviceSpan cache, DeviceSpan x, int position)
    {
        var place = cache with { Offset = cache.Offset + ((long)position * size.C) };
        SliceKernel.CopyRows(cuda, size.N, size.C, x, size.C, place, (long)size.S * size.C);
    }
}
