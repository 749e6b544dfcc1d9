using System.Numerics;

namespace CudaSeq.Kernels;

internal static partial class TopKKernel
{
    // Keys of 8 bytes that a block sorts in shared memory.
    private const int Capacity = 2048;

    // Threads are a power of two: they sort one key each.
    private const int FewThreads = 256;
    private const int ManyThreads = 1024;
    private const int LongRow = 4096;

    private static readonly CudaKernelFamily Largest = new("top_k_forward", KernelTypes.Inference);

    private static void ForwardCuda(CudaDevice cuda, TopKSize size, DeviceSpan x, DeviceSpan values, DeviceSpan indices)
    {
        if (size.N == 0 || size.K == 0)
            return;
        int threads = size.V > LongRow ? ManyThreads : FewThreads;
        bool spills = size.K > Capacity;
        int spillCount = spills ? checked((int)BitOperations.RoundUpToPowerOf2((uint)size.K)) : 0;
        long keys = (long)size.N * spillCount;
        using var scratch = new CallScratch(cuda, Math.Max(1, keys) * sizeof(ulong));
        KernelArgument spill = spills ? scratch.Span(0, 2 * keys) : 0UL;
        cuda.Launch(
            Largest[x.Type], new Dim3(size.N), new Dim3(threads), Capacity * sizeof(ulong), x, values, indices, spill,
            size.V, size.K, Capacity, spillCount);
    }
}
