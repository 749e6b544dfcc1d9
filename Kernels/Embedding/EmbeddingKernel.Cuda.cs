namespace CudaSeq.Kernels;

internal static partial class EmbeddingKernel
{
    private const int Threads = 256;
    private const int WarpLanes = 32;
    private const int PackElements = 4;

    // As in EmbeddingKernel.cuh.
    private const int Short = 64;
    private const int LongThreads = 16 * WarpLanes;

    private static readonly CudaKernel Values = new("embedding_forward_f32");
    private static readonly CudaKernel Gradients = new("embedding_backward_f32");
    private static readonly CudaKernel FrequentGradients = new("embedding_backward_frequent_f32");

    private static void ForwardCuda(CudaDevice cuda, in EmbeddingSize size, DeviceSpan table, DeviceSpan ids, DeviceSpan y)
    {
        if (y.Length > 0)
            cuda.Launch(Values, Elementwise.GridOfWarps(size.N, Threads), new Dim3(Threads), 0, table, ids, y, (long)size.N, size.C, size.Scale);
    }

    private static void BackwardCuda(CudaDevice cuda, in EmbeddingSize size, DeviceSpan ids, DeviceSpan dy, DeviceSpan dtable)
    {
        if (dtable.Length == 0)
            return;
        using var buckets = new CudaIndexBuckets(cuda, ids, size.N, size.V);
        cuda.Launch(
            Gradients, Elementwise.GridOfWarps(size.V, Threads), new Dim3(Threads), 0, buckets.Starts, buckets.Positions, dy, dtable,
            size.V, size.C, size.Scale, size.PaddingIndex);
        if (size.N <= Short)
            return;
        bool packed = size.C % PackElements == 0 && Elementwise.IsAligned(dy) && Elementwise.IsAligned(dtable);
        int tileColumns = WarpLanes * (packed ? PackElements : 1);
        cuda.Launch(
            FrequentGradients, new Dim3((size.N + Short - 1) / Short, (size.C + tileColumns - 1) / tileColumns), new Dim3(LongThreads), 0,
            buckets.Starts, buckets.Sorted, buckets.Positions, dy, dtable, size.C, size.Scale, size.PaddingIndex, packed ? 1 : 0);
    }
}
