namespace CudaSeq.Kernels;

/// <summary>The K largest of the V numbers in each of N rows.</summary>
internal readonly record struct TopKSize(int N, int V, int K);

/// <summary>
/// values[n, i] = x[n, indices[n, i]] is the i-th largest of row n; of equal ones the lower index comes first, NaN counts as larger than any number.
/// x [N, V]; values, indices [N, K].
/// </summary>
internal static partial class TopKKernel
{
    public static void Forward(TopKSize size, DeviceSpan x, DeviceSpan values, DeviceSpan indices)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, x, values, indices); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, x, values, indices); break;
            default: throw KernelException.NoKernel("TopK", x.Device);
        }
    }
}
