namespace CudaSeq.Kernels;

internal static unsafe partial class IndexSelectKernel
{
    private const int ChunkElements = 16 * 1024;

    private static void ForwardCpu(CpuDevice cpu, in IndexSelectSize size, DeviceSpan x, DeviceSpan indices, DeviceSpan y)
        => cpu.For(checked((int)(size.Outer * size.N)), Grain(size.Inner), new ForwardBody(size, x.Floats, indices.Ints, y.Floats));

    private static void BackwardCpu(CpuDevice cpu, in IndexSelectSize size, DeviceSpan indices, DeviceSpan dy, DeviceSpan dx)
    {
        using var buckets = new IndexBuckets(cpu, indices.Ints, size.N, size.Length);
        cpu.For(checked((int)(size.Outer * size.Length)), Grain(size.Inner), new BackwardBody(size, buckets, dy.Floats, dx.Floats));
    }

    private static int Grain(long inner) => (int)Math.Clamp(ChunkElements / Math.Max(1, inner), 1, ChunkElements);

    private readonly struct ForwardBody(IndexSelectSize size, float* x, int* indices, float* y) : IKernelBody
    {
        private readonly IndexSelectSize _size = size;
        private readonly float* _x = x;
        private readonly int* _indices = indices;
        private readonly float* _y = y;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            long inner = _size.Inner;
            for (long row = begin; row < end; row++)
            {
                var (o, n) = Math.DivRem(row, _size.N);
                float* x = _x + (((o * _size.Length) + _indices[n]) * inner);
                if (inner == 1)
                    _y[row] = *x;
                else
                    Buffer.MemoryCopy(x, _y + (row * inner), inner * sizeof(float), inner * sizeof(float));
            }
        }
    }

    private readonly struct BackwardBody(IndexSelectSize size, IndexBuckets buckets, float* dy, float* dx) : IKernelBody
    {
        private readonly IndexSelectSize _size = size;
        private readonly IndexBuckets _buckets = buckets;
        private readonly float* _dy = dy;
        private readonly float* _dx = dx;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            long inner = _size.Inner;
            for (long row = begin; row < end; row++)
            {
                var (o, l) = Math.DivRem(row, _size.Length);
                int first = _buckets.Starts[l], last = _buckets.Starts[l + 1];
                float* dx = _dx + (row * inner), dy = _dy + (o * _size.N * inner);
                long i = 0;
                for (; i <= inner - TVector.Count; i += TVector.Count)
                {
                    var sum = TVector.Zero;
                    for (int p = first; p < last; p++)
                        sum += TVector.Load(dy + (_buckets.Positions[p] * inner) + i);
                    sum.Store(dx + i);
                }

                int rest = (int)(inner - i);
                if (rest > 0)
                {
                    var sum = TVector.Zero;
                    for (int p = first; p < last; p++)
                        sum += TVector.LoadPartial(dy + (_buckets.Positions[p] * inner) + i, rest);
                    sum.StorePartial(dx + i, rest);
                }
            }
        }
    }
}
