namespace CudaSeq.Kernels;

internal static partial class LayerNormKernel
{
    private static readonly CudaKernelFamily Values = new("layer_norm_forward", KernelTypes.Inference);
    private static readonly CudaKernelFamily ValuesWide = new("layer_norm_forward_wide", KernelTypes.Inference);
    private static readonly CudaKernelFamily Gradients = new("layer_norm_backward", KernelTypes.Training);
    private static readonly CudaKernelFamily GradientsWide = new("layer_norm_backward_wide", KernelTypes.Training);

    private static void ForwardCuda(
        CudaDevice cuda, LayerNormSize size, DeviceSpan x, DeviceSpan gain, DeviceSpan bias, DeviceSpan y, DeviceSpan? mean, DeviceSpan? r)
    {
        if (size.N == 0)
            return;
        if (RowLaunch.IsWide(size.C))
            cuda.Launch(ValuesWide[x.Type], new Dim3(size.N), RowLaunch.WideBlock(size.C), 0, x, gain, bias, y, mean, r, size.C, size.Epsilon);
        else
            cuda.Launch(Values[x.Type], RowLaunch.Grid(size.N), RowLaunch.Block, 0, x, gain, bias, y, mean, r, (long)size.N, size.C, size.Epsilon);
    }

    private static void BackwardCuda(
        CudaDevice cuda, LayerNormSize size, DeviceSpan x, DeviceSpan gain, DeviceSpan mean, DeviceSpan r, DeviceSpan dy, DeviceSpan? dx, DeviceSpan? dgain, DeviceSpan? dbias)
    {
        if (RowGradients.IsEmpty(size, dgain, dbias))
            return;
        using var plan = new RowGradients(cuda, size, dgain is not null || dbias is not null, [x, gain, dy, dx ?? dy]);
        cuda.Launch(
            (plan.Wide ? GradientsWide : Gradients)[x.Type], plan.Grid, RowGradients.Block, plan.SharedBytes,
            x, gain, mean, r, dy, dx, plan.Partial, size.N, plan.BlockRows, size.C);
        plan.Finish(cuda, dgain, dbias);
    }
}
