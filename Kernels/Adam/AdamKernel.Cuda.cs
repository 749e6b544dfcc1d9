namespace CudaSeq.Kernels;

internal static partial class AdamKernel
{
    private const int CudaThreads = 256;
    private const int Operands = 5;

    // As in AdamKernel.cuh: 28 or 30 bytes of traffic an element, eight packs a thread.
    private const int CudaBlockElements = 8 * 1024;

    // Lists of a usual model lie on the stack.
    private const int StackWords = 1024;

    private static readonly CudaKernel Update = new("adam_step_f32");

    private static void StepCuda(CudaDevice cuda, in AdamFactors factors, ReadOnlySpan<AdamSlot> slots, DeviceSpan? scale)
    {
        int words = CudaTensorList.Words(slots.Length, Operands);
        using var list = new CudaTensorList(cuda, words <= StackWords ? stackalloc long[words] : new long[words], slots.Length, Operands, CudaBlockElements);
        foreach (var (p, g, m, v, copy) in slots)
            list.Add(p.Length, p, g, m, v, copy);
        if (list.Blocks == 0)
            return;
        cuda.Launch(
            Update, new Dim3(list.Blocks), new Dim3(CudaThreads), 0, list.Upload(), slots.Length, factors.GradientScale, factors.L2, factors.Beta1, factors.Gain1,
            factors.Beta2, factors.Gain2, factors.StepSize, factors.RootScale, factors.Epsilon, factors.Decay, scale);
    }
}
