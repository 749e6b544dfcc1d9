namespace CudaSeq.Kernels;

internal static unsafe partial class LightConvKernel
{
    // Partial sums of the weight gradient; a fixed number, so that the sum does not depend on the threads.
    private const int Groups = 16;

    private static void ForwardCpu(CpuDevice cpu, ConvSize size, TapRule rule, DeviceSpan x, DeviceSpan weight, DeviceSpan y)
    {
        var taps = cpu.Rent((long)size.H * size.K * sizeof(float));
        cpu.For(1, 1, new TapsBody(size, rule, weight.Floats, (float*)taps.Pointer, null, null));
        cpu.For(size.B * size.Chunks * size.H, Grain(size, 1), new ForwardBody(size, (float*)taps.Pointer, x.Floats, y.Floats));
        taps.Release();
    }

    private static void BackwardCpu(
        CpuDevice cpu, ConvSize size, TapRule rule, DeviceSpan x, DeviceSpan weight, DeviceSpan dy, DeviceSpan? dx, DeviceSpan? dweight)
    {
        int units = size.B * size.Chunks, groups = Math.Min(units, Groups);
        long taps = (long)size.H * size.K;
        var scratch = cpu.Rent((3 + groups) * taps * sizeof(float));
        float* forward = (float*)scratch.Pointer, factors = forward + taps, reversed = factors + taps, partial = reversed + taps;
        cpu.For(1, 1, new TapsBody(size, rule, weight.Floats, forward, factors, reversed));
        cpu.For(
            groups * size.H,
            Grain(size, 3.0 * units / Math.Max(1, groups)),
            new BackwardBody(size, groups, reversed, x.Floats, dy.Floats, dx is { } ? dx.Value.Floats : null, dweight is { } ? partial : null));
        if (dweight is { } gradient)
            cpu.For(1, 1, new WeightGradientBody(size, rule, groups, partial, forward, factors, gradient.Floats));
        scratch.Release();
    }

    private static void StepCpu(
        CpuDevice cpu, ConvSize size, TapRule rule, DeviceSpan x, DeviceSpan weight, DeviceSpan window, int step, DeviceSpan y)
    {
        var taps = cpu.Rent((long)size.H * size.K * sizeof(float));
        cpu.For(1, 1, new TapsBody(size, rule, weight.Floats, (float*)taps.Pointer, null, null));
        int grain = CpuDevice.Grain(size.R * Math.Min(step + 1, size.K) / 8.0);
        cpu.For(size.B * size.H, grain, new StepBody(size, (float*)taps.Pointer, x.Floats, window.Floats, step, y.Floats));
        taps.Release();
    }

    private static int Grain(ConvSize size, double passes)
        => CpuDevice.Grain(passes * Math.Min(size.T, size.ChunkSteps) * size.R * (size.K + 4) / 16);

    private readonly struct TapsBody(ConvSize size, TapRule rule, float* weight, float* taps, float* factors, float* reversed) : IKernelBody
    {
        private readonly ConvSize _size = size;
        private readonly TapRule _rule = rule;
        private readonly float* _weight = weight;
        private readonly float* _taps = taps;
        private readonly float* _factors = factors;
        private readonly float* _reversed = reversed;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int K = _size.K;
            TapRows.Prepare<TVector>(_rule, _weight, K, _size.H, K, 0, 1, _taps, _factors);
            if (_reversed is null)
                return;
            for (int h = 0; h < _size.H; h++)
            {
                for (int k = 0; k < K; k++)
                    _reversed[(h * K) + k] = _taps[(h * K) + K - 1 - k];
            }
        }
    }

    private readonly struct ForwardBody(ConvSize size, float* taps, float* x, float* y) : IKernelBody
    {
        private readonly ConvSize _size = size;
        private readonly float* _taps = taps;
        private readonly float* _x = x;
        private readonly float* _y = y;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            for (int item = begin; item < end; item++)
            {
                var (piece, h) = Math.DivRem(item, _size.H);
                var (b, chunk) = Math.DivRem(piece, _size.Chunks);
                nint offset = ((nint)b * _size.T * _size.C) + (h * _size.R);
                Slide<TVector>(_size, _size.LeftPadding, chunk, _taps + (h * _size.K), _x + offset, _y + offset);
            }
        }
    }

    // y = taps * x over one chunk of one head's channels; taps are the same at every step.
    private static void Slide<TVector>(ConvSize size, int leftPadding, int chunk, float* taps, float* x, float* y)
        where TVector : struct, IFloatVector<TVector>
    {
        nint stride = size.C;
        int start = chunk * size.ChunkSteps, stop = Math.Min(size.T, start + size.ChunkSteps);
        for (int t = start; t < stop; t += BandedProduct.Steps)
        {
            int outputs = Math.Min(BandedProduct.Steps, stop - t), row = t - leftPadding;
            BandedProduct.Multiply<TVector>(
                new Band(taps, -1, 1), size.K, x + (row * stride), stride,
                Math.Max(0, -row), Math.Min(outputs + size.K - 1, size.T - row), size.R, y + (t * stride), stride, outputs);
        }
    }

    private readonly struct BackwardBody(ConvSize size, int groups, float* reversed, float* x, float* dy, float* dx, float* partial) : IKernelBody
    {
        private readonly ConvSize _size = size;
        private readonly int _groups = groups;
        private readonly float* _reversed = reversed;
        private readonly float* _x = x;
        private readonly float* _dy = dy;
        private readonly float* _dx = dx;
        private readonly float* _partial = partial;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int K = _size.K, units = _size.B * _size.Chunks;
            nint stride = _size.C;
            float* sums = stackalloc float[_partial is null ? 0 : ConvSize.MaxK * TVector.Count];
            for (int item = begin; item < end; item++)
            {
                var (group, h) = Math.DivRem(item, _size.H);
                if (_partial is not null)
                    new Span<float>(sums, K * TVector.Count).Clear();
                int last = (int)((long)units * (group + 1) / _groups);
                for (int unit = (int)((long)units * group / _groups); unit < last; unit++)
                {
                    var (b, chunk) = Math.DivRem(unit, _size.Chunks);
                    nint offset = ((nint)b * _size.T * _size.C) + (h * _size.R);
                    if (_dx is not null)
                        Slide<TVector>(_size, K - 1 - _size.LeftPadding, chunk, _reversed + (h * K), _dy + offset, _dx + offset);
                    if (_partial is null)
                        continue;
                    int start = chunk * _size.ChunkSteps, steps = Math.Min(_size.T - start, _size.ChunkSteps), row = start - _size.LeftPadding;
                    for (int c = 0; c < _size.R; c += TVector.Count)
                    {
                        BandedProduct.Correlate<TVector>(
                            _dy + offset + (start * stride) + c, stride, steps, _x + offset + (row * stride) + c, stride,
                            Math.Max(0, -row), Math.Min(steps + K - 1, _size.T - row), K, Math.Min(TVector.Count, _size.R - c), sums);
                    }
                }

                for (int k = 0; k < K && _partial is not null; k++)
                    _partial[((nint)item * K) + k] = TVector.Load(sums + (k * TVector.Count)).Sum();
            }
        }
    }

    private readonly struct WeightGradientBody(
        ConvSize size, TapRule rule, int groups, float* partial, float* taps, float* factors, float* dweight) : IKernelBody
    {
        private readonly ConvSize _size = size;
        private readonly TapRule _rule = rule;
        private readonly int _groups = groups;
        private readonly float* _partial = partial;
        private readonly float* _taps = taps;
        private readonly float* _factors = factors;
        private readonly float* _dweight = dweight;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int K = _size.K;
            float* g = stackalloc float[ConvSize.MaxK];
            for (int h = 0; h < _size.H; h++)
            {
                for (int k = 0; k < K; k++)
                {
                    float sum = 0;
                    for (int group = 0; group < _groups; group++)
                        sum += _partial[((((nint)group * _size.H) + h) * K) + k];
                    g[k] = sum;
                }

                nint row = (nint)h * K;
                TapRows.Gradient<TVector>(_rule, g, _taps + row, _factors + row, K, _dweight + row);
            }
        }
    }

    private readonly struct StepBody(ConvSize size, float* taps, float* x, float* window, int step, float* y) : IKernelBody
    {
        private readonly ConvSize _size = size;
        private readonly float* _taps = taps;
        private readonly float* _x = x;
        private readonly float* _window = window;
        private readonly int _step = step;
        private readonly float* _y = y;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            for (int item = begin; item < end; item++)
            {
                var (n, h) = Math.DivRem(item, _size.H);
                nint channel = (nint)h * _size.R, row = ((nint)n * _size.C) + channel;
                ConvWindow.Step<TVector>(
                    _taps + (h * _size.K), _size.K, _x + row, _window + ((nint)n * _size.K * _size.C) + channel, _size.C, _step, _size.R, _y + row);
            }
        }
    }
}
