using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

internal static unsafe partial class SgdKernel
{
    // Up to 20 bytes of traffic an element.
    private const int BlockElements = 8 * 1024;

    private static void StepCpu(CpuDevice cpu, in SgdFactors factors, ReadOnlySpan<SgdSlot> slots, DeviceSpan? scale)
    {
        float factor = scale is { } some ? *some.Floats : 1;
        if (float.IsNaN(factor))
            return;
        bool moves = slots[0].Velocity is not null;
        using var list = new TensorList(cpu, slots.Length, moves ? 3 : 2, BlockElements);
        foreach (var (p, g, v, _) in slots)
            list.Add(p.Length, p, g, v ?? g);
        cpu.For(list.Blocks, 1, new Body(factors with { GradientScale = factors.GradientScale * factor }, moves, list));
    }

    private readonly struct Body(SgdFactors factors, bool moves, TensorList list) : IKernelBody
    {
        private readonly SgdFactors _factors = factors;
        private readonly bool _moves = moves;
        private readonly TensorList _list = list;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            for (int block = begin; block < end; block++)
            {
                var (tensor, start, length) = _list.Block(block);
                float* p = _list.Pointer(tensor, 0) + start, g = _list.Pointer(tensor, 1) + start;
                float* v = _moves ? _list.Pointer(tensor, 2) + start : null;
                int i = 0;
                for (; i <= length - TVector.Count; i += TVector.Count)
                {
                    var step = Gradient(TVector.Load(p + i), TVector.Load(g + i));
                    if (_moves)
                    {
                        var velocity = Velocity(TVector.Load(v + i), step);
                        velocity.Store(v + i);
                        step = Step(step, velocity);
                    }

                    Descend(TVector.Load(p + i), step).Store(p + i);
                }

                int rest = length - i;
                if (rest > 0)
                {
                    var step = Gradient(TVector.LoadPartial(p + i, rest), TVector.LoadPartial(g + i, rest));
                    if (_moves)
                    {
                        var velocity = Velocity(TVector.LoadPartial(v + i, rest), step);
                        velocity.StorePartial(v + i, rest);
                        step = Step(step, velocity);
                    }

                    Descend(TVector.LoadPartial(p + i, rest), step).StorePartial(p + i, rest);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private TVector Gradient<TVector>(TVector p, TVector gradient)
            where TVector : struct, IFloatVector<TVector>
            => TVector.MultiplyAdd(TVector.Broadcast(_factors.L2), p, TVector.Broadcast(_factors.GradientScale) * gradient);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private TVector Velocity<TVector>(TVector velocity, TVector gradient)
            where TVector : struct, IFloatVector<TVector>
            => TVector.MultiplyAdd(TVector.Broadcast(_factors.Momentum), velocity, gradient);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private TVector Step<TVector>(TVector gradient, TVector velocity)
            where TVector : struct, IFloatVector<TVector>
            => _factors.Nesterov ? TVector.MultiplyAdd(TVector.Broadcast(_factors.Momentum), velocity, gradient) : velocity;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private TVector Descend<TVector>(TVector p, TVector step)
            where TVector : struct, IFloatVector<TVector>
            => TVector.MultiplyAdd(TVector.Broadcast(-_factors.StepSize), step, p);
    }
}
