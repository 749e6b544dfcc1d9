using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

internal static unsafe partial class MultiplyKernel
{
    private const int BackwardChunk = 8 * 1024;

    private static void ForwardCpu(CpuDevice cpu, in BroadcastSize size, DeviceSpan a, DeviceSpan b, DeviceSpan y)
        => Elementwise.Broadcast<Product>(cpu, size, a, b, y);

    private static void BackwardCpu(CpuDevice cpu, DeviceSpan a, DeviceSpan b, DeviceSpan dy, DeviceSpan da, DeviceSpan db)
        => cpu.For(
            checked((int)((dy.Length + BackwardChunk - 1) / BackwardChunk)),
            1,
            new BackwardBody(a.Floats, b.Floats, dy.Floats, da.Floats, db.Floats, dy.Length));

    private readonly struct Product : IBinaryOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Apply<TVector>(TVector x, TVector y)
            where TVector : struct, IFloatVector<TVector>
            => x * y;
    }

    private readonly struct BackwardBody(float* a, float* b, float* dy, float* da, float* db, long length) : IKernelBody
    {
        private readonly float* _a = a;
        private readonly float* _b = b;
        private readonly float* _dy = dy;
        private readonly float* _da = da;
        private readonly float* _db = db;
        private readonly long _length = length;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            long i = (long)begin * BackwardChunk, last = Math.Min(_length, (long)end * BackwardChunk);
            for (; i <= last - TVector.Count; i += TVector.Count)
            {
                var dy = TVector.Load(_dy + i);
                (dy * TVector.Load(_b + i)).Store(_da + i);
                (dy * TVector.Load(_a + i)).Store(_db + i);
            }

            int rest = (int)(last - i);
            if (rest > 0)
            {
                var dy = TVector.LoadPartial(_dy + i, rest);
                (dy * TVector.LoadPartial(_b + i, rest)).StorePartial(_da + i, rest);
                (dy * TVector.LoadPartial(_a + i, rest)).StorePartial(_db + i, rest);
            }
        }
    }
}
