using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

internal static unsafe partial class DynamicConvKernel
{
    // Taps of one piece of backward: 256 KB, which stay in the second-level cache.
    private const int MostTaps = 64 * 1024;

    private static void ForwardCpu(CpuDevice cpu, ConvSize size, TapRule rule, DeviceSpan x, DeviceSpan logits, DeviceSpan y)
    {
        int items = size.B * size.Chunks * size.HeadGroups;
        using var scratch = new ThreadScratch(cpu, (long)BandedProduct.Steps * size.H * size.K * sizeof(float));
        cpu.For(items, Grain(size, items, 1), new ForwardBody(scratch, size, rule, x.Floats, logits.Floats, y.Floats));
    }

    private static void BackwardCpu(
        CpuDevice cpu, ConvSize size, TapRule rule, DeviceSpan x, DeviceSpan logits, DeviceSpan dy, DeviceSpan? dx, DeviceSpan? dlogits)
    {
        int window = size.ChunkSteps + size.K - 1, heads = Math.Max(1, MostTaps / (window * size.K));
        int groups = Math.Max(size.HeadGroups, (size.H + heads - 1) / heads), items = size.B * size.Chunks * groups;
        long taps = (long)window * size.K * ((size.H + groups - 1) / groups);
        using var scratch = new ThreadScratch(cpu, (rule.Drop.Active ? 2 : 1) * taps * sizeof(float));
        cpu.For(
            items,
            Grain(size, items, 3),
            new BackwardBody(
                scratch, size, rule, groups, taps, x.Floats, logits.Floats, dy.Floats,
                dx.FloatsOrNull(), dlogits.FloatsOrNull()));
    }

    private static void StepCpu(
        CpuDevice cpu, ConvSize size, TapRule rule, DeviceSpan x, DeviceSpan logits, DeviceSpan window, DeviceSpan positions, DeviceSpan y)
    {
        using var scratch = new ThreadScratch(cpu, (long)size.H * size.K * sizeof(float));
        int grain = CpuDevice.Grain((size.C * size.K / 12.0) + (size.H * size.K));
        cpu.For(size.B, grain, new StepBody(scratch, size, rule, x.Floats, logits.Floats, window.Floats, positions.Ints, y.Floats));
    }

    private static int Grain(ConvSize size, int items, double passes)
        => CpuDevice.Grain(passes * size.B * size.T * ((size.C * (size.K + 4) / 32.0) + (size.H * size.K)) / Math.Max(1, items));

    // taps[s, i, k] of steps first .. first + steps - 1 and heads firstHead + i of sequence b.
    private static void Prepare<TVector>(
        in ConvSize size, in TapRule rule, float* logits, int b, int first, int steps, int firstHead, int heads, float* taps, float* factors)
        where TVector : struct, IFloatVector<TVector>
    {
        long row = ((((long)b * size.T) + first) * size.H) + firstHead;
        if (heads == size.H)
        {
            TapRows.Prepare<TVector>(rule, logits + (row * size.K), steps * heads, size.K, row, taps, factors);
            return;
        }

        for (int s = 0; s < steps; s++, row += size.H)
        {
            nint offset = (nint)s * heads * size.K;
            TapRows.Prepare<TVector>(rule, logits + (row * size.K), heads, size.K, row, taps + offset, factors is null ? null : factors + offset);
        }
    }

    private readonly struct ForwardBody(ThreadScratch scratch, ConvSize size, TapRule rule, float* x, float* logits, float* y) : IKernelBody
    {
        private readonly ThreadScratch _scratch = scratch;
        private readonly ConvSize _size = size;
        private readonly TapRule _rule = rule;
        private readonly float* _x = x;
        private readonly float* _logits = logits;
        private readonly float* _y = y;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int groups = _size.HeadGroups;
            float* taps = _scratch.Claim(out int slice);
            for (int item = begin; item < end; item++)
            {
                var (unit, group) = Math.DivRem(item, groups);
                var (b, chunk) = Math.DivRem(unit, _size.Chunks);
                int firstHead = _size.FirstHead(group, groups), heads = _size.FirstHead(group + 1, groups) - firstHead;
                int start = chunk * _size.ChunkSteps, stop = Math.Min(_size.T, start + _size.ChunkSteps);
                for (int t = start; t < stop; t += BandedProduct.Steps)
                {
                    int first = ConvSize.BlockStart(t, start, stop);
                    Block<TVector>(b, first, Math.Min(BandedProduct.Steps, stop - first), firstHead, heads, taps);
                }
            }

            _scratch.Return(slice);
        }

        private void Block<TVector>(int b, int t, int steps, int firstHead, int heads, float* taps)
            where TVector : struct, IFloatVector<TVector>
        {
            int K = _size.K, row = t - _size.LeftPadding, from = Math.Max(0, -row), to = Math.Min(steps + K - 1, _size.T - row);
            nint stride = _size.C, tapStride = (nint)heads * K;
            if (_rule.IsIdentity)
            {
                tapStride = (nint)_size.H * K;
                taps = _logits + ((((nint)b * _size.T) + t) * tapStride) + (firstHead * K);
            }
            else
            {
                Prepare<TVector>(_size, _rule, _logits, b, t, steps, firstHead, heads, taps, null);
            }

            nint offset = (((nint)b * _size.T) * stride) + (firstHead * _size.R);
            float* x = _x + offset + (row * stride), y = _y + offset + (t * stride);
            for (int h = 0; h < heads; h++, taps += K, x += _size.R, y += _size.R)
                BandedProduct.Multiply<TVector>(new Band(taps, tapStride - 1, 1), K, x, stride, from, to, _size.R, y, stride, steps);
        }
    }

    private readonly struct BackwardBody(
        ThreadScratch scratch, ConvSize size, TapRule rule, int groups, long most, float* x, float* logits, float* dy, float* dx, float* dlogits) : IKernelBody
    {
        private readonly ThreadScratch _scratch = scratch;
        private readonly ConvSize _size = size;
        private readonly TapRule _rule = rule;
        private readonly int _groups = groups;
        private readonly long _most = most;
        private readonly float* _x = x;
        private readonly float* _logits = logits;
        private readonly float* _dy = dy;
        private readonly float* _dx = dx;
        private readonly float* _dlogits = dlogits;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int K = _size.K;
            float* taps = _scratch.Claim(out int slice), factors = _rule.Drop.Active ? taps + _most : taps;
            for (int item = begin; item < end; item++)
            {
                var (unit, group) = Math.DivRem(item, _groups);
                var (b, chunk) = Math.DivRem(unit, _size.Chunks);
                int firstHead = _size.FirstHead(group, _groups), heads = _size.FirstHead(group + 1, _groups) - firstHead;
                int start = chunk * _size.ChunkSteps, stop = Math.Min(_size.T, start + _size.ChunkSteps);

                // The steps whose outputs saw inputs start .. stop - 1, these steps among them.
                int first = Math.Max(0, start + _size.LeftPadding - (K - 1)), last = Math.Min(_size.T, stop + _size.LeftPadding);
                Prepare<TVector>(_size, _rule, _logits, b, first, last - first, firstHead, heads, taps, factors);
                for (int next = start; next < stop; next += BandedProduct.Steps)
                {
                    int t = ConvSize.BlockStart(next, start, stop), steps = Math.Min(BandedProduct.Steps, stop - t);
                    if (_dx is not null)
                        InputGradient<TVector>(b, t, steps, firstHead, heads, taps - ((nint)first * heads * K));
                    nint now = (nint)(t - first) * heads * K;
                    if (_dlogits is not null)
                        LogitGradient<TVector>(b, t, steps, firstHead, heads, taps + now, factors + now);
                }
            }

            _scratch.Return(slice);
        }

        // dx[t] = sum over s of tap[s, t - s + LeftPadding] * dy[s]: the transposed band.
        private void InputGradient<TVector>(int b, int t, int steps, int firstHead, int heads, float* taps)
            where TVector : struct, IFloatVector<TVector>
        {
            int K = _size.K, row = t + _size.LeftPadding - (K - 1), from = Math.Max(0, -row), to = Math.Min(steps + K - 1, _size.T - row);
            nint stride = _size.C, tapStride = (nint)heads * K, offset = ((nint)b * _size.T * stride) + (firstHead * _size.R);
            float* dy = _dy + offset + (row * stride), dx = _dx + offset + (t * stride);
            taps += (row * tapStride) + (K - 1);
            for (int h = 0; h < heads; h++, taps += K, dy += _size.R, dx += _size.R)
                BandedProduct.Multiply<TVector>(new Band(taps, 1, tapStride - 1), K, dy, stride, from, to, _size.R, dx, stride, steps);
        }

        [SkipLocalsInit]
        private void LogitGradient<TVector>(int b, int t, int steps, int firstHead, int heads, float* taps, float* factors)
            where TVector : struct, IFloatVector<TVector>
        {
            const int Stride = ConvSize.MaxK + 1 + (2 * BandedProduct.Margin);
            float* g = stackalloc float[BandedProduct.Steps * Stride];
            int K = _size.K, row = t - _size.LeftPadding, from = Math.Max(0, -row), to = Math.Min(steps + K - 1, _size.T - row);
            nint stride = _size.C, offset = ((nint)b * _size.T * stride) + (firstHead * _size.R);
            float* dy = _dy + offset + (t * stride), x = _x + offset + (row * stride);
            float* gradient = _dlogits + ((((((nint)b * _size.T) + t) * _size.H) + firstHead) * K);
            for (int h = 0; h < heads; h++, dy += _size.R, x += _size.R, taps += K, factors += K, gradient += K)
            {
                BandedProduct.Outer<TVector>(dy, stride, x, stride, from, to, _size.R, K, g + BandedProduct.Margin, Stride, steps);
                TapRows.Gradient<TVector>(
                    _rule, steps, K, g + BandedProduct.Margin, Stride, taps, factors, (nint)heads * K, gradient, (nint)_size.H * K);
            }
        }
    }

    private readonly struct StepBody(
        ThreadScratch scratch, ConvSize size, TapRule rule, float* x, float* logits, float* window, int* positions, float* y) : IKernelBody
    {
        private readonly ThreadScratch _scratch = scratch;
        private readonly ConvSize _size = size;
        private readonly TapRule _rule = rule;
        private readonly float* _x = x;
        private readonly float* _logits = logits;
        private readonly float* _window = window;
        private readonly int* _positions = positions;
        private readonly float* _y = y;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            float* taps = _scratch.Claim(out int slice);
            for (int n = begin; n < end; n++)
            {
                nint row = (nint)n * _size.C, tapRow = (nint)n * _size.H;
                TapRows.Prepare<TVector>(_rule, _logits + (tapRow * _size.K), _size.H, _size.K, tapRow, taps, null);
                ConvWindow.Step<TVector>(_size, taps, _x + row, _window + (row * _size.K), _positions[n], _y + row);
            }

            _scratch.Return(slice);
        }
    }
}
