namespace CudaSeq.Kernels;

internal static unsafe partial class DepthwiseConvKernel
{
    // Partial sums of the parameter gradients; a fixed number, so that the sum does not depend on the threads.
    private const int MostParts = 16;

    // Channels that go together: whole tiles of every width, whole lines of the cache.
    private const int MostWidth = 64;

    private static void ForwardCpu(CpuDevice cpu, ConvSize size, DeviceSpan x, DeviceSpan weight, DeviceSpan? bias, DeviceSpan y)
        => Slide(cpu, size, size.LeftPadding, weight.Floats, bias.FloatsOrNull(), reverse: false, x.Floats, y.Floats);

    private static void Slide(CpuDevice cpu, ConvSize size, int leftPadding, float* weight, float* bias, bool reverse, float* x, float* y)
    {
        using var taps = new CallScratch(cpu, (long)(size.K + 1) * (size.C + MostWidth) * sizeof(float));
        cpu.For(1, 1, new PackBody(size, weight, bias, reverse, taps.Floats));
        int items = size.B * size.Chunks * ChannelGroups(size);
        cpu.For(items, Grain(size, items, 1), new SlideBody(size, leftPadding, taps.Floats, x, y));
    }

    private static void BackwardCpu(
        CpuDevice cpu, ConvSize size, DeviceSpan x, DeviceSpan weight, DeviceSpan dy, DeviceSpan? dx, DeviceSpan? dweight, DeviceSpan? dbias)
    {
        if (dx is { } input)
            Slide(cpu, size, size.K - 1 - size.LeftPadding, weight.Floats, null, reverse: true, dy.Floats, input.Floats);
        if (dweight is null && dbias is null)
            return;
        int parts = Math.Min(size.B * size.Chunks, MostParts);
        using var partial = new CallScratch(cpu, (long)parts * PartialElements(size) * sizeof(float));
        int items = parts * ChannelGroups(size);
        cpu.For(items, Grain(size, items, 1.5), new GradientBody(size, parts, x.Floats, dy.Floats, partial.Floats));
        int blocks = (size.C + MostWidth - 1) / MostWidth;
        cpu.For(blocks, CpuDevice.Grain(4.0 * parts * size.K), new SumBody(size, parts, partial.Floats, dweight.FloatsOrNull(), dbias.FloatsOrNull()));
    }

    // Groups of channels that are pieces of work of their own, where the sequences alone are too few of them.
    private static int ChannelGroups(ConvSize size)
        => Math.Clamp(16 / Math.Max(1, size.B * size.Chunks), 1, Math.Max(1, size.C / MostWidth));

    // The first channel of a group, where a block of taps starts.
    private static int FirstChannel(ConvSize size, int group)
        => (int)Math.Min(size.C, ((long)size.C + MostWidth - 1) / MostWidth * group / ChannelGroups(size) * MostWidth);

    // Partial sums as Correlate makes them: for every vector of channels [K and a few rows in which anything may be left, lanes], the last row the bias.
    private static int PartialRows(ConvSize size) => size.K + BandedProduct.Taps + 1;

    private static long PartialElements(ConvSize size) => (long)PartialRows(size) * (size.C + MostWidth);

    private static int Grain(ConvSize size, int items, double passes)
        => CpuDevice.Grain(passes * size.B * size.T * size.C * (size.K + 4) / (24.0 * Math.Max(1, items)));

    // Taps in the order of the tiles: blocks of two vectors of channels, [K + 1, width] each, the bias last, zeros beyond C.
    private readonly struct PackBody(ConvSize size, float* weight, float* bias, bool reverse, float* taps) : IKernelBody
    {
        private readonly ConvSize _size = size;
        private readonly float* _weight = weight;
        private readonly float* _bias = bias;
        private readonly bool _reverse = reverse;
        private readonly float* _taps = taps;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int width = 2 * TVector.Count, K = _size.K;
            float* target = _taps;
            for (int block = 0; block < _size.C; block += width)
            {
                for (int k = 0; k <= K; k++)
                {
                    int source = _reverse ? K - 1 - k : k;
                    for (int c = block; c < block + width; c++)
                        *target++ = c >= _size.C ? 0 : k < K ? _weight[((nint)c * K) + source] : _bias is null ? 0 : _bias[c];
                }
            }
        }
    }

    private readonly struct SlideBody(ConvSize size, int leftPadding, float* taps, float* x, float* y) : IKernelBody
    {
        private readonly ConvSize _size = size;
        private readonly int _leftPadding = leftPadding;
        private readonly float* _taps = taps;
        private readonly float* _x = x;
        private readonly float* _y = y;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int K = _size.K, width = 2 * TVector.Count;
            nint stride = _size.C;
            for (int item = begin; item < end; item++)
            {
                var (unit, group) = Math.DivRem(item, ChannelGroups(_size));
                var (b, chunk) = Math.DivRem(unit, _size.Chunks);
                int start = chunk * _size.ChunkSteps, stop = Math.Min(_size.T, start + _size.ChunkSteps), last = FirstChannel(_size, group + 1);
                for (int c = FirstChannel(_size, group); c < last; c += width)
                {
                    int channels = Math.Min(width, last - c);
                    float* taps = _taps + ((nint)c * (K + 1));
                    nint offset = ((nint)b * _size.T * stride) + c;
                    for (int next = start; next < stop; next += BandedProduct.Steps)
                    {
                        int t = ConvSize.BlockStart(next, start, stop), steps = Math.Min(BandedProduct.Steps, stop - t);
                        Block<TVector>(taps, t, steps, channels, _x + offset, _y + offset + (t * stride));
                    }
                }
            }
        }

        private void Block<TVector>(float* taps, int t, int steps, int channels, float* x, float* y)
            where TVector : struct, IFloatVector<TVector>
        {
            int K = _size.K, row = t - _leftPadding;
            nint stride = _size.C;
            if (steps == BandedProduct.Steps && channels == 2 * TVector.Count && K >= 3)
            {
                Tile<TVector>(taps, K, x + (row * stride), stride, Math.Max(0, -row), Math.Min(steps + K - 1, _size.T - row), y, stride);
                return;
            }

            for (int i = 0; i < steps; i++, row++, y += stride)
                Step<TVector>(taps, K, x + (row * stride), stride, Math.Max(0, -row), Math.Min(K, _size.T - row), channels, y);
        }
    }

    private readonly struct GradientBody(ConvSize size, int parts, float* x, float* dy, float* partial) : IKernelBody
    {
        private readonly ConvSize _size = size;
        private readonly int _parts = parts;
        private readonly float* _x = x;
        private readonly float* _dy = dy;
        private readonly float* _partial = partial;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int units = _size.B * _size.Chunks;
            for (int item = begin; item < end; item++)
            {
                var (part, group) = Math.DivRem(item, ChannelGroups(_size));
                int firstUnit = (int)((long)units * part / _parts), lastUnit = (int)((long)units * (part + 1) / _parts);
                int first = FirstChannel(_size, group), last = FirstChannel(_size, group + 1);
                for (int unit = firstUnit; unit < lastUnit; unit++)
                {
                    for (int c = first; c < last; c += MostWidth)
                    {
                        float* sums = _partial + (part * PartialElements(_size)) + ((nint)c * PartialRows(_size));
                        Accumulate<TVector>(unit, c, Math.Min(MostWidth, last - c), sums, clear: unit == firstUnit);
                    }
                }
            }
        }

        // Adds what one chunk gives to the sums of some channels.
        private void Accumulate<TVector>(int unit, int channel, int channels, float* sums, bool clear)
            where TVector : struct, IFloatVector<TVector>
        {
            var (b, chunk) = Math.DivRem(unit, _size.Chunks);
            int K = _size.K, start = chunk * _size.ChunkSteps, steps = Math.Min(_size.T - start, _size.ChunkSteps), row = start - _size.LeftPadding;
            int lanes = TVector.Count, vectors = (channels + lanes - 1) / lanes, vector = PartialRows(_size) * lanes;
            nint stride = _size.C, offset = ((nint)b * _size.T * stride) + channel;
            float* dy = _dy + offset + (start * stride);
            if (clear)
                new Span<float>(sums, vectors * vector).Clear();
            BandedProduct.Correlate<TVector>(
                dy, stride, steps, _x + offset + (row * stride), stride, Math.Max(0, -row), _size.T - row, K, channels, sums, vector);
            for (int c = 0; c < channels; c += lanes, sums += vector)
            {
                var bias = TVector.Load(sums + (vector - lanes));
                for (int t = 0; t < steps; t++)
                    bias += TVector.LoadPartial(dy + (t * stride) + c, Math.Min(lanes, channels - c));
                bias.Store(sums + (vector - lanes));
            }
        }
    }

    private readonly struct SumBody(ConvSize size, int parts, float* partial, float* dweight, float* dbias) : IKernelBody
    {
        private readonly ConvSize _size = size;
        private readonly int _parts = parts;
        private readonly float* _partial = partial;
        private readonly float* _dweight = dweight;
        private readonly float* _dbias = dbias;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int K = _size.K, lanes = TVector.Count, rows = PartialRows(_size);
            float* channel = stackalloc float[16];
            for (int c = begin * MostWidth; c < Math.Min(_size.C, end * MostWidth); c += lanes)
            {
                int count = Math.Min(lanes, _size.C - c);
                float* sums = _partial + ((nint)c * rows);
                for (int k = 0; k < K && _dweight is not null; k++)
                {
                    Sum<TVector>(sums + (k * lanes)).Store(channel);
                    for (int i = 0; i < count; i++)
                        _dweight[((nint)(c + i) * K) + k] = channel[i];
                }

                if (_dbias is not null)
                    Sum<TVector>(sums + ((rows - 1) * lanes)).StorePartial(_dbias + c, count);
            }
        }

        private TVector Sum<TVector>(float* sums)
            where TVector : struct, IFloatVector<TVector>
        {
            var sum = TVector.Zero;
            for (int part = 0; part < _parts; part++, sums += PartialElements(_size))
                sum += TVector.Load(sums);
            return sum;
        }
    }
}
