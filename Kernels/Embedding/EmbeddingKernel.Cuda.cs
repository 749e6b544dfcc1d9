namespace CudaSeq.Kernels;

internal static partial class EmbeddingKernel
{
    private const int Threads = 256;
    private const int WarpLanes = 32;

    // As in EmbeddingKernel.cuh.
    private const int Short = 64;
    private const int LongThreads = 16 * WarpLanes;

    private static readonly CudaKernelFamily Values = new("embedding_forward", KernelTypes.Inference);
    private static readonly CudaKernelFamily Gradients = new("embedding_backward", KernelTypes.Training);
    private static readonly CudaKernelFamily FrequentGradients = new("embedding_backward_frequent", KernelTypes.Training);

    private static void ForwardCuda(CudaDevice cuda, in EmbeddingSize size, DeviceSpan table, DeviceSpan ids, DeviceSpan y)
    {
        if (y.Length > 0)
            cuda.Launch(Values[y.Type], Elementwise.GridOfWarps(size.N, Threads), new Dim3(Threads), 0, table, ids, y, (long)size.N, size.C, size.Scale);
    }

    private static void BackwardCuda(CudaDevice cuda, in EmbeddingSize size, DeviceSpan ids, DeviceSpan dy, DeviceSpan dtable)
    {
        if (dtable.Length == 0)
            return;
        using var buckets = new CudaIndexBuckets(cuda, ids, size.N, size.V);
        cuda.Launch(
            Gradients[dy.Type], Elementwise.GridOfWarps(size.V, Threads), new Dim3(Threads), 0, buckets.Starts, buckets.Positions, dy, dtable,
            size.V, size.C, size.Scale, size.PaddingIndex);
        if (size.N <= Short)
            return;
        int pack = Elementwise.Pack(dy.Type);
        bool packed = size.C % pack == 0 && Elementwise.IsAligned(dy) && Elementwise.IsAligned(dtable);
        int tileColumns = WarpLanes * (packed ? pack : 1);
        cuda.Launch(
            FrequentGradients[dy.Type], new Dim3((size.N + Short - 1) / Short, (size.C + tileColumns - 1) / tileColumns), new Dim3(LongThreads), 0,
            buckets.Starts, buckets.Sorted, buckets.Positions, dy, dtable, size.C, size.Scale, size.PaddingIndex, packed ? 1 : 0);
    }
}
