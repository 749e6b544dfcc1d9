namespace CudaSeq.Kernels;

internal static partial class MultiplyKernel
{
    private static readonly CudaKernel Same = new("multiply_forward_f32");
    private static readonly CudaKernel Broadcast = new("multiply_forward_broadcast_f32");
    private static readonly CudaKernel Gradients = new("multiply_backward_f32");

    private static void ForwardCuda(CudaDevice cuda, in BroadcastSize size, DeviceSpan a, DeviceSpan b, DeviceSpan y)
        => Elementwise.Broadcast(cuda, Same, Broadcast, size, a, b, y);

    private static void BackwardCuda(CudaDevice cuda, DeviceSpan a, DeviceSpan b, DeviceSpan dy, DeviceSpan da, DeviceSpan db)
    {
        if (dy.Length > 0)
            cuda.Launch(Gradients, Elementwise.Grid(cuda, dy.Length), new Dim3(Elementwise.Threads), 0, a, b, dy, da, db, dy.Length);
    }
}
