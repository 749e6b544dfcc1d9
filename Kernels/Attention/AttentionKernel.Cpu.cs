using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace CudaSeq.Kernels;

internal static unsafe partial class AttentionKernel
{
    // Queries an item: enough to pay for the copies of the keys and values it makes.
    private const int QueryRange = 256;

    // Scores at once: 32 KB.
    private const int BlockElements = 8192;

    // Keys of one head beyond this would drive this head's out of the second-level cache.
    private const int FetchedElements = 32 * 1024;

    // Chunks that keep any number of threads busy to the end.
    private const int ChunksToShare = 64;

    private static void ForwardCpu(
        CpuDevice cpu, AttentionSize size, DeviceSpan q, DeviceSpan k, DeviceSpan v, DeviceSpan? keyLengths, DropMask mask, DeviceSpan y, DeviceSpan? statistics)
        => Launch(cpu, size, new ForwardBody(cpu, size, q.Floats, k.Floats, v.Floats, Lengths(keyLengths), mask, y.Floats, Pointer(statistics), null));

    private static void ProbabilitiesCpu(CpuDevice cpu, AttentionSize size, DeviceSpan q, DeviceSpan k, DeviceSpan? keyLengths, DeviceSpan p)
        => Launch(cpu, size, new ForwardBody(cpu, size, q.Floats, k.Floats, null, Lengths(keyLengths), default, null, null, p.Floats));

    private static void Launch(CpuDevice cpu, AttentionSize size, in ForwardBody body)
    {
        int ranges = (size.T + QueryRange - 1) / QueryRange;
        double cost = Math.Min(size.T, QueryRange) * (double)size.S * ((0.03 * size.D) + 0.5);
        int items = checked(size.B * size.H * ranges);
        cpu.For(items, HeadsAChunk(size, items, cost), body);
    }

    // Neighbouring heads lie in the same rows, and each fetches the next one's part of them: the more heads a chunk, the fewer begin with cold caches.
    private static int HeadsAChunk(AttentionSize size, int items, double cost)
        => Math.Max(CpuDevice.Grain(cost), Math.Min(size.H, items / ChunksToShare));

    // Asks for the next head's part of some rows while this head computes: the rows are too far apart for the processor to foresee it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fetch(float* x, int rows, AttentionSize size)
    {
        if (!Sse.IsSupported)
            return;
        for (int i = 0; i < rows; i++)
        {
            for (int d = 0; d < size.D; d += 16)
                Sse.Prefetch1(x + ((long)i * size.C) + d);
        }
    }

    private static float* Pointer(DeviceSpan? span) => span is { } some ? some.Floats : null;

    private static int* Lengths(DeviceSpan? span) => span is { } some ? some.Ints : null;

    // Queries a step: their scores fit the first-level cache. Causal steps are short, since all of a step's queries visit the keys that the last one sees.
    private static int StepRows(AttentionSize size, int scoreRow)
    {
        int rows = Math.Clamp(BlockElements / scoreRow / 4 * 4, 4, 64);
        return size.Causal ? Math.Min(rows, size.T <= 64 ? 8 : 16) : rows;
    }

    // scores[i, s] = factor a[i, :] . panels[:, s] for s below the padded number of visible keys.
    private static void Scores<TVector>(int rows, int visible, int depth, float factor, float* a, nint aRow, float* panels, float* scores, int scoreRow)
        where TVector : struct, IFloatVector<TVector>
    {
        int width = SmallProduct.TileColumns<TVector>(), columns = SmallProduct.Padded<TVector>(visible);
        for (int s = 0; s < columns; s += width)
        {
            SmallProduct.Multiply<TVector>(
                rows, Math.Min(width, columns - s), depth, a, aRow, 1, panels + ((nint)s * depth), width, scores + s, scoreRow, &factor, 0, accumulate: false);
        }
    }

    private static void Clear(float* row, int from, int to)
    {
        if (to > from)
            new Span<float>(row + from, to - from).Clear();
    }

    // Item = (b, range of queries, h).
    private readonly struct ForwardBody(
        CpuDevice cpu, AttentionSize size, float* q, float* k, float* v, int* lengths, DropMask mask, float* y, float* statistics, float* probabilities) : IKernelBody
    {
        private readonly CpuDevice _cpu = cpu;
        private readonly AttentionSize _size = size;
        private readonly float* _q = q;
        private readonly float* _k = k;
        private readonly float* _v = v;
        private readonly int* _lengths = lengths;
        private readonly DropMask _mask = mask;
        private readonly float* _y = y;
        private readonly float* _statistics = statistics;
        private readonly float* _probabilities = probabilities;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int depth = _size.D, width = SmallProduct.TileColumns<TVector>(), scoreRow = Math.Max(1, (_size.S + width - 1) / width) * width;
            long panels = (long)scoreRow * depth, values = (long)_size.S * SmallProduct.Padded<TVector>(depth), scores = (long)StepRows(_size, scoreRow) * scoreRow;
            values = (values + 15) / 16 * 16;
            var scratch = _cpu.Rent((panels + values + scores + scoreRow) * sizeof(float));
            var memory = (float*)scratch.Pointer;
            int ranges = (_size.T + QueryRange - 1) / QueryRange;
            for (int item = begin; item < end; item++)
            {
                int h = item % _size.H, block = item / _size.H;
                bool fetch = item + 1 < end && h + 1 < _size.H && _size.S * depth <= FetchedElements;
                Range<TVector>(
                    block / ranges, h, block % ranges * QueryRange, scoreRow, fetch, memory, memory + panels, memory + panels + values, memory + panels + values + scores);
            }

            scratch.Release();
        }

        private void Range<TVector>(int b, int h, int first, int scoreRow, bool fetch, float* panels, float* values, float* scores, float* keep)
            where TVector : struct, IFloatVector<TVector>
        {
            var size = _size;
            int bh = (b * size.H) + h, depth = size.D, paddedDepth = SmallProduct.Padded<TVector>(depth);
            int last = Math.Min(size.T, first + QueryRange), length = _lengths is null ? size.S : _lengths[b], visible = size.Visible(last - 1, length);
            long keyOffset = ((long)b * size.S * size.C) + (h * depth);
            SmallProduct.PackTransposed<TVector>(_k + keyOffset, size.C, visible, depth, panels);
            if (_v is not null)
                SmallProduct.PackRows<TVector>(_v + keyOffset, size.C, visible, depth, values);
            int step = StepRows(size, scoreRow);
            float* factors = stackalloc float[64];
            for (int t = first; t < last; t += step)
            {
                int rows = Math.Min(step, last - t), seen = size.Visible(t + rows - 1, length);
                long offset = (((long)b * size.T) + t) * size.C + (h * depth);
                Scores<TVector>(rows, seen, depth, size.Scale, _q + offset, size.C, panels, scores, scoreRow);
                if (fetch)
                    FetchNext(offset + depth, rows, keyOffset + depth, (int)((long)visible * (t - first) / (last - first)), (int)((long)visible * (t - first + rows) / (last - first)));
                for (int i = 0; i < rows; i++)
                    factors[i] = Normalise<TVector>(scores + ((nint)i * scoreRow), size.Visible(t + i, length), seen, ((long)bh * size.T) + t + i, keep);
                if (_probabilities is not null)
                    continue;
                SmallProduct.Multiply<TVector>(rows, depth, seen, scores, scoreRow, 1, values, paddedDepth, _y + offset, size.C, factors, 1, accumulate: false);
            }
        }

        // Spread over the steps: rows of the queries and of y, and this step's share of the keys and values.
        private void FetchNext(long queryOffset, int rows, long keyOffset, int firstKey, int lastKey)
        {
            long keys = keyOffset + ((long)firstKey * _size.C);
            Fetch(_q + queryOffset, rows, _size);
            Fetch(_k + keys, lastKey - firstKey, _size);
            if (_v is null)
                return;
            Fetch(_v + keys, lastKey - firstKey, _size);
            Fetch(_y + queryOffset, rows, _size);
        }

        // Leaves exp(score - max) in the row, masked, with zeros up to the step's number of keys; returns what it is still to be multiplied by.
        private float Normalise<TVector>(float* row, int visible, int seen, long rowNumber, float* keep)
            where TVector : struct, IFloatVector<TVector>
        {
            float max = 0, sum = 1;
            if (visible > 0)
            {
                max = SoftmaxRow.Max<TVector>(row, visible);
                sum = SoftmaxRow.ExpSum<TVector>(row, row, visible, max);
            }

            if (_statistics is not null)
                _statistics[rowNumber] = max + MathF.Log(sum);
            if (_probabilities is not null)
            {
                float* p = _probabilities + (rowNumber * _size.S);
                SoftmaxRow.Scale<TVector>(row, visible, 1 / sum);
                new Span<float>(row, visible).CopyTo(new Span<float>(p, visible));
                Clear(p, visible, _size.S);
                return 1;
            }

            if (_mask.Active)
            {
                _mask.Fill<TVector>((ulong)rowNumber * (ulong)_size.S, visible, keep);
                for (int s = 0; s < visible; s += TVector.Count)
                    (TVector.Load(row + s) * TVector.Load(keep + s)).Store(row + s);
            }

            Clear(row, visible, seen);
            return 1 / sum;
        }
    }
}
