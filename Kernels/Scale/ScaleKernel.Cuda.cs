namespace CudaSeq.Kernels;

internal static partial class ScaleKernel
{
    private static readonly CudaKernel Values = new("scale_forward_f32");

    private static void ForwardCuda(CudaDevice cuda, DeviceSpan x, float factor, DeviceSpan y) => Elementwise.WithParameter(cuda, Values, x, factor, y);
}
