namespace CudaSeq.Kernels;

internal static partial class ParameterUpdateKernel
{
    private const int CudaThreads = 256;

    // As in ParameterUpdateKernel.cuh: at most 30 bytes of traffic an element, eight packs a thread.
    private const int CudaBlockElements = 8 * 1024;

    // Lists of a usual model lie on the stack.
    private const int StackWords = 1024;

    private static void StepCuda<TRule>(CudaDevice cuda, TRule rule, ReadOnlySpan<UpdateSlot> slots, DeviceSpan? scale)
        where TRule : struct, IUpdateRule<TRule>
    {
        // The copy stands third, whatever the rule remembers.
        int operands = 3 + TRule.States, words = CudaTensorList.Words(slots.Length, operands);
        using var list = new CudaTensorList(cuda, words <= StackWords ? stackalloc long[words] : new long[words], slots.Length, operands, CudaBlockElements);
        foreach (var (p, g, first, second, copy) in slots)
            list.Add(p.Length, p, g, copy, first, second);
        if (list.Blocks > 0)
            rule.Launch(cuda, new Dim3(list.Blocks), new Dim3(CudaThreads), list.Upload(), slots.Length, scale);
    }
}
