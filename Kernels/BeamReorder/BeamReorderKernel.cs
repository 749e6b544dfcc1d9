namespace CudaSeq.Kernels;

/// <summary>N rows of S places of C elements of 4 bytes, in beams of Beam rows.</summary>
internal readonly record struct BeamReorderSize(int N, int Beam, int S, int C);

/// <summary>
/// x[n, s, :] = x[first + parents[n], s, :] for s below counts[n], in place, where first = n - n mod Beam is the first row of n's beam; what lies beyond stays as it is.
/// x [N, S, C]; parents [N] integers below Beam; counts [N] integers in 0 .. S, or none for all S.
/// </summary>
internal static partial class BeamReorderKernel
{
    /// <summary>The widest beam: a thread of a GPU holds its elements of all rows at once.</summary>
    public const int MostRows = 64;

    public static void Forward(BeamReorderSize size, DeviceSpan x, DeviceSpan parents, DeviceSpan? counts)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, x, parents, counts); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, x, parents, counts); break;
            default: throw KernelException.NoKernel("BeamReorder", x.Device);
        }
    }
}
