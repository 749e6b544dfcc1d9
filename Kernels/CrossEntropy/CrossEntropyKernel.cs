namespace CudaSeq.Kernels;

/// <summary>Sizes of a cross-entropy with its projection: x [N, C], weight [V, C], bias [V], targets [N].</summary>
/// <param name="N">Rows.</param>
/// <param name="V">Classes.</param>
/// <param name="C">Channels.</param>
/// <param name="PaddingIndex">Rows with this target contribute nothing.</param>
/// <param name="OnEvery">The probability the target distribution puts on every class.</param>
/// <param name="OnTarget">What it puts on the target beyond that.</param>
internal readonly record struct CrossEntropySize(int N, int V, int C, int PaddingIndex, double OnEvery, double OnTarget);

/// <summary>Where the gradients of a loss go; null where none is wanted.</summary>
/// <param name="X">[N, C].</param>
/// <param name="Weight">[V, C].</param>
/// <param name="Bias">[V].</param>
internal readonly record struct CrossEntropyGradients(DeviceSpan? X, DeviceSpan? Weight, DeviceSpan? Bias);

/// <summary>
/// Label-smoothed cross-entropy of softmax(x weight^T + bias) against the targets. The logits exist for one block of rows at a time, are turned into their
/// gradient in place, and give their share of dx, dweight and dbias before the next block overwrites them.
/// </summary>
internal static partial class CrossEntropyKernel
{
    /// <summary>loss = the sum over the rows that are no padding of - sum over v of q[v] ln p[v], nll = the sum of - ln p[target]; and the gradients of loss.</summary>
    public static void Forward(
        in CrossEntropySize size,
        DeviceSpan x,
        DeviceSpan weight,
        DeviceSpan? bias,
        DeviceSpan targets,
        DeviceSpan loss,
        DeviceSpan nll,
        in CrossEntropyGradients gradients)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, x, weight, bias, targets, loss, nll, gradients); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, x, weight, bias, targets, loss, nll, gradients); break;
            default: throw KernelException.NoKernel("CrossEntropy", x.Device);
        }
    }

    /// <summary>scaled = gradient * dloss[0].</summary>
    public static void Backward(DeviceSpan dloss, DeviceSpan gradient, DeviceSpan scaled)
    {
        switch (gradient.Device)
        {
            case CpuDevice cpu: BackwardCpu(cpu, dloss, gradient, scaled); break;
            case CudaDevice cuda: BackwardCuda(cuda, dloss, gradient, scaled); break;
            default: throw KernelException.NoKernel("CrossEntropy", gradient.Device);
        }
    }
}
