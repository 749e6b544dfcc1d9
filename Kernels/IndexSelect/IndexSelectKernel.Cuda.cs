namespace CudaSeq.Kernels;

internal static partial class IndexSelectKernel
{
    private static readonly CudaKernel Values = new("index_select_forward_b32");
    private static readonly CudaKernel Gradients = new("index_select_backward_f32");

    private static void ForwardCuda(CudaDevice cuda, in IndexSelectSize size, DeviceSpan x, DeviceSpan indices, DeviceSpan y)
    {
        long length = size.Outer * size.N * size.Inner;
        if (length > 0)
            cuda.Launch(Values, Elementwise.Grid(cuda, length), new Dim3(Elementwise.Threads), 0, x, indices, y, length, size.Length, size.Inner, size.N);
    }

    private static void BackwardCuda(CudaDevice cuda, in IndexSelectSize size, DeviceSpan indices, DeviceSpan dy, DeviceSpan dx)
    {
        long length = size.Outer * size.Length * size.Inner;
        if (length == 0)
            return;
        using var buckets = new CudaIndexBuckets(cuda, indices, size.N, size.Length);
        cuda.Launch(
            Gradients, Elementwise.Grid(cuda, length), new Dim3(Elementwise.Threads), 0, buckets.Starts, buckets.Positions, dy, dx, length,
            size.Length, size.Inner, size.N);
    }
}
