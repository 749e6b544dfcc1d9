namespace CudaSeq.Kernels;

/// <summary>Sizes of y [N, O] = activation(x [N, I] weight^T + bias), weight [O, I], bias [O].</summary>
/// <param name="N">Rows.</param>
/// <param name="I">Features in.</param>
/// <param name="O">Features out.</param>
/// <param name="Activation">Applied to every element.</param>
internal readonly record struct LinearSize(int N, int I, int O, Activation Activation);

/// <summary>A linear layer with its bias and activation in the last store of the product. The products of its backward are MatMul's.</summary>
internal static partial class LinearKernel
{
    /// <summary>y = activation(x weight^T + bias).</summary>
    /// <param name="size">Sizes.</param>
    /// <param name="x">[N, I].</param>
    /// <param name="weight">[O, I].</param>
    /// <param name="bias">[O], of the type of y, with an activation float32; or null.</param>
    /// <param name="z">[N, O], receives what the activation is applied to; or null.</param>
    /// <param name="y">[N, O].</param>
    /// <param name="panels">The weight as <see cref="MatMulKernel.PackPanels"/> has it, on the processor where <see cref="MatMulKernel.TakesPanels"/>; else null.</param>
    public static void Forward(in LinearSize size, DeviceSpan x, DeviceSpan weight, DeviceSpan? bias, DeviceSpan? z, DeviceSpan y, DeviceSpan? panels = null)
    {
        switch (x.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, x, weight, bias, z, y, panels); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, x, weight, bias, z, y); break;
            default: throw KernelException.NoKernel("Linear", x.Device);
        }
    }

    /// <summary>dz = dy * activation'(z) and db = the sum of dz over the rows.</summary>
    /// <param name="size">Sizes.</param>
    /// <param name="saved">[N, O]: y for Relu, z for Gelu; ignored without an activation.</param>
    /// <param name="dy">[N, O].</param>
    /// <param name="dz">[N, O]; may be null without an activation, where it is dy.</param>
    /// <param name="db">[O], or null.</param>
    public static void Backward(in LinearSize size, DeviceSpan? saved, DeviceSpan dy, DeviceSpan? dz, DeviceSpan? db)
    {
        switch (dy.Device)
        {
            case CpuDevice cpu: BackwardCpu(cpu, size, saved, dy, dz, db); break;
            case CudaDevice cuda: BackwardCuda(cuda, size, saved, dy, dz, db); break;
            default: throw KernelException.NoKernel("Linear", dy.Device);
        }
    }
}
