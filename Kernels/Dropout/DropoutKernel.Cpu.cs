using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

internal static unsafe partial class DropoutKernel
{
    private const int ChunkElements = 8 * 1024;

    // Factors made at a time; they never leave the first-level cache.
    private const int FactorElements = 1024;

    private static void ForwardCpu(CpuDevice cpu, DropMask mask, DeviceSpan x, DeviceSpan y)
        => cpu.For(checked((int)((y.Length + ChunkElements - 1) / ChunkElements)), 1, new Body(mask, x.Floats, y.Floats, y.Length));

    /// <summary>factor x, by a choice and not only a product: what is dropped is 0 even where x is infinite.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static TVector Masked<TVector>(TVector factor, TVector x)
        where TVector : struct, IFloatVector<TVector>
        => TVector.SelectLess(TVector.Zero, factor, factor * x, TVector.Zero);

    private readonly struct Body(DropMask mask, float* x, float* y, long length) : IKernelBody
    {
        private readonly DropMask _mask = mask;
        private readonly float* _x = x;
        private readonly float* _y = y;
        private readonly long _length = length;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            float* factors = stackalloc float[FactorElements];
            long last = Math.Min(_length, (long)end * ChunkElements);
            for (long start = (long)begin * ChunkElements; start < last; start += FactorElements)
            {
                int count = (int)Math.Min(FactorElements, last - start);
                _mask.Fill<TVector>((ulong)start, count, factors);
                float* x = _x + start, y = _y + start;
                int i = 0;
                for (; i <= count - TVector.Count; i += TVector.Count)
                    Masked(TVector.Load(factors + i), TVector.Load(x + i)).Store(y + i);
                int rest = count - i;
                if (rest > 0)
                    Masked(TVector.LoadPartial(factors + i, rest), TVector.LoadPartial(x + i, rest)).StorePartial(y + i, rest);
            }
        }
    }
}
