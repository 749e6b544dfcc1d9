namespace CudaSeq.Kernels;

internal static partial class ReluKernel
{
    private static readonly CudaKernel Values = new("relu_forward_f32");
    private static readonly CudaKernel Gradients = new("relu_backward_f32");

    private static void ForwardCuda(CudaDevice cuda, DeviceSpan x, DeviceSpan y) => Elementwise.Unary(cuda, Values, x, y);

    private static void BackwardCuda(CudaDevice cuda, DeviceSpan y, DeviceSpan dy, DeviceSpan dx) => Elementwise.Binary(cuda, Gradients, y, dy, dx);
}
