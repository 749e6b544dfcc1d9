namespace CudaSeq.Kernels;

internal static partial class GluKernel
{
    private static readonly CudaKernelFamily Values = new("glu_forward", KernelTypes.Inference);
    private static readonly CudaKernelFamily Gradients = new("glu_backward", KernelTypes.Training);

    private static void ForwardCuda(CudaDevice cuda, in GluSize size, DeviceSpan x, DeviceSpan y)
    {
        if (y.Length > 0)
            cuda.Launch(Values[y.Type], Elementwise.Grid(cuda, y), new Dim3(Elementwise.Threads), 0, x, y, y.Length, size.C);
    }

    private static void BackwardCuda(CudaDevice cuda, in GluSize size, DeviceSpan x, DeviceSpan dy, DeviceSpan dx)
    {
        if (dy.Length > 0)
            cuda.Launch(Gradients[dy.Type], Elementwise.Grid(cuda, dy), new Dim3(Elementwise.Threads), 0, x, dy, dx, dy.Length, size.C);
    }
}
