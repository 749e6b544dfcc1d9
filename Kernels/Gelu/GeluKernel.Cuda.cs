namespace CudaSeq.Kernels;

internal static partial class GeluKernel
{
    private static readonly CudaKernelFamily Values = new("gelu_forward", KernelTypes.Inference);
    private static readonly CudaKernelFamily Gradients = new("gelu_backward", KernelTypes.Training);

    private static void ForwardCuda(CudaDevice cuda, DeviceSpan x, DeviceSpan y) => Elementwise.Unary(cuda, Values, x, y);

    private static void BackwardCuda(CudaDevice cuda, DeviceSpan x, DeviceSpan dy, DeviceSpan dx) => Elementwise.Binary(cuda, Gradients, x, dy, dx);
}
