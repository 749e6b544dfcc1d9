namespace CudaSeq.Kernels;

internal static partial class ConcatKernel
{
    private static void ForwardCuda(CudaDevice cuda, in SliceSize size, DeviceSpan x, DeviceSpan y)
    {
        long run = size.Count * size.Inner;
        SliceKernel.CopyRows(cuda, size.Outer, run, x, run, y with { Offset = y.Offset + (size.Start * size.Inner) }, size.Length * size.Inner);
    }
}
