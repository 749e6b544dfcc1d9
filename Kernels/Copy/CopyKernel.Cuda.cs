using System.Runtime.InteropServices;

namespace CudaSeq.Kernels;

internal static partial class CopyKernel
{
    private static void CopyCuda(CudaDevice cuda, DeviceSpan x, DeviceSpan y) => cuda.CopyOnDevice(x, y);

    private static void FromHostCuda<T>(CudaDevice cuda, ReadOnlySpan<T> x, DeviceSpan y)
        where T : unmanaged
        => cuda.CopyFromHost(MemoryMarshal.AsBytes(x), y);

    private static void ToHostCuda<T>(CudaDevice cuda, DeviceSpan x, Span<T> y)
        where T : unmanaged
        => cuda.CopyToHost(x, MemoryMarshal.AsBytes(y));
}
