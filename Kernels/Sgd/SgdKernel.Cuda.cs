namespace CudaSeq.Kernels;

internal static partial class SgdKernel
{
    private const int CudaThreads = 256;
    private const int Operands = 4;

    // As in SgdKernel.cuh.
    private const int CudaBlockElements = 8 * 1024;

    // Lists of a usual model lie on the stack.
    private const int StackWords = 1024;

    private static readonly CudaKernel Update = new("sgd_step_f32");

    private static void StepCuda(CudaDevice cuda, in SgdFactors factors, ReadOnlySpan<SgdSlot> slots, DeviceSpan? scale)
    {
        int words = CudaTensorList.Words(slots.Length, Operands);
        using var list = new CudaTensorList(cuda, words <= StackWords ? stackalloc long[words] : new long[words], slots.Length, Operands, CudaBlockElements);
        foreach (var (p, g, v, copy) in slots)
            list.Add(p.Length, p, g, v, copy);
        if (list.Blocks == 0)
            return;
        cuda.Launch(
            Update, new Dim3(list.Blocks), new Dim3(CudaThreads), 0, list.Upload(), slots.Length,
            factors.GradientScale, factors.L2, factors.Momentum, factors.StepSize, factors.Nesterov ? 1 : 0, scale);
    }
}
