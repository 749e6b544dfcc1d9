using System.Runtime.InteropServices;

namespace CudaSeq.Kernels;

internal static partial class IndexRangeKernel
{
    private static readonly CudaKernel Outside = new("index_range_first_outside_i32");

    private static long FirstOutsideCuda(CudaDevice cuda, DeviceSpan indices, int limit, int? allowed)
    {
        if (indices.Length == 0)
            return -1;
        using var scratch = new CallScratch(cuda, sizeof(ulong));
        var first = scratch.Span(0, 2);
        cuda.Fill32(first, uint.MaxValue);
        cuda.Launch(
            Outside, Elementwise.Grid(cuda, indices), new Dim3(Elementwise.Threads), 0, indices, first, indices.Length, limit,
            allowed is null ? 0 : 1, allowed ?? 0);
        long result = 0;
        cuda.CopyToHost(first, MemoryMarshal.AsBytes(new Span<long>(ref result)));
        return result;
    }
}
