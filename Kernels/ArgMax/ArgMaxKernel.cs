namespace CudaSeq.Kernels;

/// <summary>N rows of V numbers.</summary>
internal readonly record struct ArgMaxSize(int N, int V);

/// <summary>indices[n] is where the largest of x[n, :] stands; of equal ones the lowest index, NaN counts as larger than any number. x [N, V]; indices [N].</summary>
internal static partial class ArgMaxKernel
{
    public static void Forward(ArgMaxSize size, DeviceSpan x, DeviceSpan indices)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, x, indices); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, x, indices); break;
            default: throw KernelException.NoKernel("ArgMax", x.Device);
        }
    }
}
