using System.Numerics;

namespace CudaSeq.Kernels;

internal static partial class AttentionStepKernel
{
    // As in AttentionStepKernel.cuh.
    private const int CudaThreads = 128;
    private const int CudaQueries = 4;
    private const int Places = 256;

    private static readonly CudaKernelFamily Values = new("attention_step", KernelTypes.Inference);
    private static readonly CudaKernelFamily Join = new("attention_step_join", KernelTypes.Inference);

    private static void ForwardCuda(
        CudaDevice cuda, AttentionStepSize size, DeviceSpan q, DeviceSpan keys, DeviceSpan values, DeviceSpan? lengths, DeviceSpan? origins, DeviceSpan y)
    {
        if (y.Length == 0)
            return;
        int parts = Math.Max(1, (size.Most + Places - 1) / Places), groups = (size.Queries + CudaQueries - 1) / CudaQueries;
        int packs = (size.D + 3) / 4, width = Math.Min(CudaThreads, (int)BitOperations.RoundUpToPowerOf2((uint)packs)), slices = CudaThreads / width;
        int shared = CudaQueries * ((4 * packs) + Places + (slices * 4 * packs)) * sizeof(float);
        long sums = parts > 1 ? (long)size.N * size.H * parts * (size.D + 2) : 0;
        using var scratch = new CallScratch(cuda, Math.Max(1, sums) * sizeof(float));
        KernelArgument partial = parts > 1 ? scratch.Span(0, sums) : 0UL;
        cuda.Launch(
            Values[q.Type], new Dim3(checked(size.M * size.H * groups * parts)), new Dim3(CudaThreads), shared, q, keys, values, lengths, origins, y, partial,
            size.N, size.M, size.S, size.C, size.H, size.Count, size.Scale, size.Window, size.Beam, parts, groups, slices);
        if (parts > 1)
        {
            cuda.Launch(
                Join[q.Type], Elementwise.GridOfWarps((long)size.N * size.H, CudaThreads), new Dim3(CudaThreads), 0, partial, lengths, y,
                size.N, size.M, size.S, size.C, size.H, size.Count, size.Scale, size.Window, size.Beam, parts);
        }
    }
}
