namespace CudaSeq.Kernels;

internal static partial class AddKernel
{
    private static readonly CudaKernelFamily Same = new("add_forward", KernelTypes.Inference);
    private static readonly CudaKernelFamily Broadcast = new("add_forward_broadcast", KernelTypes.Inference);

    private static void ForwardCuda(CudaDevice cuda, in BroadcastSize size, DeviceSpan a, DeviceSpan b, DeviceSpan y)
        => Elementwise.Broadcast(cuda, Same, Broadcast, size, a, b, y);

    private static void AccumulateCuda(CudaDevice cuda, DeviceSpan sum, DeviceSpan x) => Elementwise.Binary(cuda, Same, sum, x, sum);
}
