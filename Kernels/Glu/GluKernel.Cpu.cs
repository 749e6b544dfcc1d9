namespace CudaSeq.Kernels;

internal static unsafe partial class GluKernel
{
    // Channels a chunk: an exponential and a division each, about a nanosecond.
    private const int ChunkElements = 8 * 1024;

    private static void ForwardCpu(CpuDevice cpu, in GluSize size, DeviceSpan x, DeviceSpan y)
        => cpu.For(checked((int)size.N), Math.Max(1, ChunkElements / Math.Max(1, size.C)), new ForwardBody(size.C, x.Floats, y.Floats));

    private static void BackwardCpu(CpuDevice cpu, in GluSize size, DeviceSpan x, DeviceSpan dy, DeviceSpan dx)
        => cpu.For(checked((int)size.N), Math.Max(1, ChunkElements / Math.Max(1, size.C)), new BackwardBody(size.C, x.Floats, dy.Floats, dx.Floats));

    private readonly struct ForwardBody(int channels, float* x, float* y) : IKernelBody
    {
        private readonly int _channels = channels;
        private readonly float* _x = x;
        private readonly float* _y = y;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            for (long n = begin; n < end; n++)
            {
                float* a = _x + (n * 2 * _channels), b = a + _channels, y = _y + (n * _channels);
                int c = 0;
                for (; c <= _channels - TVector.Count; c += TVector.Count)
                    (TVector.Load(a + c) * VectorMath.Sigmoid(TVector.Load(b + c))).Store(y + c);
                int rest = _channels - c;
                if (rest > 0)
                    (TVector.LoadPartial(a + c, rest) * VectorMath.Sigmoid(TVector.LoadPartial(b + c, rest))).StorePartial(y + c, rest);
            }
        }
    }

    private readonly struct BackwardBody(int channels, float* x, float* dy, float* dx) : IKernelBody
    {
        private readonly int _channels = channels;
        private readonly float* _x = x;
        private readonly float* _dy = dy;
        private readonly float* _dx = dx;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            var one = TVector.Broadcast(1);
            for (long n = begin; n < end; n++)
            {
                float* a = _x + (n * 2 * _channels), b = a + _channels, dy = _dy + (n * _channels);
                float* da = _dx + (n * 2 * _channels), db = da + _channels;
                int c = 0;
                for (; c <= _channels - TVector.Count; c += TVector.Count)
                {
                    var gate = VectorMath.Sigmoid(TVector.Load(b + c));
                    var through = TVector.Load(dy + c) * gate;
                    through.Store(da + c);
                    (through * TVector.Load(a + c) * (one - gate)).Store(db + c);
                }

                int rest = _channels - c;
                if (rest > 0)
                {
                    var gate = VectorMath.Sigmoid(TVector.LoadPartial(b + c, rest));
                    var through = TVector.LoadPartial(dy + c, rest) * gate;
                    through.StorePartial(da + c, rest);
                    (through * TVector.LoadPartial(a + c, rest) * (one - gate)).StorePartial(db + c, rest);
                }
            }
        }
    }
}
