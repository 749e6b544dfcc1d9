namespace CudaSeq.Kernels;

internal static partial class GluKernel
{
    private static readonly CudaKernel Values = new("glu_forward_f32");
    private static readonly CudaKernel Gradients = new("glu_backward_f32");

    private static void ForwardCuda(CudaDevice cuda, in GluSize size, DeviceSpan x, DeviceSpan y)
    {
        if (y.Length > 0)
            cuda.Launch(Values, Elementwise.Grid(cuda, y.Length), new Dim3(Elementwise.Threads), 0, x, y, y.Length, size.C);
    }

    private static void BackwardCuda(CudaDevice cuda, in GluSize size, DeviceSpan x, DeviceSpan dy, DeviceSpan dx)
    {
        if (dy.Length > 0)
            cuda.Launch(Gradients, Elementwise.Grid(cuda, dy.Length), new Dim3(Elementwise.Threads), 0, x, dy, dx, dy.Length, size.C);
    }
}
