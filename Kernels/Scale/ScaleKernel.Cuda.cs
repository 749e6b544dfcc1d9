namespace CudaSeq.Kernels;

internal static partial class ScaleKernel
{
    private static readonly CudaKernelFamily Values = new("scale_forward", KernelTypes.Inference);

    private static void ForwardCuda(CudaDevice cuda, DeviceSpan x, float factor, DeviceSpan y) => Elementwise.WithParameter(cuda, Values, x, factor, y);
}
