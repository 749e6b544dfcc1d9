namespace CudaSeq.Kernels;

internal static unsafe partial class CrossEntropyKernel
{
    /// <summary>One block of rows from x to its share of every gradient, in memory that serves all blocks of a call.</summary>
    private readonly struct Block : IDisposable
    {
        private readonly CpuDevice _cpu;
        private readonly CrossEntropySize _size;
        private readonly float* _x;
        private readonly float* _weight;
        private readonly float* _bias;
        private readonly int* _targets;
        private readonly float* _dx;
        private readonly float* _dw;
        private readonly float* _db;
        private readonly CallScratch _memory;

        public Block(
            CpuDevice cpu, in CrossEntropySize size, float* x, float* weight, float* bias, int* targets, in CrossEntropyGradients gradients, int rows)
        {
            _cpu = cpu;
            _size = size;
            _x = x;
            _weight = weight;
            _bias = bias;
            _targets = targets;
            _dx = gradients.X.FloatsOrNull();
            _dw = gradients.Weight.FloatsOrNull();
            _db = gradients.Bias.FloatsOrNull();
            Rows = rows;
            _memory = new CallScratch(cpu, (((long)rows * size.V) + (2L * rows * size.C)) * sizeof(float));
        }

        /// <summary>The most rows of a block.</summary>
        public int Rows { get; }

        private float* Logits => _memory.Floats;

        private bool Recording => _dx != null || _dw != null || _db != null;

        public void Dispose() => _memory.Dispose();

        /// <summary>Computes <paramref name="count"/> rows, whose numbers in x are <paramref name="kept"/>.</summary>
        public void Compute(int* kept, int count, bool accumulate, double* losses, double* nlls)
        {
            var (v, c) = (_size.V, _size.C);
            bool dense = kept[count - 1] - kept[0] == count - 1;
            float* gathered = Logits + ((long)Rows * v), x = dense ? _x + ((long)kept[0] * c) : gathered;
            if (!dense)
                _cpu.For(count, CpuDevice.Grain(0.1 * c), new GatherBody(kept, c, _x, gathered));
            var product = GemmProblem.Dense(count, v, c, x, false, _weight, true, Logits);
            product.Epilogue = new Epilogue(1, _bias);
            MatMulKernel.Multiply(_cpu, product);
            _cpu.For(count, CpuDevice.Grain(0.5 * v), new LossBody(_size, Recording, kept, _targets, Logits, losses, nlls));
            if (_dx != null)
            {
                float* dx = dense ? _dx + ((long)kept[0] * c) : gathered + ((long)Rows * c);
                MatMulKernel.Multiply(_cpu, GemmProblem.Dense(count, c, v, Logits, false, _weight, false, dx));
                if (!dense)
                    _cpu.For(count, CpuDevice.Grain(0.1 * c), new ScatterBody(kept, c, dx, _dx));
            }

            if (_dw != null)
            {
                var gradient = GemmProblem.Dense(v, c, count, Logits, true, x, false, _dw);
                gradient.Accumulate = accumulate;
                MatMulKernel.Multiply(_cpu, gradient);
            }

            if (_db != null)
                _cpu.For(v, CpuDevice.LineGrain(0.2 * count), new ColumnSumBody(count, v, Logits, _db));
        }
    }

    private readonly struct GatherBody(int* rows, int width, float* from, float* to) : IKernelBody
    {
        private readonly int* _rows = rows;
        private readonly float* _from = from;
        private readonly float* _to = to;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            for (int i = begin; i < end; i++)
                new ReadOnlySpan<float>(_from + ((long)_rows[i] * width), width).CopyTo(new Span<float>(_to + ((long)i * width), width));
        }
    }

    private readonly struct ScatterBody(int* rows, int width, float* from, float* to) : IKernelBody
    {
        private readonly int* _rows = rows;
        private readonly float* _from = from;
        private readonly float* _to = to;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            for (int i = begin; i < end; i++)
                new ReadOnlySpan<float>(_from + ((long)i * width), width).CopyTo(new Span<float>(_to + ((long)_rows[i] * width), width));
        }
    }

    // sum[j] += the column sums of a block, rows in order.
    private readonly struct ColumnSumBody(int rows, int columns, float* x, float* sum) : IKernelBody
    {
        private readonly float* _x = x;
        private readonly float* _sum = sum;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            for (int j = begin; j < end; j += TVector.Count)
            {
                int count = Math.Min(TVector.Count, end - j);
                var total = TVector.LoadPartial(_sum + j, count);
                for (int i = 0; i < rows; i++)
                    total += TVector.LoadPartial(_x + ((long)i * columns) + j, count);
                total.StorePartial(_sum + j, count);
            }
        }
    }

    /// <summary>Row by row: the loss from the logits, and the logits' gradient p - q over them. A row stays in the cache for its three passes.</summary>
    private readonly struct LossBody(
        CrossEntropySize size, bool recording, int* kept, int* targets, float* logits, double* losses, double* nlls) : IKernelBody
    {
        private readonly CrossEntropySize _size = size;
        private readonly int* _kept = kept;
        private readonly int* _targets = targets;
        private readonly float* _logits = logits;
        private readonly double* _losses = losses;
        private readonly double* _nlls = nlls;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int v = _size.V;
            double onEvery = _size.OnEvery, onTarget = _size.OnTarget;
            for (int i = begin; i < end; i++)
            {
                float* row = _logits + ((long)i * v);
                int target = _targets[_kept[i]];
                float max = Max<TVector>(row, v);
                double difference = (double)row[target] - max;
                var (exponentials, differences) = recording ? Exponentiate<TVector, Yes>(row, v, max) : Exponentiate<TVector, No>(row, v, max);
                double log = Math.Log(exponentials), nll = log - difference;
                _nlls[i] = nll;
                _losses[i] = (onTarget * nll) + (onEvery == 0 ? 0 : onEvery * ((v * log) - differences));
                if (!recording)
                    continue;
                Normalize<TVector>(row, v, (float)(1 / exponentials), (float)-onEvery);
                row[target] -= (float)onTarget;
            }
        }

        private static float Max<TVector>(float* row, int v)
            where TVector : struct, IFloatVector<TVector>
        {
            float first = row[0];
            TVector m0 = TVector.Broadcast(first), m1 = m0, m2 = m0, m3 = m0;
            int j = 0;
            for (; j <= v - (4 * TVector.Count); j += 4 * TVector.Count)
            {
                m0 = TVector.Max(m0, TVector.Load(row + j));
                m1 = TVector.Max(m1, TVector.Load(row + j + TVector.Count));
                m2 = TVector.Max(m2, TVector.Load(row + j + (2 * TVector.Count)));
                m3 = TVector.Max(m3, TVector.Load(row + j + (3 * TVector.Count)));
            }

            float max = TVector.Max(TVector.Max(m0, m1), TVector.Max(m2, m3)).MaxLane();
            for (; j < v; j++)
                max = MathF.Max(max, row[j]);
            return max;
        }

        // The sums over the row of e^(l - max), which may replace l, and of l - max.
        private static (double Exponentials, double Differences) Exponentiate<TVector, TStore>(float* row, int v, float max)
            where TVector : struct, IFloatVector<TVector>
            where TStore : struct, IChoice
        {
            var shift = TVector.Broadcast(max);
            TVector e0 = TVector.Zero, e1 = TVector.Zero, d0 = TVector.Zero, d1 = TVector.Zero;
            double exponentials = 0, differences = 0;
            int j = 0;
            // Sums of a few hundred terms in floats, these in doubles.
            while (j <= v - (2 * TVector.Count))
            {
                int stop = Math.Min(v - (2 * TVector.Count), j + (126 * TVector.Count));
                for (; j <= stop; j += 2 * TVector.Count)
                {
                    var a = TVector.Load(row + j) - shift;
                    var b = TVector.Load(row + j + TVector.Count) - shift;
                    d0 += a;
                    d1 += b;
                    a = VectorMath.Exp(a);
                    b = VectorMath.Exp(b);
                    e0 += a;
                    e1 += b;
                    if (TStore.Value)
                    {
                        a.Store(row + j);
                        b.Store(row + j + TVector.Count);
                    }
                }

                exponentials += (e0 + e1).Sum();
                differences += (d0 + d1).Sum();
                e0 = e1 = d0 = d1 = TVector.Zero;
            }

            for (; j < v; j++)
            {
                float difference = row[j] - max, exponential = MathF.Exp(difference);
                differences += difference;
                exponentials += exponential;
                if (TStore.Value)
                    row[j] = exponential;
            }

            return (exponentials, differences);
        }

        private static void Normalize<TVector>(float* row, int v, float scale, float shift)
            where TVector : struct, IFloatVector<TVector>
        {
            TVector factor = TVector.Broadcast(scale), summand = TVector.Broadcast(shift);
            int j = 0;
            for (; j <= v - TVector.Count; j += TVector.Count)
                TVector.MultiplyAdd(TVector.Load(row + j), factor, summand).Store(row + j);
            if (j < v)
                TVector.MultiplyAdd(TVector.LoadPartial(row + j, v - j), factor, summand).StorePartial(row + j, v - j);
        }
    }

    private interface IChoice
    {
        static abstract bool Value { get; }
    }

    private readonly struct Yes : IChoice
    {
        public static bool Value => true;
    }

    private readonly struct No : IChoice
    {
        public static bool Value => false;
    }
}
