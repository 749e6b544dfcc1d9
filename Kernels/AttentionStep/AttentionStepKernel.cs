namespace CudaSeq.Kernels;

/// <summary>
/// N queries over the caches of M sequences, S places each, of which at most <paramref name="Count"/> are filled; C = H D channels. Of those that are, the last
/// <paramref name="Window"/> are seen, all if it is 0. Where there are origins, they name rows of the same <paramref name="Beam"/>.
/// </summary>
internal readonly record struct AttentionStepSize(int N, int M, int S, int C, int H, int Count, float Scale, int Window, int Beam)
{
    /// <summary>The most places that a query sees.</summary>
    public int Most => Window > 0 ? Math.Min(Window, Count) : Count;

    public int D => C / H;

    /// <summary>Queries that share a cache: query n looks at sequence n / Queries.</summary>
    public int Queries => M == 0 ? 0 : N / M;
}

/// <summary>
/// y[n, h, :] = sum_s p[n, h, s] values[m, s, h, :] with m = n M / N and p = softmax_s(scale q[n, h, :] . keys[m, s, h, :]) over
/// s below Count and below lengths[m], the last Window of them. q, y [N, C]; keys, values [M, S, C]; lengths [M] or none. With origins [N, S], where N = M, place s of
/// query n lies in row n - n mod Beam + origins[n, s] of the caches.
/// </summary>
internal static partial class AttentionStepKernel
{
    public static void Forward(AttentionStepSize size, DeviceSpan q, DeviceSpan keys, DeviceSpan values, DeviceSpan? lengths, DeviceSpan? origins, DeviceSpan y)
    {
        switch (q.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, q, keys, values, lengths, origins, y); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, q, keys, values, lengths, origins, y); break;
            default: throw KernelException.NoKernel("AttentionStep", q.Device);
        }
    }
}
