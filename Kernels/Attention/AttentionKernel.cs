namespace CudaSeq.Kernels;

/// <summary>
/// B sequences of T queries and S keys, C = H D channels. With <paramref name="Causal"/>, query t sees keys s at most t + S - T.
/// </summary>
internal readonly record struct AttentionSize(int B, int T, int S, int C, int H, bool Causal, float Scale)
{
    public int D => C / H;

    /// <summary>How many keys query t sees when <paramref name="length"/> of them are no padding: always the first ones, and never fewer than query t - 1.</summary>
    public int Visible(int t, int length) => Math.Clamp(Causal ? Math.Min(length, t + S - T + 1) : length, 0, S);
}

/// <summary>
/// y[b, t, h, :] = sum_s p[b, h, t, s] mask[b, h, t, s] v[b, s, h, :] with p = softmax_s(scale q[b, t, h, :] . k[b, s, h, :]) over the visible keys.
/// q, y [B, T, C]; k, v [B, S, C]; keyLengths [B] or none; statistics [2, B, H, T], the largest of a row's scores and
/// the reciprocal of the sum of the exponentials of what they lie below it.
/// The mask's element number is ((b H + h) T + t) S + s. The probabilities are never stored: backward computes them again from the statistics.
/// </summary>
internal static partial class AttentionKernel
{
    public static void Forward(
        AttentionSize size, DeviceSpan q, DeviceSpan k, DeviceSpan v, DeviceSpan? keyLengths, DropMask mask, DeviceSpan y, DeviceSpan? statistics)
    {
        switch (q.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, q, k, v, keyLengths, mask, y, statistics); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, q, k, v, keyLengths, mask, y, statistics); break;
            default: throw KernelException.NoKernel("Attention", q.Device);
        }
    }

    /// <summary>
    /// With dp = (dy . v) mask and ds = p (dp - sum_s p dp): dq = scale sum_s ds k, dk = scale sum_t ds q, dv = sum_t p mask dy. Skips what has no span.
    /// </summary>
    public static void Backward(
        AttentionSize size, DeviceSpan q, DeviceSpan k, DeviceSpan v, DeviceSpan? keyLengths, DropMask mask, DeviceSpan y, DeviceSpan statistics,
        DeviceSpan dy, DeviceSpan? dq, DeviceSpan? dk, DeviceSpan? dv)
    {
        switch (q.Device)
        {
            case CpuDevice cpu: BackwardCpu(cpu, size, q, k, v, keyLengths, mask, y, statistics, dy, dq, dk, dv); break;
            case CudaDevice cuda: BackwardCuda(cuda, size, q, k, v, keyLengths, mask, y, statistics, dy, dq, dk, dv); break;
            default: throw KernelException.NoKernel("Attention", q.Device);
        }
    }

    /// <summary>p [B, H, T, S] itself, 0 for keys that are not visible.</summary>
    public static void Probabilities(AttentionSize size, DeviceSpan q, DeviceSpan k, DeviceSpan? keyLengths, DeviceSpan p)
    {
        switch (q.Device)
        {
            case CpuDevice cpu: ProbabilitiesCpu(cpu, size, q, k, keyLengths, p); break;
            case CudaDevice cuda: ProbabilitiesCuda(cuda, size, q, k, keyLengths, p); break;
            default: throw KernelException.NoKernel("Attention", q.Device);
        }
    }
}
