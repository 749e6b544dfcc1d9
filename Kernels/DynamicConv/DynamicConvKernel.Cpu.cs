namespace CudaSeq.Kernels;

internal static unsafe partial class DynamicConvKernel
{
    private static void ForwardCpu(CpuDevice cpu, ConvSize size, TapRule rule, DeviceSpan x, DeviceSpan logits, DeviceSpan y)
        => cpu.For(size.B * size.Chunks * size.H, Grain(size, 1), new ForwardBody(cpu, size, rule, x.Floats, logits.Floats, y.Floats));

    private static void BackwardCpu(
        CpuDevice cpu, ConvSize size, TapRule rule, DeviceSpan x, DeviceSpan logits, DeviceSpan dy, DeviceSpan? dx, DeviceSpan? dlogits)
        => cpu.For(
            size.B * size.Chunks * size.H,
            Grain(size, 3),
            new BackwardBody(
                cpu, size, rule, x.Floats, logits.Floats, dy.Floats, dx is { } ? dx.Value.Floats : null, dlogits is { } ? dlogits.Value.Floats : null));

    private static void StepCpu(
        CpuDevice cpu, ConvSize size, TapRule rule, DeviceSpan x, DeviceSpan logits, DeviceSpan window, int step, DeviceSpan y)
    {
        int grain = CpuDevice.Grain((size.R * Math.Min(step + 1, size.K) / 8.0) + size.K);
        cpu.For(size.B * size.H, grain, new StepBody(size, rule, x.Floats, logits.Floats, window.Floats, step, y.Floats));
    }

    private static int Grain(ConvSize size, int passes)
        => CpuDevice.Grain((double)passes * Math.Min(size.T, size.ChunkSteps) * ((size.R * (size.K + 4) / 16.0) + (2 * size.K)));

    private readonly struct ForwardBody(CpuDevice cpu, ConvSize size, TapRule rule, float* x, float* logits, float* y) : IKernelBody
    {
        private readonly CpuDevice _cpu = cpu;
        private readonly ConvSize _size = size;
        private readonly TapRule _rule = rule;
        private readonly float* _x = x;
        private readonly float* _logits = logits;
        private readonly float* _y = y;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int K = _size.K;
            nint stride = _size.C, logitStride = (nint)_size.H * K;
            var scratch = _cpu.Rent((long)_size.ChunkSteps * K * sizeof(float));
            for (int item = begin; item < end; item++)
            {
                var (piece, h) = Math.DivRem(item, _size.H);
                var (b, chunk) = Math.DivRem(piece, _size.Chunks);
                int start = chunk * _size.ChunkSteps, stop = Math.Min(_size.T, start + _size.ChunkSteps);
                nint tapRow = ((((nint)b * _size.T) + start) * _size.H) + h, offset = ((nint)b * _size.T * _size.C) + (h * _size.R);
                float* taps = _logits + (tapRow * K);
                nint tapStride = logitStride;
                if (!_rule.IsIdentity)
                {
                    TapRows.Prepare<TVector>(
                        _rule, taps, logitStride, stop - start, K, (ulong)tapRow, (ulong)_size.H, (float*)scratch.Pointer, null);
                    taps = (float*)scratch.Pointer;
                    tapStride = K;
                }

                for (int t = start; t < stop; t += BandedProduct.Steps, taps += BandedProduct.Steps * tapStride)
                {
                    int outputs = Math.Min(BandedProduct.Steps, stop - t), row = t - _size.LeftPadding;
                    BandedProduct.Multiply<TVector>(
                        new Band(taps, tapStride - 1, 1), K, _x + offset + (row * stride), stride,
                        Math.Max(0, -row), Math.Min(outputs + K - 1, _size.T - row), _size.R, _y + offset + (t * stride), stride, outputs);
                }
            }

            scratch.Release();
        }
    }

    private readonly struct BackwardBody(
        CpuDevice cpu, ConvSize size, TapRule rule, float* x, float* logits, float* dy, float* dx, float* dlogits) : IKernelBody
    {
        private readonly CpuDevice _cpu = cpu;
        private readonly ConvSize _size = size;
        private readonly TapRule _rule = rule;
        private readonly float* _x = x;
        private readonly float* _logits = logits;
        private readonly float* _dy = dy;
        private readonly float* _dx = dx;
        private readonly float* _dlogits = dlogits;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int K = _size.K, gStride = K + (2 * BandedProduct.Margin);
            long window = (long)(_size.ChunkSteps + K - 1) * K;
            var scratch = _cpu.Rent(((2 * window) + (BandedProduct.Steps * gStride)) * sizeof(float));
            float* taps = (float*)scratch.Pointer, factors = taps + window, g = factors + window + BandedProduct.Margin;
            for (int item = begin; item < end; item++)
            {
                var (piece, h) = Math.DivRem(item, _size.H);
                var (b, chunk) = Math.DivRem(piece, _size.Chunks);
                int start = chunk * _size.ChunkSteps, stop = Math.Min(_size.T, start + _size.ChunkSteps);

                // The steps whose outputs saw inputs start .. stop - 1.
                int first = Math.Max(0, start + _size.LeftPadding - (K - 1)), end1 = Math.Min(_size.T, stop + _size.LeftPadding);
                nint tapRow = ((((nint)b * _size.T) + first) * _size.H) + h;
                TapRows.Prepare<TVector>(
                    _rule, _logits + (tapRow * K), (nint)_size.H * K, end1 - first, K, (ulong)tapRow, (ulong)_size.H, taps, factors);
                for (int t = start; t < stop; t += BandedProduct.Steps)
                {
                    int steps = Math.Min(BandedProduct.Steps, stop - t);
                    if (_dx is not null)
                        InputGradient<TVector>(b, h, t, steps, taps - ((nint)first * K));
                    if (_dlogits is not null)
                        LogitGradient<TVector>(b, h, t, steps, taps + ((nint)(t - first) * K), factors + ((nint)(t - first) * K), g, gStride);
                }
            }

            scratch.Release();
        }

        // dx[t] = sum over s of tap[s, t - s + LeftPadding] * dy[s]: the transposed band.
        private void InputGradient<TVector>(int b, int h, int t, int steps, float* taps)
            where TVector : struct, IFloatVector<TVector>
        {
            int K = _size.K, row = t + _size.LeftPadding - (K - 1);
            nint stride = _size.C, offset = ((nint)b * _size.T * _size.C) + (h * _size.R);
            BandedProduct.Multiply<TVector>(
                new Band(taps + ((nint)row * K) + (K - 1), 1, K - 1), K, _dy + offset + (row * stride), stride,
                Math.Max(0, -row), Math.Min(steps + K - 1, _size.T - row), _size.R, _dx + offset + (t * stride), stride, steps);
        }

        private void LogitGradient<TVector>(int b, int h, int t, int steps, float* taps, float* factors, float* g, int gStride)
            where TVector : struct, IFloatVector<TVector>
        {
            int K = _size.K, row = t - _size.LeftPadding;
            nint stride = _size.C, offset = ((nint)b * _size.T * _size.C) + (h * _size.R);
            BandedProduct.Outer<TVector>(
                _dy + offset + (t * stride), stride, _x + offset + (row * stride), stride,
                Math.Max(0, -row), Math.Min(steps + K - 1, _size.T - row), _size.R, K, g, gStride, steps);
            float* gradient = _dlogits + (((((nint)b * _size.T) + t) * _size.H) + h) * K;
            for (int i = 0; i < steps; i++)
                TapRows.Gradient<TVector>(_rule, g + (i * gStride), taps + (i * K), factors + (i * K), K, gradient + ((nint)i * _size.H * K));
        }
    }

    private readonly struct StepBody(ConvSize size, TapRule rule, float* x, float* logits, float* window, int step, float* y) : IKernelBody
    {
        private readonly ConvSize _size = size;
        private readonly TapRule _rule = rule;
        private readonly float* _x = x;
        private readonly float* _logits = logits;
        private readonly float* _window = window;
        private readonly int _step = step;
        private readonly float* _y = y;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int K = _size.K;
            float* taps = stackalloc float[ConvSize.MaxK];
            for (int item = begin; item < end; item++)
            {
                var (n, h) = Math.DivRem(item, _size.H);
                nint channel = (nint)h * _size.R, row = ((nint)n * _size.C) + channel;
                TapRows.Prepare<TVector>(_rule, _logits + ((nint)item * K), K, 1, K, (ulong)item, 1, taps, null);
                ConvWindow.Step<TVector>(
                    taps, K, _x + row, _window + ((nint)n * K * _size.C) + channel, _size.C, _step, _size.R, _y + row);
            }
        }
    }
}
