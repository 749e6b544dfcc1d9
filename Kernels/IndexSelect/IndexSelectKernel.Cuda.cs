namespace CudaSeq.Kernels;

internal static partial class IndexSelectKernel
{
    private static readonly CudaKernelFamily Values = new("index_select_forward", KernelTypes.Bits);
    private static readonly CudaKernelFamily Gradients = new("index_select_backward", KernelTypes.Training);

    private static void ForwardCuda(CudaDevice cuda, in IndexSelectSize size, DeviceSpan x, DeviceSpan indices, DeviceSpan y)
    {
        long length = size.Outer * size.N * size.Inner;
        if (length > 0)
            cuda.Launch(Values[x.Type], Elementwise.Grid(cuda, y), new Dim3(Elementwise.Threads), 0, x, indices, y, length, size.Length, size.Inner, size.N);
    }

    private static void BackwardCuda(CudaDevice cuda, in IndexSelectSize size, DeviceSpan indices, DeviceSpan dy, DeviceSpan dx)
    {
        long length = size.Outer * size.Length * size.Inner;
        if (length == 0)
            return;
        using var buckets = new CudaIndexBuckets(cuda, indices, size.N, size.Length);
        cuda.Launch(
            Gradients[dy.Type], Elementwise.Grid(cuda, dx), new Dim3(Elementwise.Threads), 0, buckets.Starts, buckets.Positions, dy, dx, length,
            size.Length, size.Inner, size.N);
    }
}
