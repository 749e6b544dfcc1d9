using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

internal static unsafe partial class AdadeltaKernel
{
    // 28 bytes of traffic an element.
    private const int BlockElements = 8 * 1024;

    private static void StepCpu(CpuDevice cpu, in AdadeltaFactors factors, ReadOnlySpan<AdadeltaSlot> slots, DeviceSpan? scale)
    {
        float factor = scale is { } some ? *some.Floats : 1;
        if (float.IsNaN(factor))
            return;
        using var list = new TensorList(cpu, slots.Length, 4, BlockElements);
        foreach (var (p, g, a, b, _) in slots)
            list.Add(p.Length, p, g, a, b);
        cpu.For(list.Blocks, 1, new Body(factors with { GradientScale = factors.GradientScale * factor }, list));
    }

    private readonly struct Body(AdadeltaFactors factors, TensorList list) : IKernelBody
    {
        private readonly AdadeltaFactors _factors = factors;
        private readonly TensorList _list = list;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            for (int block = begin; block < end; block++)
            {
                var (tensor, start, length) = _list.Block(block);
                float* p = _list.Pointer(tensor, 0) + start, g = _list.Pointer(tensor, 1) + start;
                float* a = _list.Pointer(tensor, 2) + start, b = _list.Pointer(tensor, 3) + start;
                int i = 0;
                for (; i <= length - TVector.Count; i += TVector.Count)
                {
                    var squares = TVector.Load(a + i);
                    var changes = TVector.Load(b + i);
                    Update(TVector.Load(p + i), TVector.Load(g + i), ref squares, ref changes).Store(p + i);
                    squares.Store(a + i);
                    changes.Store(b + i);
                }

                int rest = length - i;
                if (rest > 0)
                {
                    var squares = TVector.LoadPartial(a + i, rest);
                    var changes = TVector.LoadPartial(b + i, rest);
                    Update(TVector.LoadPartial(p + i, rest), TVector.LoadPartial(g + i, rest), ref squares, ref changes).StorePartial(p + i, rest);
                    squares.StorePartial(a + i, rest);
                    changes.StorePartial(b + i, rest);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private TVector Update<TVector>(TVector p, TVector gradient, ref TVector squares, ref TVector changes)
            where TVector : struct, IFloatVector<TVector>
        {
            TVector rho = TVector.Broadcast(_factors.Rho), gain = TVector.Broadcast(_factors.Gain), epsilon = TVector.Broadcast(_factors.Epsilon);
            var g = TVector.MultiplyAdd(TVector.Broadcast(_factors.L2), p, TVector.Broadcast(_factors.GradientScale) * gradient);
            squares = TVector.MultiplyAdd(rho, squares, gain * (g * g));
            var change = TVector.Sqrt(changes + epsilon) / TVector.Sqrt(squares + epsilon) * g;
            changes = TVector.MultiplyAdd(rho, changes, gain * (change * change));
            return TVector.MultiplyAdd(TVector.Broadcast(-_factors.StepSize), change, p);
        }
    }
}
