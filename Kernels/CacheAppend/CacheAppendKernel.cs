namespace CudaSeq.Kernels;

/// <summary>Caches of N sequences, S places of C channels each.</summary>
internal readonly record struct CacheAppendSize(int N, int S, int C);

/// <summary>cache[n, positions[n], :] = x[n, :]. cache [N, S, C]; x [N, C]; positions [N] integers below S.</summary>
internal static partial class CacheAppendKernel
{
    public static void Forward(CacheAppendSize size, DeviceSpan cache, DeviceSpan x, DeviceSpan positions)
    {
        switch (cache.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, cache, x, positions); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, cache, x, positions); break;
            default: throw KernelException.NoKernel("CacheAppend", cache.Device);
        }
    }
}
