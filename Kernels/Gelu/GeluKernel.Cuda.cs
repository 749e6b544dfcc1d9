namespace CudaSeq.Kernels;

internal static partial class GeluKernel
{
    private static readonly CudaKernel Values = new("gelu_forward_f32");
    private static readonly CudaKernel Gradients = new("gelu_backward_f32");

    private static void ForwardCuda(CudaDevice cuda, DeviceSpan x, DeviceSpan y) => Elementwise.Unary(cuda, Values, x, y);

    private static void BackwardCuda(CudaDevice cuda, DeviceSpan x, DeviceSpan dy, DeviceSpan dx) => Elementwise.Binary(cuda, Gradients, x, dy, dx);
}
