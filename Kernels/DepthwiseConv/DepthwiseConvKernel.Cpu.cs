namespace CudaSeq.Kernels;

internal static unsafe partial class DepthwiseConvKernel
{
    // Partial sums of the parameter gradients; a fixed number, so that the sum does not depend on the threads.
    private const int Groups = 16;

    private static void ForwardCpu(CpuDevice cpu, ConvSize size, DeviceSpan x, DeviceSpan weight, DeviceSpan? bias, DeviceSpan y)
    {
        var taps = cpu.Rent((long)size.K * size.C * sizeof(float));
        cpu.For(1, 1, new TransposeBody(size, weight.Floats, (float*)taps.Pointer, reverse: false));
        cpu.For(
            size.B * size.Chunks,
            Grain(size),
            new ForwardBody(size, size.LeftPadding, (float*)taps.Pointer, x.Floats, bias is { } ? bias.Value.Floats : null, y.Floats));
        taps.Release();
    }

    private static void BackwardCpu(
        CpuDevice cpu, ConvSize size, DeviceSpan x, DeviceSpan weight, DeviceSpan dy, DeviceSpan? dx, DeviceSpan? dweight, DeviceSpan? dbias)
    {
        if (dx is { } input)
        {
            var taps = cpu.Rent((long)size.K * size.C * sizeof(float));
            cpu.For(1, 1, new TransposeBody(size, weight.Floats, (float*)taps.Pointer, reverse: true));
            cpu.For(
                size.B * size.Chunks,
                Grain(size),
                new ForwardBody(size, size.K - 1 - size.LeftPadding, (float*)taps.Pointer, dy.Floats, null, input.Floats));
            taps.Release();
        }

        if (dweight is null && dbias is null)
            return;
        int groups = Math.Min(size.B * size.Chunks, Groups);
        var partial = cpu.Rent((long)groups * (size.K + 1) * size.C * sizeof(float));
        cpu.For(groups, 1, new GradientBody(size, groups, x.Floats, dy.Floats, (float*)partial.Pointer));
        cpu.For(1, 1, new SumBody(size, groups, (float*)partial.Pointer, dweight is { } ? dweight.Value.Floats : null, dbias is { } ? dbias.Value.Floats : null));
        partial.Release();
    }

    private static int Grain(ConvSize size) => CpuDevice.Grain((double)Math.Min(size.T, size.ChunkSteps) * size.C * (size.K + 4) / 16);

    // taps[k, c] = weight[c, k], or weight[c, K - 1 - k].
    private readonly struct TransposeBody(ConvSize size, float* weight, float* taps, bool reverse) : IKernelBody
    {
        private readonly ConvSize _size = size;
        private readonly float* _weight = weight;
        private readonly float* _taps = taps;
        private readonly bool _reverse = reverse;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            for (int k = 0; k < _size.K; k++)
            {
                int source = _reverse ? _size.K - 1 - k : k;
                for (int c = 0; c < _size.C; c++)
                    _taps[((nint)k * _size.C) + c] = _weight[((nint)c * _size.K) + source];
            }
        }
    }

    private readonly struct ForwardBody(ConvSize size, int leftPadding, float* taps, float* x, float* bias, float* y) : IKernelBody
    {
        private readonly ConvSize _size = size;
        private readonly int _leftPadding = leftPadding;
        private readonly float* _taps = taps;
        private readonly float* _x = x;
        private readonly float* _bias = bias;
        private readonly float* _y = y;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            nint stride = _size.C;
            for (int item = begin; item < end; item++)
            {
                var (b, chunk) = Math.DivRem(item, _size.Chunks);
                int start = chunk * _size.ChunkSteps, stop = Math.Min(_size.T, start + _size.ChunkSteps);
                float* x = _x + ((nint)b * _size.T * _size.C), y = _y + ((nint)b * _size.T * _size.C);
                for (int c = 0; c < _size.C; c += TVector.Count)
                {
                    int lanes = Math.Min(TVector.Count, _size.C - c);
                    var bias = _bias is null ? TVector.Zero : TVector.LoadPartial(_bias + c, lanes);
                    for (int t = start; t < stop; t++)
                    {
                        var sum = bias;
                        int row = t - _leftPadding, to = Math.Min(_size.K, _size.T - row);
                        for (int k = Math.Max(0, -row); k < to; k++)
                        {
                            sum = TVector.MultiplyAdd(
                                TVector.LoadPartial(_taps + (k * stride) + c, lanes), TVector.LoadPartial(x + ((row + k) * stride) + c, lanes), sum);
                        }

                        sum.StorePartial(y + (t * stride) + c, lanes);
                    }
                }
            }
        }
    }

    private readonly struct GradientBody(ConvSize size, int groups, float* x, float* dy, float* partial) : IKernelBody
    {
        private readonly ConvSize _size = size;
        private readonly int _groups = groups;
        private readonly float* _x = x;
        private readonly float* _dy = dy;
        private readonly float* _partial = partial;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int K = _size.K, units = _size.B * _size.Chunks, lanesOf = TVector.Count;
            nint stride = _size.C;
            float* sums = stackalloc float[(ConvSize.MaxK + 1) * TVector.Count];
            for (int group = begin; group < end; group++)
            {
                float* partial = _partial + ((nint)group * (K + 1) * _size.C);
                for (int c = 0; c < _size.C; c += lanesOf)
                {
                    int lanes = Math.Min(lanesOf, _size.C - c);
                    new Span<float>(sums, (K + 1) * lanesOf).Clear();
                    int last = (int)((long)units * (group + 1) / _groups);
                    for (int unit = (int)((long)units * group / _groups); unit < last; unit++)
                    {
                        var (b, chunk) = Math.DivRem(unit, _size.Chunks);
                        int start = chunk * _size.ChunkSteps, steps = Math.Min(_size.T - start, _size.ChunkSteps), row = start - _size.LeftPadding;
                        nint offset = ((nint)b * _size.T * _size.C) + c;
                        float* dy = _dy + offset + (start * stride);
                        BandedProduct.Correlate<TVector>(
                            dy, stride, steps, _x + offset + (row * stride), stride,
                            Math.Max(0, -row), Math.Min(steps + K - 1, _size.T - row), K, lanes, sums);
                        var sum = TVector.Load(sums + (K * lanesOf));
                        for (int t = 0; t < steps; t++)
                            sum += TVector.LoadPartial(dy + (t * stride), lanes);
                        sum.Store(sums + (K * lanesOf));
                    }

                    for (int k = 0; k <= K; k++)
                        TVector.Load(sums + (k * lanesOf)).StorePartial(partial + (k * stride) + c, lanes);
                }
            }
        }
    }

    private readonly struct SumBody(ConvSize size, int groups, float* partial, float* dweight, float* dbias) : IKernelBody
    {
        private readonly ConvSize _size = size;
        private readonly int _groups = groups;
        private readonly float* _partial = partial;
        private readonly float* _dweight = dweight;
        private readonly float* _dbias = dbias;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int K = _size.K, C = _size.C;
            nint block = (nint)(K + 1) * C;
            for (int k = 0; k <= K; k++)
            {
                float* gradient = k < K ? _dweight : _dbias;
                if (gradient is null)
                    continue;
                for (int c = 0; c < C; c++)
                {
                    float sum = 0;
                    for (int group = 0; group < _groups; group++)
                        sum += _partial[(group * block) + ((nint)k * C) + c];
                    gradient[k < K ? ((nint)c * K) + k : c] = sum;
                }
            }
        }
    }
}
