namespace CudaSeq.Kernels;

internal static partial class MultiplyKernel
{
    private static readonly CudaKernelFamily Same = new("multiply_forward", KernelTypes.Inference);
    private static readonly CudaKernelFamily Broadcast = new("multiply_forward_broadcast", KernelTypes.Inference);
    private static readonly CudaKernelFamily Gradients = new("multiply_backward", KernelTypes.Training);

    private static void ForwardCuda(CudaDevice cuda, in BroadcastSize size, DeviceSpan a, DeviceSpan b, DeviceSpan y)
        => Elementwise.Broadcast(cuda, Same, Broadcast, size, a, b, y);

    private static void BackwardCuda(CudaDevice cuda, DeviceSpan a, DeviceSpan b, DeviceSpan dy, DeviceSpan da, DeviceSpan db)
    {
        if (dy.Length > 0)
            cuda.Launch(Gradients[dy.Type], Elementwise.Grid(cuda, dy), new Dim3(Elementwise.Threads), 0, a, b, dy, da, db, dy.Length);
    }
}
