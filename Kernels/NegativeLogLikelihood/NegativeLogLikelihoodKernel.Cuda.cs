namespace CudaSeq.Kernels;

internal static partial class NegativeLogLikelihoodKernel
{
    private static readonly CudaKernel Rows = new("negative_log_likelihood_rows_f32");
    private static readonly CudaKernel Gradients = new("negative_log_likelihood_backward_f32");

    private static void ForwardCuda(CudaDevice cuda, in CrossEntropySize size, DeviceSpan x, DeviceSpan targets, DeviceSpan loss, DeviceSpan nll)
    {
        // Two doubles a row, each twice as long as an element.
        using var memory = new CallScratch(cuda, 2L * sizeof(double) * size.N);
        DeviceSpan losses = memory.Span(0, 2L * size.N), nlls = memory.Span(2L * size.N, 2L * size.N);
        if (size.N > 0)
            cuda.Launch(Rows, new Dim3(size.N), RowLaunch.WideBlock(size.V), 0, x, targets, losses, nlls, size.V, size.PaddingIndex, size.OnEvery, size.OnTarget);
        CrossEntropyKernel.LaunchSums(cuda, size.N, losses, nlls, loss, nll);
    }

    private static void BackwardCuda(CudaDevice cuda, in CrossEntropySize size, DeviceSpan dloss, DeviceSpan targets, DeviceSpan dx)
    {
        if (size.N > 0)
            cuda.Launch(Gradients, new Dim3(size.N), RowLaunch.WideBlock(size.V), 0, dloss, targets, dx, size.V, size.PaddingIndex, size.OnEvery, size.OnTarget);
    }
}
