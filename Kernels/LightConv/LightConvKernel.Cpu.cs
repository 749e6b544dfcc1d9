using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

internal static unsafe partial class LightConvKernel
{
    // Partial sums of the weight gradient; a fixed number, so that the sum does not depend on the threads.
    private const int MostParts = 16;

    private static void ForwardCpu(CpuDevice cpu, ConvSize size, TapRule rule, DeviceSpan x, DeviceSpan weight, DeviceSpan y)
    {
        using var taps = new CallScratch(cpu, (long)size.H * size.K * sizeof(float));
        cpu.For(1, 1, new TapsBody(size, rule, weight.Floats, taps.Floats, null, null));
        int items = size.B * size.Chunks * size.HeadGroups;
        cpu.For(items, Grain(size, items, 1), new ForwardBody(size, taps.Floats, x.Floats, y.Floats));
    }

    private static void BackwardCpu(
        CpuDevice cpu, ConvSize size, TapRule rule, DeviceSpan x, DeviceSpan weight, DeviceSpan dy, DeviceSpan? dx, DeviceSpan? dweight)
    {
        int parts = Math.Min(size.B * size.Chunks, MostParts), items = parts * size.HeadGroups;
        long taps = (long)size.H * size.K;
        using var scratch = new CallScratch(cpu, (3 + parts) * taps * sizeof(float));
        float* forward = scratch.Floats, factors = forward + taps, reversed = factors + taps, partial = reversed + taps;
        cpu.For(1, 1, new TapsBody(size, rule, weight.Floats, forward, factors, reversed));
        cpu.For(
            items,
            Grain(size, items, 2.5),
            new BackwardBody(size, parts, reversed, x.Floats, dy.Floats, dx.FloatsOrNull(), dweight is { } ? partial : null));
        if (dweight is { } gradient)
            cpu.For(1, 1, new WeightGradientBody(size, rule, parts, partial, forward, factors, gradient.Floats));
    }

    private static void StepCpu(
        CpuDevice cpu, ConvSize size, TapRule rule, DeviceSpan x, DeviceSpan weight, DeviceSpan window, DeviceSpan positions, DeviceSpan y)
    {
        using var taps = new CallScratch(cpu, (long)size.H * size.K * sizeof(float));
        cpu.For(1, 1, new TapsBody(size, rule, weight.Floats, taps.Floats, null, null));
        int grain = CpuDevice.Grain(size.C * size.K / 12.0);
        cpu.For(size.B, grain, new StepBody(size, taps.Floats, x.Floats, window.Floats, positions.Ints, y.Floats));
    }

    private static int Grain(ConvSize size, int items, double passes)
        => CpuDevice.Grain(passes * size.B * size.T * size.C * (size.K + 4) / (32.0 * Math.Max(1, items)));

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
            TapRows.Prepare<TVector>(_rule, _weight, _size.H, K, 0, _taps, _factors);
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
            int groups = _size.HeadGroups;
            for (int item = begin; item < end; item++)
            {
                var (unit, group) = Math.DivRem(item, groups);
                var (b, chunk) = Math.DivRem(unit, _size.Chunks);
                nint offset = (nint)b * _size.T * _size.C;
                Slide<TVector>(
                    _size, _size.LeftPadding, chunk, _size.FirstHead(group, groups), _size.FirstHead(group + 1, groups), _taps, _x + offset, _y + offset);
            }
        }
    }

    // y = taps * x over one chunk of one sequence and some heads, where taps are the same at every step. Steps outside, heads inside: x is read in whole rows.
    private static void Slide<TVector>(in ConvSize size, int leftPadding, int chunk, int firstHead, int lastHead, float* taps, float* x, float* y)
        where TVector : struct, IFloatVector<TVector>
    {
        nint stride = size.C;
        int start = chunk * size.ChunkSteps, stop = Math.Min(size.T, start + size.ChunkSteps);
        for (int next = start; next < stop; next += BandedProduct.Steps)
        {
            int t = ConvSize.BlockStart(next, start, stop), outputs = Math.Min(BandedProduct.Steps, stop - t), row = t - leftPadding;
            int from = Math.Max(0, -row), to = Math.Min(outputs + size.K - 1, size.T - row);
            for (int h = firstHead; h < lastHead; h++)
            {
                nint channel = (nint)h * size.R;
                BandedProduct.Multiply<TVector>(
                    new Band(taps + (h * size.K), -1, 1), size.K, x + (row * stride) + channel, stride, from, to, size.R,
                    y + (t * stride) + channel, stride, outputs);
            }
        }
    }

    private readonly struct BackwardBody(ConvSize size, int parts, float* reversed, float* x, float* dy, float* dx, float* partial) : IKernelBody
    {
        private readonly ConvSize _size = size;
        private readonly int _parts = parts;
        private readonly float* _reversed = reversed;
        private readonly float* _x = x;
        private readonly float* _dy = dy;
        private readonly float* _dx = dx;
        private readonly float* _partial = partial;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int K = _size.K, units = _size.B * _size.Chunks, groups = _size.HeadGroups;
            for (int item = begin; item < end; item++)
            {
                var (part, group) = Math.DivRem(item, groups);
                int firstHead = _size.FirstHead(group, groups), lastHead = _size.FirstHead(group + 1, groups);
                int first = (int)((long)units * part / _parts), last = (int)((long)units * (part + 1) / _parts);
                float* partial = _partial is null ? null : _partial + ((((nint)part * _size.H) + firstHead) * K);
                if (partial is not null)
                    new Span<float>(partial, (lastHead - firstHead) * K).Clear();
                for (int unit = first; unit < last; unit++)
                {
                    var (b, chunk) = Math.DivRem(unit, _size.Chunks);
                    nint offset = (nint)b * _size.T * _size.C;
                    if (_dx is not null)
                        Slide<TVector>(_size, K - 1 - _size.LeftPadding, chunk, firstHead, lastHead, _reversed, _dy + offset, _dx + offset);
                    for (int h = firstHead; h < lastHead && partial is not null; h++)
                        TapGradient<TVector>(offset + (h * _size.R), chunk, partial + ((h - firstHead) * K));
                }
            }
        }

        // Adds what one chunk of one head gives to the gradient of its taps.
        [SkipLocalsInit]
        private void TapGradient<TVector>(nint offset, int chunk, float* gradient)
            where TVector : struct, IFloatVector<TVector>
        {
            int K = _size.K, start = chunk * _size.ChunkSteps, steps = Math.Min(_size.T - start, _size.ChunkSteps), row = start - _size.LeftPadding;
            nint stride = _size.C;
            float* sums = stackalloc float[(K + BandedProduct.Taps) * TVector.Count];
            new Span<float>(sums, K * TVector.Count).Clear();
            BandedProduct.Correlate<TVector>(
                _dy + offset + (start * stride), stride, steps, _x + offset + (row * stride), stride,
                Math.Max(0, -row), _size.T - row, K, _size.R, sums, 0);
            for (int k = 0; k < K; k++)
                gradient[k] += TVector.Load(sums + (k * TVector.Count)).Sum();
        }
    }

    private readonly struct WeightGradientBody(
        ConvSize size, TapRule rule, int parts, float* partial, float* taps, float* factors, float* dweight) : IKernelBody
    {
        private readonly ConvSize _size = size;
        private readonly TapRule _rule = rule;
        private readonly int _parts = parts;
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
                    for (int part = 0; part < _parts; part++)
                        sum += _partial[((((nint)part * _size.H) + h) * K) + k];
                    g[k] = sum;
                }

                nint row = (nint)h * K;
                TapRows.Gradient<TVector>(_rule, 1, K, g, K, _taps + row, _factors + row, K, _dweight + row, K);
            }
        }
    }

    private readonly struct StepBody(ConvSize size, float* taps, float* x, float* window, int* positions, float* y) : IKernelBody
    {
        private readonly ConvSize _size = size;
        private readonly float* _taps = taps;
        private readonly float* _x = x;
        private readonly float* _window = window;
        private readonly int* _positions = positions;
        private readonly float* _y = y;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            for (int n = begin; n < end; n++)
            {
                nint row = (nint)n * _size.C;
                ConvWindow.Step<TVector>(_size, _taps, _x + row, _window + (row * _size.K), _positions[n], _y + row);
            }
        }
    }
}
