namespace CudaSeq.Kernels;

/// <summary>Caches of N sequences, S places of C channels each.</summary>
internal readonly record struct CacheAppendSize(int N, int S, int C);

/// <summary>cache[n, position, :] = x[n, :]. cache [N, S, C]; x [N, C].</summary>
internal static partial class CacheAppendKernel
{
    public static void Forward(CacheAppendSize size, DeviceSpan cache, DeviceSpan x, int position)
    {
        switch (cache.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, cache, x, position); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, cache, x, position); break;
            default: throw KernelException.NoKernel("CacheAppend", cache.Device);
        }
    }
}
