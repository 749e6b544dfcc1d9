namespace CudaSeq.Kernels;

internal static unsafe partial class ParameterUpdateKernel
{
    // At most 28 bytes of traffic an element: about 20 microseconds a block.
    private const int BlockElements = 8 * 1024;

    private static void StepCpu<TRule>(CpuDevice cpu, TRule rule, ReadOnlySpan<UpdateSlot> slots, DeviceSpan? scale)
        where TRule : struct, IUpdateRule<TRule>
    {
        float factor = scale is { } some ? *some.Floats : 1;
        if (float.IsNaN(factor))
            return;
        using var list = new TensorList(cpu, slots.Length, 2 + TRule.States, BlockElements);
        foreach (var (p, g, first, second, _) in slots)
            list.Add(p.Length, p, g, first ?? default, second ?? default);
        cpu.For(list.Blocks, 1, new Body<TRule>(rule.Scaled(factor), list));
    }

    private readonly struct Body<TRule>(TRule rule, TensorList list) : IKernelBody
        where TRule : struct, IUpdateRule<TRule>
    {
        private readonly TRule _rule = rule;
        private readonly TensorList _list = list;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            for (int block = begin; block < end; block++)
            {
                var (tensor, start, length) = _list.Block(block);
                float* p = _list.Pointer(tensor, 0) + start, g = _list.Pointer(tensor, 1) + start;
                float* a = TRule.States > 0 ? _list.Pointer(tensor, 2) + start : null;
                float* b = TRule.States > 1 ? _list.Pointer(tensor, 3) + start : null;
                int i = 0;
                for (; i <= length - TVector.Count; i += TVector.Count)
                {
                    TVector first = TRule.States > 0 ? TVector.Load(a + i) : default, second = TRule.States > 1 ? TVector.Load(b + i) : default;
                    _rule.Update(TVector.Load(p + i), TVector.Load(g + i), ref first, ref second).Store(p + i);
                    if (TRule.States > 0)
                        first.Store(a + i);
                    if (TRule.States > 1)
                        second.Store(b + i);
                }

                int rest = length - i;
                if (rest > 0)
                {
                    TVector first = TRule.States > 0 ? TVector.LoadPartial(a + i, rest) : default, second = TRule.States > 1 ? TVector.LoadPartial(b + i, rest) : default;
                    _rule.Update(TVector.LoadPartial(p + i, rest), TVector.LoadPartial(g + i, rest), ref first, ref second).StorePartial(p + i, rest);
                    if (TRule.States > 0)
                        first.StorePartial(a + i, rest);
                    if (TRule.States > 1)
                        second.StorePartial(b + i, rest);
                }
            }
        }
    }
}
