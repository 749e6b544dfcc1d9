namespace CudaSeq.Kernels;

internal static partial class DropoutAddLayerNormKernel
{
    private static readonly CudaKernelFamily Values = new("dropout_add_layer_norm_forward", KernelTypes.Inference);
    private static readonly CudaKernelFamily ValuesWide = new("dropout_add_layer_norm_forward_wide", KernelTypes.Inference);
    private static readonly CudaKernelFamily Gradients = new("dropout_add_layer_norm_backward", KernelTypes.Training);
    private static readonly CudaKernelFamily GradientsWide = new("dropout_add_layer_norm_backward_wide", KernelTypes.Training);

    private static void ForwardCuda(
        CudaDevice cuda, LayerNormSize size, DropMask mask, DeviceSpan x, DeviceSpan residual, DeviceSpan gain, DeviceSpan bias, DeviceSpan y,
        DeviceSpan? sum, DeviceSpan? mean, DeviceSpan? r)
    {
        if (size.N == 0)
            return;
        if (RowLaunch.IsWide(size.C))
        {
            // A block reads its row again, from y where nobody else wants the sum.
            cuda.Launch(
                ValuesWide[x.Type], new Dim3(size.N), RowLaunch.WideBlock(size.C), 0, x, residual, gain, bias, sum ?? y, y, mean, r, size.C, size.Epsilon,
                mask.Key.Seed, mask.Key.Stream, cuda.StreamShift, mask.Threshold, mask.Scale);
        }
        else
        {
            cuda.Launch(
                Values[x.Type], RowLaunch.Grid(size.N), RowLaunch.Block, 0, x, residual, gain, bias, sum, y, mean, r, (long)size.N, size.C, size.Epsilon,
                mask.Key.Seed, mask.Key.Stream, cuda.StreamShift, mask.Threshold, mask.Scale);
        }
    }

    private static void BackwardCuda(
        CudaDevice cuda, LayerNormSize size, DropMask mask, DeviceSpan sum, DeviceSpan gain, DeviceSpan mean, DeviceSpan r, DeviceSpan dy,
        DeviceSpan? dx, DeviceSpan? dresidual, DeviceSpan? dgain, DeviceSpan? dbias)
    {
        if (LayerNormKernel.RowGradients.IsEmpty(size, dgain, dbias))
            return;
        using var plan = new LayerNormKernel.RowGradients(cuda, size, dgain is not null || dbias is not null, [sum, gain, dy, dx ?? dy, dresidual ?? dy]);
        cuda.Launch(
            (plan.Wide ? GradientsWide : Gradients)[sum.Type], plan.Grid, LayerNormKernel.RowGradients.Block, plan.SharedBytes,
            sum, gain, mean, r, dy, dx, dresidual, plan.Partial, size.N, plan.BlockRows, size.C,
            mask.Key.Seed, mask.Key.Stream, cuda.StreamShift, mask.Threshold, mask.Scale);
        plan.Finish(cuda, dgain, dbias);
    }
}
