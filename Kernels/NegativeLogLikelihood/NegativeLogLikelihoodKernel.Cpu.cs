namespace CudaSeq.Kernels;

internal static unsafe partial class NegativeLogLikelihoodKernel
{
    private static void ForwardCpu(CpuDevice cpu, in CrossEntropySize size, DeviceSpan x, DeviceSpan targets, DeviceSpan loss, DeviceSpan nll)
    {
        using var rows = new CallScratch(cpu, 2L * size.N * sizeof(double));
        double* losses = rows.Doubles, nlls = losses + size.N;
        cpu.For(size.N, CpuDevice.Grain(1 + (size.OnEvery == 0 ? 0 : 0.2 * size.V)), new ForwardBody(size, x.Floats, targets.Ints, losses, nlls));
        double lossSum = 0, nllSum = 0;
        for (int n = 0; n < size.N; n++)
        {
            lossSum += losses[n];
            nllSum += nlls[n];
        }

        *loss.Floats = (float)lossSum;
        *nll.Floats = (float)nllSum;
    }

    private static void BackwardCpu(CpuDevice cpu, in CrossEntropySize size, DeviceSpan dloss, DeviceSpan targets, DeviceSpan dx)
        => cpu.For(size.N, CpuDevice.Grain(0.2 * size.V), new BackwardBody(size, *dloss.Floats, targets.Ints, dx.Floats));

    private readonly struct ForwardBody(CrossEntropySize size, float* x, int* targets, double* losses, double* nlls) : IKernelBody
    {
        private readonly CrossEntropySize _size = size;
        private readonly float* _x = x;
        private readonly int* _targets = targets;
        private readonly double* _losses = losses;
        private readonly double* _nlls = nlls;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            for (int n = begin; n < end; n++)
            {
                _losses[n] = _nlls[n] = 0;
                if (_targets[n] == _size.PaddingIndex)
                    continue;
                float* row = _x + ((long)n * _size.V);
                double nll = -(double)row[_targets[n]];
                _nlls[n] = nll;
                _losses[n] = _size.OnTarget * nll;

                // Nothing is spread where nothing is smoothed: a token of probability 0 costs nothing then.
                if (_size.OnEvery != 0)
                    _losses[n] -= _size.OnEvery * Sum<TVector>(row);
            }
        }

        // In pieces, so that many thousands of small numbers lose little.
        private double Sum<TVector>(float* row)
            where TVector : struct, IFloatVector<TVector>
        {
            const int Piece = 1024;
            double sum = 0;
            for (int first = 0; first < _size.V; first += Piece)
            {
                int last = Math.Min(_size.V, first + Piece), i = first;
                var part = TVector.Zero;
                for (; i <= last - TVector.Count; i += TVector.Count)
                    part += TVector.Load(row + i);
                if (i < last)
                    part += TVector.LoadPartial(row + i, last - i);
                sum += part.Sum();
            }

            return sum;
        }
    }

    private readonly struct BackwardBody(CrossEntropySize size, float dloss, int* targets, float* dx) : IKernelBody
    {
        private readonly CrossEntropySize _size = size;
        private readonly int* _targets = targets;
        private readonly float* _dx = dx;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            float every = (float)(-dloss * _size.OnEvery), target = (float)(-dloss * (_size.OnEvery + _size.OnTarget));
            for (int n = begin; n < end; n++)
            {
                bool counts = _targets[n] != _size.PaddingIndex;
                var row = new Span<float>(_dx + ((long)n * _size.V), _size.V);
                row.Fill(counts ? every : 0);
                if (counts)
                    row[_targets[n]] = target;
            }
        }
    }
}
