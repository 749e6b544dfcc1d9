namespace CudaSeq.Kernels;

internal static partial class QuantizedLinearKernel
{
    // Rows and outputs of a block, quantized_tile of the kernel.
    private const int CudaTile = 64;
    private const int CudaThreads = 256;

    private static readonly CudaKernelFamily QuantizeRows = new("quantize_rows", KernelTypes.Inference);
    private static readonly CudaKernelFamily Products = new("quantized_linear_forward", KernelTypes.Inference);

    private static void QuantizeCuda(CudaDevice cuda, in QuantizedLinearSize size, DeviceSpan weight, DeviceSpan words, DeviceSpan scales)
        => cuda.Launch(
            QuantizeRows[weight.Type], new Dim3(size.PaddedOutputs), new Dim3(CudaThreads), 0, weight, words, scales, size.O, size.I, size.Groups, 1);

    private static void ForwardCuda(
        CudaDevice cuda, in QuantizedLinearSize size, DeviceSpan x, DeviceSpan words, DeviceSpan scales, DeviceSpan? bias, DeviceSpan y)
    {
        if (y.Length == 0)
            return;
        long integers = Math.Max(1, (long)size.N * size.Groups);
        using var scratch = new CallScratch(cuda, (integers + size.N) * sizeof(int));
        DeviceSpan rows = scratch.Span(0, integers), rowScales = scratch.Span(integers, size.N);
        cuda.Launch(QuantizeRows[x.Type], new Dim3(size.N), new Dim3(CudaThreads), 0, x, rows, rowScales, size.N, size.I, size.Groups, 0);
        cuda.Launch(
            Products[y.Type],
            new Dim3(checked((size.O + CudaTile - 1) / CudaTile * ((size.N + CudaTile - 1) / CudaTile))),
            new Dim3(CudaThreads),
            0,
            rows,
            rowScales,
            words,
            scales,
            bias,
            y,
            size.N,
            size.O,
            size.Groups,
            (int)size.Activation);
    }
}
