namespace CudaSeq.Kernels;

internal static unsafe partial class SoftmaxKernel
{
    private static void ForwardCpu(CpuDevice cpu, SoftmaxSize size, DeviceSpan x, DeviceSpan y)
        => cpu.For(size.N, CpuDevice.Grain(5 + (0.5 * size.C)), new ForwardBody(size, x.Floats, y.Floats));

    private static void BackwardCpu(CpuDevice cpu, SoftmaxSize size, DeviceSpan y, DeviceSpan dy, DeviceSpan dx)
        => cpu.For(size.N, CpuDevice.Grain(5 + (0.3 * size.C)), new BackwardBody(size, y.Floats, dy.Floats, dx.Floats));

    private readonly struct ForwardBody(SoftmaxSize size, float* x, float* y) : IKernelBody
    {
        private readonly SoftmaxSize _size = size;
        private readonly float* _x = x;
        private readonly float* _y = y;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int width = _size.C;
            for (int n = begin; n < end; n++)
            {
                float* x = _x + ((long)n * width);
                float* y = _y + ((long)n * width);
                if (width <= TVector.Count)
                {
                    // A row of one vector, such as the taps of a filter, never leaves its register.
                    var row = TVector.LoadPartial(x, width, float.NegativeInfinity);
                    var max = TVector.Broadcast(TVector.Max(row, TVector.Broadcast(float.NegativeInfinity)).MaxLane());
                    var e = VectorMath.Exp(row - max);
                    (e * TVector.Broadcast(1 / e.Sum())).StorePartial(y, width);
                    continue;
                }

                float sum = SoftmaxRow.ExpSum<TVector>(x, y, width, SoftmaxRow.Max<TVector>(x, width));
                SoftmaxRow.Scale<TVector>(y, width, 1 / sum);
            }
        }
    }

    private readonly struct BackwardBody(SoftmaxSize size, float* y, float* dy, float* dx) : IKernelBody
    {
        private readonly SoftmaxSize _size = size;
        private readonly float* _y = y;
        private readonly float* _dy = dy;
        private readonly float* _dx = dx;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int width = _size.C;
            for (int n = begin; n < end; n++)
            {
                float* y = _y + ((long)n * width);
                float* dy = _dy + ((long)n * width);
                float* dx = _dx + ((long)n * width);
                var sum0 = TVector.Zero;
                var sum1 = TVector.Zero;
                int i = 0;
                for (; i <= width - (2 * TVector.Count); i += 2 * TVector.Count)
                {
                    sum0 = TVector.MultiplyAdd(TVector.Load(y + i), TVector.Load(dy + i), sum0);
                    sum1 = TVector.MultiplyAdd(TVector.Load(y + i + TVector.Count), TVector.Load(dy + i + TVector.Count), sum1);
                }

                if (i <= width - TVector.Count)
                {
                    sum0 = TVector.MultiplyAdd(TVector.Load(y + i), TVector.Load(dy + i), sum0);
                    i += TVector.Count;
                }

                if (i < width)
                    sum1 = TVector.MultiplyAdd(TVector.LoadPartial(y + i, width - i), TVector.LoadPartial(dy + i, width - i), sum1);
                var product = TVector.Broadcast((sum0 + sum1).Sum());
                for (i = 0; i <= width - TVector.Count; i += TVector.Count)
                    (TVector.Load(y + i) * (TVector.Load(dy + i) - product)).Store(dx + i);
                if (i < width)
                    (TVector.LoadPartial(y + i, width - i) * (TVector.LoadPartial(dy + i, width - i) - product)).StorePartial(dx + i, width - i);
            }
        }
    }
}
