namespace CudaSeq.Kernels;

internal static partial class SoftmaxKernel
{
    private static readonly CudaKernelFamily Values = new("softmax_forward", KernelTypes.Inference);
    private static readonly CudaKernelFamily ValuesWide = new("softmax_forward_wide", KernelTypes.Inference);
    private static readonly CudaKernelFamily Gradients = new("softmax_backward", KernelTypes.Training);
    private static readonly CudaKernelFamily GradientsWide = new("softmax_backward_wide", KernelTypes.Training);

    private static void ForwardCuda(CudaDevice cuda, SoftmaxSize size, DeviceSpan x, DeviceSpan y)
    {
        if (y.Length == 0)
            return;
        if (RowLaunch.IsWide(size.C))
            cuda.Launch(ValuesWide[x.Type], new Dim3(size.N), RowLaunch.WideBlock(size.C), 0, x, y, size.C);
        else
            cuda.Launch(Values[x.Type], RowLaunch.Grid(size.N), RowLaunch.Block, 0, x, y, (long)size.N, size.C);
    }

    private static void BackwardCuda(CudaDevice cuda, SoftmaxSize size, DeviceSpan y, DeviceSpan dy, DeviceSpan dx)
    {
        if (dx.Length == 0)
            return;
        if (RowLaunch.IsWide(size.C))
            cuda.Launch(GradientsWide[dy.Type], new Dim3(size.N), RowLaunch.WideBlock(size.C), 0, y, dy, dx, size.C);
        else
            cuda.Launch(Gradients[dy.Type], RowLaunch.Grid(size.N), RowLaunch.Block, 0, y, dy, dx, (long)size.N, size.C);
    }
}
