using System.Runtime.InteropServices;

namespace CudaSeq.Kernels;

internal static partial class IsFiniteKernel
{
    private static readonly CudaKernelFamily AllElements = new("is_finite_all", KernelTypes.Inference);

    private static bool AllCuda(CudaDevice cuda, DeviceSpan x)
    {
        if (x.Length == 0)
            return true;
        using var scratch = new CallScratch(cuda, sizeof(int));
        var found = scratch.Span(0, 1);
        cuda.Fill32(found, 0);
        cuda.Launch(AllElements[x.Type], Elementwise.Grid(cuda, x), new Dim3(Elementwise.Threads), 0, x, found, x.Length);
        int result = 0;
        cuda.CopyToHost(found, MemoryMarshal.AsBytes(new Span<int>(ref result)));
        return result == 0;
    }
}
