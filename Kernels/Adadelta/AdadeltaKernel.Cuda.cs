namespace CudaSeq.Kernels;

internal static partial class AdadeltaKernel
{
    private const int CudaThreads = 256;
    private const int Operands = 5;

    // As in AdadeltaKernel.cuh: 28 or 30 bytes of traffic an element, eight packs a thread.
    private const int CudaBlockElements = 8 * 1024;

    // Lists of a usual model lie on the stack.
    private const int StackWords = 1024;

    private static readonly CudaKernel Update = new("adadelta_step_f32");

    private static void StepCuda(CudaDevice cuda, in AdadeltaFactors factors, ReadOnlySpan<AdadeltaSlot> slots, DeviceSpan? scale)
    {
        int words = CudaTensorList.Words(slots.Length, Operands);
        using var list = new CudaTensorList(cuda, words <= StackWords ? stackalloc long[words] : new long[words], slots.Length, Operands, CudaBlockElements);
        foreach (var (p, g, a, b, copy) in slots)
            list.Add(p.Length, p, g, a, b, copy);
        if (list.Blocks == 0)
            return;
        cuda.Launch(
            Update, new Dim3(list.Blocks), new Dim3(CudaThreads), 0, list.Upload(), slots.Length,
            factors.GradientScale, factors.L2, factors.Rho, factors.Gain, factors.Epsilon, factors.StepSize, scale);
    }
}
