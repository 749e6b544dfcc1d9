namespace CudaSeq.Kernels;

internal static unsafe partial class ConcatKernel
{
    private static void ForwardCpu(CpuDevice cpu, in SliceSize size, DeviceSpan x, DeviceSpan y)
        => SliceKernel.CopyRows(
            cpu, size.Outer, size.Count * size.Inner, x.Floats, size.Count * size.Inner, y.Floats + (size.Start * size.Inner), size.Length * size.Inner);
}
