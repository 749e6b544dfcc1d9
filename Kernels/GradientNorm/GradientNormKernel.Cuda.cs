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

    private static double SumOfSquaresCuda(CudaDevice cuda, ReadOnlySpan<DeviceSpan> gradients)
    {
        int words = CudaTensorList.Words(gradients.Length, 1);
        using var list = new CudaTensorList(cuda, words <= StackWords ? stackalloc long[words] : new long[words], gradients.Length, 1, CudaBlockElements);
        foreach (var gradient in gradients)
            list.Add(gradient.Length, gradient);
        int blocks = list.Blocks;
        if (blocks == 0)
            return 0;
        using var scratch = new CallScratch(cuda, (blocks + 1L) * sizeof(double));
        DeviceSpan sum = scratch.Span(0, 2), partial = scratch.Span(2, 2L * blocks);
        cuda.Launch(Blocks, new Dim3(blocks), new Dim3(CudaThreads), 0, list.Upload(), gradients.Length, partial);
        cuda.Launch(SumOfBlocks, new Dim3(1), new Dim3(SumThreads), 0, partial, sum, blocks);
        double result = 0;
        cuda.CopyToHost(sum, MemoryMarshal.AsBytes(new Span<double>(ref result)));
        return result;
    }
}
