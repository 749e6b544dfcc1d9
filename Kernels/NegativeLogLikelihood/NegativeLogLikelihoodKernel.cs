namespace CudaSeq.Kernels;

/// <summary>
/// loss = sum over the rows n whose target is no padding of - sum_v q[n, v] x[n, v], q[n, v] = on_every + (v == target[n]) on_target; nll = the sum of - x[n, target[n]].
/// x [N, V], log probabilities, float32; targets [N]; loss and nll [1].
/// </summary>
internal static partial class NegativeLogLikelihoodKernel
{
    /// <param name="size">C is nothing to it.</param>
    /// <param name="x">[N, V].</param>
    /// <param name="targets">[N] integers.</param>
    /// <param name="loss">[1].</param>
    /// <param name="nll">[1].</param>
    public static void Forward(in CrossEntropySize size, DeviceSpan x, DeviceSpan targets, DeviceSpan loss, DeviceSpan nll)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, x, targets, loss, nll); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, x, targets, loss, nll); break;
            default: throw KernelException.NoKernel("NegativeLogLikelihood", x.Device);
        }
    }

    /// <summary>dx[n, v] = - dloss[0] q[n, v], 0 in rows of padding.</summary>
    public static void Backward(in CrossEntropySize size, DeviceSpan dloss, DeviceSpan targets, DeviceSpan dx)
    {
        switch (dloss.Device)
        {
            case CpuDevice cpu: BackwardCpu(cpu, size, dloss, targets, dx); break;
            case CudaDevice cuda: BackwardCuda(cuda, size, dloss, targets, dx); break;
            default: throw KernelException.NoKernel("NegativeLogLikelihood", dloss.Device);
        }
    }
}
