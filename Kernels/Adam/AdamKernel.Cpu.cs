using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

internal static unsafe partial class AdamKernel
{
    // 28 bytes of traffic an element: about 20 microseconds a block.
    private const int BlockElements = 8 * 1024;

    private static void StepCpu(CpuDevice cpu, in AdamFactors factors, ReadOnlySpan<AdamSlot> slots, DeviceSpan? scale)
    {
        float factor = scale is { } some ? *some.Floats : 1;
        if (float.IsNaN(factor))
            return;
        using var list = new TensorList(cpu, slots.Length, 4, BlockElements);
        foreach (var (p, g, m, v, _) in slots)
            list.Add(p.Length, p, g, m, v);
        cpu.For(list.Blocks, 1, new Body(factors with { GradientScale = factors.GradientScale * factor }, list));
    }

    private readonly struct Body(AdamFactors factors, TensorList list) : IKernelBody
    {
        private readonly AdamFactors _factors = factors;
        private readonly TensorList _list = list;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            for (int block = begin; block < end; block++)
            {
                var (tensor, start, length) = _list.Block(block);
                float* p = _list.Pointer(tensor, 0) + start, g = _list.Pointer(tensor, 1) + start;
                float* m = _list.Pointer(tensor, 2) + start, v = _list.Pointer(tensor, 3) + start;
                int i = 0;
                for (; i <= length - TVector.Count; i += TVector.Count)
                {
                    var first = TVector.Load(m + i);
                    var second = TVector.Load(v + i);
                    Update(TVector.Load(p + i), TVector.Load(g + i), ref first, ref second).Store(p + i);
                    first.Store(m + i);
                    second.Store(v + i);
                }

                int rest = length - i;
                if (rest > 0)
                {
                    var first = TVector.LoadPartial(m + i, rest);
                    var second = TVector.LoadPartial(v + i, rest);
                    Update(TVector.LoadPartial(p + i, rest), TVector.LoadPartial(g + i, rest), ref first, ref second).StorePartial(p + i, rest);
                    first.StorePartial(m + i, rest);
                    second.StorePartial(v + i, rest);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private TVector Update<TVector>(TVector p, TVector gradient, ref TVector m, ref TVector v)
            where TVector : struct, IFloatVector<TVector>
        {
            var g = TVector.MultiplyAdd(TVector.Broadcast(_factors.L2), p, TVector.Broadcast(_factors.GradientScale) * gradient);
            m = TVector.MultiplyAdd(TVector.Broadcast(_factors.Beta1), m, TVector.Broadcast(_factors.Gain1) * g);
            v = TVector.MultiplyAdd(TVector.Broadcast(_factors.Beta2), v, TVector.Broadcast(_factors.Gain2) * (g * g));
            var root = TVector.MultiplyAdd(TVector.Broadcast(_factors.RootScale), TVector.Sqrt(v), TVector.Broadcast(_factors.Epsilon));
            var decayed = TVector.MultiplyAdd(TVector.Broadcast(-_factors.Decay), p, p);
            return TVector.MultiplyAdd(TVector.Broadcast(-_factors.StepSize), m / root, decayed);
        }
    }
}
