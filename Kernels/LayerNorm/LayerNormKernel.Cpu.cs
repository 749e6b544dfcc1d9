using System.Runtime.InteropServices;

namespace CudaSeq.Kernels;

internal static unsafe partial class LayerNormKernel
{
    // Rows are summed in at most this many blocks, whose partial gradients are then added in order: the split must not depend on the threads.
    private const int MaxBlocks = 64;
    private const int MinBlockRows = 8;

    private static void ForwardCpu(CpuDevice cpu, LayerNormSize size, DeviceSpan x, DeviceSpan gain, DeviceSpan bias, DeviceSpan y, DeviceSpan? mean, DeviceSpan? r)
    {
        var body = new ForwardBody(x.Floats, y.Floats, new RowNorm(size, gain.Floats, bias.Floats, mean.FloatsOrNull(), r.FloatsOrNull()));
        cpu.For(size.N, CpuDevice.Grain(5 + (0.3 * size.C)), body);
    }

    private static void BackwardCpu(
        CpuDevice cpu, LayerNormSize size, DeviceSpan x, DeviceSpan gain, DeviceSpan mean, DeviceSpan r, DeviceSpan dy, DeviceSpan? dx, DeviceSpan? dgain, DeviceSpan? dbias)
    {
        int blockRows = Math.Max(MinBlockRows, (size.N + MaxBlocks - 1) / MaxBlocks);
        int blocks = (size.N + blockRows - 1) / blockRows;
        bool parameters = dgain is not null || dbias is not null;
        using var sums = parameters ? new CallScratch(cpu, blocks * 2L * size.C * sizeof(float)) : default;
        cpu.For(blocks, 1, new BackwardBody(size, blockRows, x.Floats, gain.Floats, mean.Floats, r.Floats, dy.Floats, dx.FloatsOrNull(), sums.Floats));
        if (parameters)
            cpu.For(size.C, CpuDevice.LineGrain(0.2 * Math.Max(1, blocks)), new SumBody(size.C, blocks, sums.Floats, dgain.FloatsOrNull(), dbias.FloatsOrNull()));
    }

    private readonly struct ForwardBody(float* x, float* y, RowNorm norm) : IKernelBody
    {
        private readonly float* _x = x;
        private readonly float* _y = y;
        private readonly RowNorm _norm = norm;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            for (int n = begin; n < end; n++)
                _norm.Normalize<TVector>(n, _x + ((long)n * _norm.Width), _y + ((long)n * _norm.Width));
        }
    }

    /// <summary>Forward, one row at a time. gain, bias [C]; mean, r [N] or null.</summary>
    internal readonly struct RowNorm(LayerNormSize size, float* gain, float* bias, float* mean, float* r)
    {
        private readonly float _epsilon = size.Epsilon;
        private readonly float* _gain = gain;
        private readonly float* _bias = bias;
        private readonly float* _mean = mean;
        private readonly float* _r = r;

        public readonly int Width = size.C;

        /// <summary>Row n: x and y [C], y may be x.</summary>
        public void Normalize<TVector>(int n, float* x, float* y)
            where TVector : struct, IFloatVector<TVector>
        {
            int width = Width;
            float mean = Sum<TVector>(x, width) / width;
            float r = 1 / MathF.Sqrt((SquaredDistance<TVector>(x, width, mean) / width) + _epsilon);
            if (_mean is not null)
            {
                _mean[n] = mean;
                _r[n] = r;
            }

            var m = TVector.Broadcast(mean);
            var s = TVector.Broadcast(r);
            int i = 0;
            for (; i <= width - TVector.Count; i += TVector.Count)
                TVector.MultiplyAdd((TVector.Load(x + i) - m) * s, TVector.Load(_gain + i), TVector.Load(_bias + i)).Store(y + i);
            int rest = width - i;
            if (rest > 0)
            {
                var z = (TVector.LoadPartial(x + i, rest) - m) * s;
                TVector.MultiplyAdd(z, TVector.LoadPartial(_gain + i, rest), TVector.LoadPartial(_bias + i, rest)).StorePartial(y + i, rest);
            }
        }

        private static float Sum<TVector>(float* x, int width)
            where TVector : struct, IFloatVector<TVector>
        {
            var sum0 = TVector.Zero;
            var sum1 = TVector.Zero;
            int i = 0;
            for (; i <= width - (2 * TVector.Count); i += 2 * TVector.Count)
            {
                sum0 += TVector.Load(x + i);
                sum1 += TVector.Load(x + i + TVector.Count);
            }

            if (i <= width - TVector.Count)
            {
                sum0 += TVector.Load(x + i);
                i += TVector.Count;
            }

            if (i < width)
                sum1 += TVector.LoadPartial(x + i, width - i);
            return (sum0 + sum1).Sum();
        }

        // The second pass over a row in the first-level cache costs little and keeps the variance exact beside a large mean.
        private static float SquaredDistance<TVector>(float* x, int width, float mean)
            where TVector : struct, IFloatVector<TVector>
        {
            var m = TVector.Broadcast(mean);
            var sum0 = TVector.Zero;
            var sum1 = TVector.Zero;
            int i = 0;
            for (; i <= width - (2 * TVector.Count); i += 2 * TVector.Count)
            {
                var a = TVector.Load(x + i) - m;
                var b = TVector.Load(x + i + TVector.Count) - m;
                sum0 = TVector.MultiplyAdd(a, a, sum0);
                sum1 = TVector.MultiplyAdd(b, b, sum1);
            }

            if (i <= width - TVector.Count)
            {
                var a = TVector.Load(x + i) - m;
                sum0 = TVector.MultiplyAdd(a, a, sum0);
                i += TVector.Count;
            }

            if (i < width)
            {
                var b = TVector.LoadPartial(x + i, width - i, mean) - m;
                sum1 = TVector.MultiplyAdd(b, b, sum1);
            }

            return (sum0 + sum1).Sum();
        }
    }

    // Item = block of rows. Its sums of dy z and dy lie in _sums[block, 2, C].
    private readonly struct BackwardBody(LayerNormSize size, int blockRows, float* x, float* gain, float* mean, float* r, float* dy, float* dx, float* sums) : IKernelBody
    {
        private readonly LayerNormSize _size = size;
        private readonly int _blockRows = blockRows;
        private readonly float* _x = x;
        private readonly float* _gain = gain;
        private readonly float* _mean = mean;
        private readonly float* _r = r;
        private readonly float* _dy = dy;
        private readonly float* _dx = dx;
        private readonly float* _sums = sums;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int width = _size.C;
            for (int block = begin; block < end; block++)
            {
                float* dgain = _sums + (_sums is null ? 0 : (long)block * 2 * width);
                if (_sums is not null)
                    NativeMemory.Clear(dgain, (nuint)(2L * width * sizeof(float)));
                int last = (int)Math.Min(_size.N, ((long)block + 1) * _blockRows);
                for (int n = block * _blockRows; n < last; n++)
                {
                    float* x = _x + ((long)n * width);
                    float* dy = _dy + ((long)n * width);
                    if (_sums is not null)
                        AddToParameters<TVector>(x, dy, dgain, dgain + width, _mean[n], _r[n]);
                    if (_dx is not null)
                        Row<TVector>(x, dy, _dx + ((long)n * width), _mean[n], _r[n]);
                }
            }
        }

        private void AddToParameters<TVector>(float* x, float* dy, float* dgain, float* dbias, float mean, float r)
            where TVector : struct, IFloatVector<TVector>
        {
            int width = _size.C;
            var m = TVector.Broadcast(mean);
            var s = TVector.Broadcast(r);
            int i = 0;
            for (; i <= width - TVector.Count; i += TVector.Count)
            {
                var d = TVector.Load(dy + i);
                TVector.MultiplyAdd((TVector.Load(x + i) - m) * s, d, TVector.Load(dgain + i)).Store(dgain + i);
                (TVector.Load(dbias + i) + d).Store(dbias + i);
            }

            int rest = width - i;
            if (rest > 0)
            {
                var d = TVector.LoadPartial(dy + i, rest);
                TVector.MultiplyAdd((TVector.LoadPartial(x + i, rest) - m) * s, d, TVector.LoadPartial(dgain + i, rest)).StorePartial(dgain + i, rest);
                (TVector.LoadPartial(dbias + i, rest) + d).StorePartial(dbias + i, rest);
            }
        }

        private void Row<TVector>(float* x, float* dy, float* dx, float mean, float r)
            where TVector : struct, IFloatVector<TVector>
        {
            int width = _size.C;
            var m = TVector.Broadcast(mean);
            var s = TVector.Broadcast(r);
            var sum = TVector.Zero;
            var product = TVector.Zero;
            int i = 0;
            for (; i <= width - TVector.Count; i += TVector.Count)
            {
                var g = TVector.Load(dy + i) * TVector.Load(_gain + i);
                sum += g;
                product = TVector.MultiplyAdd(g, (TVector.Load(x + i) - m) * s, product);
            }

            int rest = width - i;
            if (rest > 0)
            {
                var g = TVector.LoadPartial(dy + i, rest) * TVector.LoadPartial(_gain + i, rest);
                sum += g;
                product = TVector.MultiplyAdd(g, (TVector.LoadPartial(x + i, rest) - m) * s, product);
            }

            var a = TVector.Broadcast(sum.Sum() / width);
            var b = TVector.Broadcast(product.Sum() / width);
            for (i = 0; i <= width - TVector.Count; i += TVector.Count)
            {
                var g = TVector.Load(dy + i) * TVector.Load(_gain + i);
                var z = (TVector.Load(x + i) - m) * s;
                ((g - a - (z * b)) * s).Store(dx + i);
            }

            if (rest > 0)
            {
                var g = TVector.LoadPartial(dy + i, rest) * TVector.LoadPartial(_gain + i, rest);
                var z = (TVector.LoadPartial(x + i, rest) - m) * s;
                ((g - a - (z * b)) * s).StorePartial(dx + i, rest);
            }
        }
    }

    // Item = channel.
    private readonly struct SumBody(int width, int blocks, float* sums, float* dgain, float* dbias) : IKernelBody
    {
        private readonly int _width = width;
        private readonly int _blocks = blocks;
        private readonly float* _sums = sums;
        private readonly float* _dgain = dgain;
        private readonly float* _dbias = dbias;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            for (int i = begin; i < end; i += TVector.Count)
            {
                int count = Math.Min(TVector.Count, end - i);
                if (_dgain is not null)
                    Ordered<TVector>(_sums + i, count).StorePartial(_dgain + i, count);
                if (_dbias is not null)
                    Ordered<TVector>(_sums + _width + i, count).StorePartial(_dbias + i, count);
            }
        }

        private TVector Ordered<TVector>(float* sums, int count)
            where TVector : struct, IFloatVector<TVector>
        {
            var sum = TVector.Zero;
            for (int block = 0; block < _blocks; block++)
                sum += TVector.LoadPartial(sums + ((long)block * 2 * _width), count);
            return sum;
        }
    }
}
