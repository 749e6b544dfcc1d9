namespace CudaSeq.Kernels;

internal static partial class DropoutKernel
{
    private static readonly CudaKernelFamily Values = new("dropout_forward", KernelTypes.Inference);

    private static void ForwardCuda(CudaDevice cuda, DropMask mask, DeviceSpan x, DeviceSpan y)
    {
        if (y.Length == 0)
            return;
        cuda.Launch(
            Values[y.Type], Elementwise.Grid(cuda, y), new Dim3(Elementwise.Threads), 0, x, y, y.Length,
            mask.Key.Seed, mask.Key.Stream, cuda.StreamShift, mask.Threshold, mask.Scale);
    }
}
