namespace CudaSeq.Kernels;

internal static partial class MaskPaddingKernel
{
    private static readonly CudaKernelFamily Values = new("mask_padding_forward", KernelTypes.Inference);

    private static void ForwardCuda(CudaDevice cuda, in MaskPaddingSize size, DeviceSpan x, DeviceSpan lengths, DeviceSpan y)
    {
        if (y.Length > 0)
            cuda.Launch(Values[y.Type], Elementwise.Grid(cuda, y), new Dim3(Elementwise.Threads), 0, x, lengths, y, y.Length, size.T, size.Inner);
    }
}
