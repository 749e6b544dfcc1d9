namespace CudaSeq.Kernels;

internal static partial class FillKernel
{
    private static void ZeroCuda(CudaDevice cuda, DeviceSpan y) => cuda.Zero(y);

    private static void FillCuda(CudaDevice cuda, DeviceSpan y, float value) => cuda.Fill32(y, BitConverter.SingleToUInt32Bits(value));
}
