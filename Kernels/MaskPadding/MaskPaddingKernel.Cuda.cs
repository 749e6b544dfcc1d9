namespace CudaSeq.Kernels;

internal static partial class MaskPaddingKernel
{
    private static readonly CudaKernel Values = new("mask_padding_forward_f32");

    private static void ForwardCuda(CudaDevice cuda, in MaskPaddingSize size, DeviceSpan x, DeviceSpan lengths, DeviceSpan y)
    {
        if (y.Length > 0)
            cuda.Launch(Values, Elementwise.Grid(cuda, y.Length), new Dim3(Elementwise.Threads), 0, x, lengths, y, y.Length, size.T, size.Inner);
    }
}
