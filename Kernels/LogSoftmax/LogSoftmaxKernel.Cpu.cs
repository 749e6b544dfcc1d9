namespace CudaSeq.Kernels;

internal static unsafe partial class LogSoftmaxKernel
{
    private static void ForwardCpu(CpuDevice cpu, SoftmaxSize size, DeviceSpan x, DeviceSpan y)
        => cpu.For(size.N, CpuDevice.Grain(20 + (0.5 * size.C)), new ForwardBody(size, x.Floats, y.Floats));

    private static void BackwardCpu(CpuDevice cpu, SoftmaxSize size, DeviceSpan y, DeviceSpan dy, DeviceSpan dx)
        => cpu.For(size.N, CpuDevice.Grain(5 + (0.5 * size.C)), new BackwardBody(size, y.Floats, dy.Floats, dx.Floats));

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
                float m = SoftmaxRow.Max<TVector>(x, width);

                // Two subtractions: their sum would lose the logarithm's low bits beside a large maximum.
                var max = TVector.Broadcast(m);
                var log = TVector.Broadcast(MathF.Log(SoftmaxRow.ExpSum<TVector>(x, width, m)));
                int i = 0;
                for (; i <= width - TVector.Count; i += TVector.Count)
                    (TVector.Load(x + i) - max - log).Store(y + i);
                if (i < width)
                    (TVector.LoadPartial(x + i, width - i) - max - log).StorePartial(y + i, width - i);
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
                var sum = TVector.Zero;
                int i = 0;
                for (; i <= width - TVector.Count; i += TVector.Count)
                    sum += TVector.Load(dy + i);
                if (i < width)
                    sum += TVector.LoadPartial(dy + i, width - i);
                var total = TVector.Broadcast(sum.Sum());
                for (i = 0; i <= width - TVector.Count; i += TVector.Count)
                    (TVector.Load(dy + i) - (VectorMath.Exp(TVector.Load(y + i)) * total)).Store(dx + i);
                if (i < width)
                    (TVector.LoadPartial(dy + i, width - i) - (VectorMath.Exp(TVector.LoadPartial(y + i, width - i)) * total)).StorePartial(dx + i, width - i);
            }
        }
    }
}
