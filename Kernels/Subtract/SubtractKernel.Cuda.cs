namespace CudaSeq.Kernels;

internal static partial class SubtractKernel
{
    private static readonly CudaKernelFamily Same = new("subtract_forward", KernelTypes.Inference);
    private static readonly CudaKernelFamily Broadcast = new("subtract_forward_broadcast", KernelTypes.Inference);

    private static void ForwardCuda(CudaDevice cuda, in BroadcastSize size, DeviceSpan a, DeviceSpan b, DeviceSpan y)
        => Elementwise.Broadcast(cuda, Same, Broadcast, size, a, b, y);
}
