namespace CudaSeq.Kernels;

internal static partial class LogSoftmaxKernel
{
    private static readonly CudaKernel Values = new("log_softmax_forward_f32");
    private static readonly CudaKernel ValuesWide = new("log_softmax_forward_wide_f32");
    private static readonly CudaKernel Gradients = new("log_softmax_backward_f32");
    private static readonly CudaKernel GradientsWide = new("log_softmax_backward_wide_f32");

    private static void ForwardCuda(CudaDevice cuda, SoftmaxSize size, DeviceSpan x, DeviceSpan y)
    {
        if (y.Length == 0)
            return;
        if (RowLaunch.IsWide(size.C))
            cuda.Launch(ValuesWide, new Dim3(size.N), RowLaunch.WideBlock(size.C), 0, x, y, size.C);
        else
            cuda.Launch(Values, RowLaunch.Grid(size.N), RowLaunch.Block, 0, x, y, (long)size.N, size.C);
    }

    private static void BackwardCuda(CudaDevice cuda, SoftmaxSize size, DeviceSpan y, DeviceSpan dy, DeviceSpan dx)
    {
        if (dx.Length == 0)
            return;
        if (RowLaunch.IsWide(size.C))
            cuda.Launch(GradientsWide, new Dim3(size.N), RowLaunch.WideBlock(size.C), 0, y, dy, dx, size.C);
        else
            cuda.Launch(Gradients, RowLaunch.Grid(size.N), RowLaunch.Block, 0, y, dy, dx, (long)size.N, size.C);
    }
}
