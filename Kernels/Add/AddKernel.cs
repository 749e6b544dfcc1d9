namespace CudaSeq.Kernels;

/// <summary>Sums of two tensors of the same size.</summary>
internal static partial class AddKernel
{
    /// <summary>sum += x: the one kernel that does not overwrite, for the tape's sums.</summary>
    public static void Accumulate(DeviceSpan sum, DeviceSpan x)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: AccumulateCpu(cpu, sum, x); break;
            default: throw KernelException.NoKernel("Add", x.Device);
        }
    }
}
