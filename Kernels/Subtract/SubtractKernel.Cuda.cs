namespace CudaSeq.Kernels;

internal static partial class SubtractKernel
{
    private static readonly CudaKernel Same = new("subtract_forward_f32");
    private static readonly CudaKernel Broadcast = new("subtract_forward_broadcast_f32");

    private static void ForwardCuda(CudaDevice cuda, in BroadcastSize size, DeviceSpan a, DeviceSpan b, DeviceSpan y)
        => Elementwise.Broadcast(cuda, Same, Broadcast, size, a, b, y);
}
