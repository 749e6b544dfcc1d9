namespace CudaSeq.Kernels;

internal static partial class SliceKernel
{
    private static readonly CudaKernelFamily Rows = new("copy_rows", KernelTypes.Bits);
    private static readonly CudaKernelFamily Gradients = new("slice_backward", KernelTypes.Bits);

    /// <summary>Copies <paramref name="rows"/> rows of <paramref name="run"/> elements between two strides.</summary>
    public static void CopyRows(CudaDevice cuda, long rows, long run, DeviceSpan x, long strideX, DeviceSpan y, long strideY)
    {
        if (rows * run > 0)
            cuda.Launch(Rows[x.Type], Elementwise.Grid(cuda, y with { Length = rows * run }), new Dim3(Elementwise.Threads), 0, x, strideX, y, strideY, rows * run, run);
    }

    private static void ForwardCuda(CudaDevice cuda, in SliceSize size, DeviceSpan x, DeviceSpan y)
    {
        long run = size.Count * size.Inner;
        CopyRows(cuda, size.Outer, run, x with { Offset = x.Offset + (size.Start * size.Inner) }, size.Length * size.Inner, y, run);
    }

    private static void BackwardCuda(CudaDevice cuda, in SliceSize size, DeviceSpan dy, DeviceSpan dx)
    {
        if (dx.Length == 0)
            return;
        cuda.Launch(
            Gradients[dx.Type], Elementwise.Grid(cuda, dx), new Dim3(Elementwise.Threads), 0, dy, dx, dx.Length,
            size.Length * size.Inner, size.Start * size.Inner, size.Count * size.Inner);
    }
}
