namespace CudaSeq.Kernels;

internal static partial class MaskedFillKernel
{
    private static readonly CudaKernelFamily Values = new("masked_fill_forward", KernelTypes.Inference);

    private static void ForwardCuda(CudaDevice cuda, in BroadcastSize size, DeviceSpan x, DeviceSpan mask, float value, DeviceSpan y)
    {
        if (y.Length == 0)
            return;
        int packed = Elementwise.IsPacked(size, x, mask, y) ? 1 : 0;
        cuda.Launch(
            Values[y.Type], Elementwise.Grid(cuda, y), new Dim3(Elementwise.Threads), 0, x, mask, value, y, y.Length, packed,
            size.Inner, size.InnerStrideB, size.OuterRank,
            size.Size(0), size.Size(1), size.Size(2), size.Size(3), size.Size(4),
            size.StrideB(0), size.StrideB(1), size.StrideB(2), size.StrideB(3), size.StrideB(4));
    }
}
