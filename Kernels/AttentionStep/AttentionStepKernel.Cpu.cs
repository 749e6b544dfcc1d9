using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CudaSeq.Kernels;

internal static unsafe partial class AttentionStepKernel
{
    // Items that keep the threads busy: fewer sequences than this are split by heads too.
    private const int EnoughItems = 16;

    // Scores of the queries that pass over the keys together: 32 KB.
    private const int ScoreElements = 8192;

    private static void ForwardCpu(
        CpuDevice cpu, AttentionStepSize size, DeviceSpan q, DeviceSpan keys, DeviceSpan values, DeviceSpan? lengths, DeviceSpan? origins, DeviceSpan y)
    {
        int heads = size.M >= EnoughItems ? size.H : Math.Max(1, size.H * size.M / EnoughItems);
        int groups = (size.H + heads - 1) / heads;
        int scoreRow = (size.Most + 3) / 4 * 4, together = Math.Clamp(ScoreElements / Math.Max(1, heads * scoreRow), 1, Math.Max(1, size.Queries));
        using var scratch = new ThreadScratch(cpu, (long)together * heads * scoreRow * sizeof(float));
        var body = new ForwardBody(scratch, size, heads, groups, together, scoreRow, q.Floats, keys.Floats, values.Floats, lengths.IntsOrNull(), origins.IntsOrNull(), y.Floats);
        double cost = size.Queries * (double)heads * (20 + (size.Most * (1 + (0.05 * size.D))));
        cpu.For(checked(size.M * groups), CpuDevice.Grain(cost), body);
    }

    // Item = (m, group of heads): rows of keys and values are read whole, four at a time, and all queries of the sequence pass over them.
    private readonly struct ForwardBody(
        ThreadScratch scratch, AttentionStepSize size, int heads, int groups, int together, int scoreRow,
        float* q, float* keys, float* values, int* lengths, int* origins, float* y) : IKernelBody
    {
        private readonly ThreadScratch _scratch = scratch;
        private readonly AttentionStepSize _size = size;
        private readonly int _heads = heads;
        private readonly int _groups = groups;
        private readonly int _together = together;
        private readonly int _scoreRow = scoreRow;
        private readonly float* _q = q;
        private readonly float* _keys = keys;
        private readonly float* _values = values;
        private readonly int* _lengths = lengths;
        private readonly int* _origins = origins;
        private readonly float* _y = y;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            float* scores = _scratch.Claim(out int slice);
            for (int item = begin; item < end; item++)
            {
                int m = item / _groups, first = item % _groups * _heads, heads = Math.Min(_heads, _size.H - first);
                for (int i = 0; i < _size.Queries; i += _together)
                    Queries<TVector>(m, (m * _size.Queries) + i, Math.Min(_together, _size.Queries - i), first, heads, scores, _scoreRow);
            }

            _scratch.Return(slice);
        }

        private void Queries<TVector>(int m, int n, int queries, int firstHead, int heads, float* scores, int scoreRow)
            where TVector : struct, IFloatVector<TVector>
        {
            int depth = _size.D, visible = Math.Clamp(_lengths is null ? _size.Count : Math.Min(_size.Count, _lengths[m]), 0, _size.S);
            int first = _size.Window > 0 ? Math.Max(0, visible - _size.Window) : 0;
            visible -= first;
            int owner = _origins is null ? m : m - (m % _size.Beam);
            long cache = ((((long)owner * _size.S) + first) * _size.C) + (firstHead * depth), rows = ((long)n * _size.C) + (firstHead * depth);
            int* origins = _origins is null ? null : _origins + ((long)m * _size.S) + first;
            var (keys, values) = (new CachePlaces(_keys + cache, _size, origins), new CachePlaces(_values + cache, _size, origins));
            for (int s = 0; s < visible; s += 4)
            {
                var four = new Four(keys, s, visible);
                Fetch(keys, s + 4, visible, heads * depth);
                for (int i = 0; i < queries * heads; i++)
                    Dots<TVector>(_q + rows + ((long)(i / heads) * _size.C), four, i % heads * depth, scores + ((nint)i * scoreRow) + s);
            }

            for (int i = 0; i < queries * heads && visible > 0; i++)
            {
                float* row = scores + ((nint)i * scoreRow);
                SoftmaxRow.Scale<TVector>(row, visible, 1 / SoftmaxRow.ExpSum<TVector>(row, row, visible, SoftmaxRow.Max<TVector>(row, visible)));
                for (int s = visible; s < scoreRow; s++)
                    row[s] = 0;
            }

            for (int i = 0; i < queries; i++)
                new Span<float>(_y + rows + ((long)i * _size.C), heads * depth).Clear();
            for (int s = 0; s < visible; s += 4)
            {
                var four = new Four(values, s, visible);
                Fetch(values, s + 4, visible, heads * depth);
                for (int i = 0; i < queries * heads; i++)
                    Add<TVector>(scores + ((nint)i * scoreRow) + s, four, i % heads * depth, _y + rows + ((long)(i / heads) * _size.C));
            }
        }

        // Asks for four rows of a cache before their turn.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Fetch(in CachePlaces places, int s, int visible, int channels)
        {
            if (!Sse.IsSupported)
                return;
            for (int last = Math.Min(s + 4, visible); s < last; s++)
            {
                float* place = places.At(s);
                for (int c = 0; c < channels; c += 16)
                    Sse.Prefetch0(place + c);
            }
        }

        // scores[j] = scale q . k[j] over the channels of one head.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Dots<TVector>(float* q, in Four k, int channel, float* scores)
            where TVector : struct, IFloatVector<TVector>
        {
            TVector sum0 = TVector.Zero, sum1 = sum0, sum2 = sum0, sum3 = sum0;
            nint d = channel, end = channel + _size.D;
            for (; d <= end - TVector.Count; d += TVector.Count)
            {
                var x = TVector.Load(q + d);
                sum0 = TVector.MultiplyAdd(x, TVector.Load(k.Row0 + d), sum0);
                sum1 = TVector.MultiplyAdd(x, TVector.Load(k.Row1 + d), sum1);
                sum2 = TVector.MultiplyAdd(x, TVector.Load(k.Row2 + d), sum2);
                sum3 = TVector.MultiplyAdd(x, TVector.Load(k.Row3 + d), sum3);
            }

            int rest = (int)(end - d);
            if (rest > 0)
            {
                var x = TVector.LoadPartial(q + d, rest);
                sum0 = TVector.MultiplyAdd(x, TVector.LoadPartial(k.Row0 + d, rest), sum0);
                sum1 = TVector.MultiplyAdd(x, TVector.LoadPartial(k.Row1 + d, rest), sum1);
                sum2 = TVector.MultiplyAdd(x, TVector.LoadPartial(k.Row2 + d, rest), sum2);
                sum3 = TVector.MultiplyAdd(x, TVector.LoadPartial(k.Row3 + d, rest), sum3);
            }

            (Sums(sum0, sum1, sum2, sum3) * Vector128.Create(_size.Scale)).Store(scores);
        }

        // y += sum_j p[j] v[j] over the channels of one head.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Add<TVector>(float* p, in Four v, int channel, float* y)
            where TVector : struct, IFloatVector<TVector>
        {
            TVector p0 = TVector.Broadcast(p[0]), p1 = TVector.Broadcast(p[1]), p2 = TVector.Broadcast(p[2]), p3 = TVector.Broadcast(p[3]);
            nint d = channel, end = channel + _size.D;
            for (; d <= end - TVector.Count; d += TVector.Count)
            {
                var sum = TVector.MultiplyAdd(p0, TVector.Load(v.Row0 + d), TVector.Load(y + d));
                sum = TVector.MultiplyAdd(p1, TVector.Load(v.Row1 + d), sum);
                sum = TVector.MultiplyAdd(p2, TVector.Load(v.Row2 + d), sum);
                TVector.MultiplyAdd(p3, TVector.Load(v.Row3 + d), sum).Store(y + d);
            }

            int rest = (int)(end - d);
            if (rest > 0)
            {
                var sum = TVector.MultiplyAdd(p0, TVector.LoadPartial(v.Row0 + d, rest), TVector.LoadPartial(y + d, rest));
                sum = TVector.MultiplyAdd(p1, TVector.LoadPartial(v.Row1 + d, rest), sum);
                sum = TVector.MultiplyAdd(p2, TVector.LoadPartial(v.Row2 + d, rest), sum);
                TVector.MultiplyAdd(p3, TVector.LoadPartial(v.Row3 + d, rest), sum).StorePartial(y + d, rest);
            }
        }

        // The sums of the lanes of four vectors.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector128<float> Sums<TVector>(TVector a, TVector b, TVector c, TVector d)
            where TVector : struct, IFloatVector<TVector>
        {
            if (typeof(TVector) == typeof(Float512))
                return Sums(new Float256(Halves(Lanes512(a))), new Float256(Halves(Lanes512(b))), new Float256(Halves(Lanes512(c))), new Float256(Halves(Lanes512(d))));
            if (typeof(TVector) == typeof(Float256))
            {
                var ab = Avx.HorizontalAdd(Lanes256(a), Lanes256(b));
                var cd = Avx.HorizontalAdd(Lanes256(c), Lanes256(d));
                var abcd = Avx.HorizontalAdd(ab, cd);
                return abcd.GetLower() + abcd.GetUpper();
            }

            return Vector128.Create(a.Sum(), b.Sum(), c.Sum(), d.Sum());
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector512<float> Lanes512<TVector>(TVector x)
            where TVector : struct
            => Unsafe.BitCast<TVector, Float512>(x).Value;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector256<float> Lanes256<TVector>(TVector x)
            where TVector : struct
            => Unsafe.BitCast<TVector, Float256>(x).Value;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector256<float> Halves(Vector512<float> x) => x.GetLower() + x.GetUpper();
    }

    // The places of a cache that a query sees; with origins each in a row of its beam, which begins at `start`.
    private readonly struct CachePlaces(float* start, in AttentionStepSize size, int* origins)
    {
        private readonly float* _start = start;
        private readonly long _step = size.C;
        private readonly long _row = (long)size.S * size.C;
        private readonly int* _origins = origins;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public float* At(int s) => _start + (s * _step) + (_origins is null ? 0 : _origins[s] * _row);
    }

    // Places s .. s + 3 of a cache; past the last, it again.
    private readonly struct Four(in CachePlaces places, int s, int visible)
    {
        public readonly float* Row0 = places.At(s);
        public readonly float* Row1 = places.At(Math.Min(s + 1, visible - 1));
        public readonly float* Row2 = places.At(Math.Min(s + 2, visible - 1));
        public readonly float* Row3 = places.At(Math.Min(s + 3, visible - 1));
    }
}
