using System.Runtime.InteropServices;

namespace CudaSeq.Kernels;

internal static partial class GradientNormKernel
{
    private const int CudaThreads = 256;
    private const int SumThreads = 1024;

    // As in GradientNormKernel.cuh.
    private const int CudaBlockElements = 16 * 1024;

    // Lists of a usual model lie on the stack.
    private const int StackWords = 1024;

    private static readonly CudaKernel Blocks = new("gradient_norm_blocks_f32");
    private static readonly CudaKernel SumOfBlocks = new("gradient_norm_sum_f64");
    private static readonly CudaKernel ClipFactor = new("gradient_norm_clip_f32");

    private static double SumOfSquaresCuda(CudaDevice cuda, ReadOnlySpan<DeviceSpan> gradients)
    {
        using var scratch = new CallScratch(cuda, PartialBytes(gradients) + sizeof(double));
        DeviceSpan sum = scratch.Span(0, 2);
        int blocks = LaunchBlocks(cuda, gradients, scratch, sizeof(double) / sizeof(float));
        if (blocks == 0)
            return 0;
        cuda.Launch(SumOfBlocks, new Dim3(1), new Dim3(SumThreads), 0, scratch.Span(2, 2L * blocks), sum, blocks);
        double result = 0;
        cuda.CopyToHost(sum, MemoryMarshal.AsBytes(new Span<double>(ref result)));
        return result;
    }

    private static void ClipCuda(CudaDevice cuda, ClipSize size, ReadOnlySpan<DeviceSpan> gradients, DeviceSpan loss, DeviceSpan norm, DeviceSpan guard)
    {
        using var scratch = new CallScratch(cuda, PartialBytes(gradients) + sizeof(double));
        int blocks = LaunchBlocks(cuda, gradients, scratch, 0);
        cuda.Launch(
            ClipFactor, new Dim3(1), new Dim3(SumThreads), 0, scratch.Span(0, 2L * blocks), blocks, size.Scale, size.MaxNorm, loss, norm, guard);
    }

    private static long PartialBytes(ReadOnlySpan<DeviceSpan> gradients)
    {
        long blocks = 0;
        foreach (var gradient in gradients)
            blocks += (gradient.Length + CudaBlockElements - 1) / CudaBlockElements;
        return blocks * sizeof(double);
    }

    // The sum of squares of every block, from element `offset` of the scratch on; how many there are.
    private static int LaunchBlocks(CudaDevice cuda, ReadOnlySpan<DeviceSpan> gradients, in CallScratch scratch, long offset)
    {
        int words = CudaTensorList.Words(gradients.Length, 1);
        using var list = new CudaTensorList(cuda, words <= StackWords ? stackalloc long[words] : new long[words], gradients.Length, 1, CudaBlockElements);
        foreach (var gradient in gradients)
            list.Add(gradient.Length, gradient);
        int blocks = list.Blocks;
        if (blocks > 0)
            cuda.Launch(Blocks, new Dim3(blocks), new Dim3(CudaThreads), 0, list.Upload(), gradients.Length, scratch.Span(offset, 2L * blocks));
        return blocks;
    }
}
