using System.Runtime.InteropServices;

namespace CudaSeq.Kernels;

internal static partial class CopyKernel
{
    private static readonly CudaKernelFamily Narrowed = new("convert_from_float", KernelTypes.NarrowInference);
    private static readonly CudaKernelFamily Widened = new("convert_to_float", KernelTypes.NarrowInference);

    private static void CopyCuda(CudaDevice cuda, DeviceSpan x, DeviceSpan y) => cuda.CopyOnDevice(x, y);

    private static void ConvertCuda(CudaDevice cuda, DeviceSpan x, DeviceSpan y)
    {
        if (y.Length == 0)
            return;
        if (x.Type == y.Type)
            cuda.CopyOnDevice(x, y);
        else if (x.Type == DType.Float32)
            cuda.Launch(Narrowed[y.Type], Elementwise.Grid(cuda, x), new Dim3(Elementwise.Threads), 0, x, y, y.Length);
        else
            cuda.Launch(Widened[x.Type], Elementwise.Grid(cuda, y), new Dim3(Elementwise.Threads), 0, x, y, y.Length);
    }

    private static void FromHostCuda<T>(CudaDevice cuda, ReadOnlySpan<T> x, DeviceSpan y)
        where T : unmanaged
        => cuda.CopyFromHost(MemoryMarshal.AsBytes(x), y);

    private static void ToHostCuda<T>(CudaDevice cuda, DeviceSpan x, Span<T> y)
        where T : unmanaged
        => cuda.CopyToHost(x, MemoryMarshal.AsBytes(y));
}
