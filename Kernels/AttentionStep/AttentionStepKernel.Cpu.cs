using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CudaSeq.Kernels;

internal static unsafe partial class AttentionStepKernel
{
    private static void ForwardCpu(CpuDevice cpu, AttentionStepSize size, DeviceSpan q, DeviceSpan keys, DeviceSpan values, DeviceSpan? lengths, DeviceSpan y)
    {
        var body = new ForwardBody(cpu, size, q.Floats, keys.Floats, values.Floats, lengths is { } some ? some.Ints : null, y.Floats);
        cpu.For(checked(size.M * size.H), CpuDevice.Grain(size.Queries * (20 + (size.Count * (2 + (0.15 * size.D))))), body);
    }

    // Item = (m, h): all queries of a sequence pass over its keys and values while they are in the cache.
    private readonly struct ForwardBody(CpuDevice cpu, AttentionStepSize size, float* q, float* keys, float* values, int* lengths, float* y) : IKernelBody
    {
        private readonly CpuDevice _cpu = cpu;
        private readonly AttentionStepSize _size = size;
        private readonly float* _q = q;
        private readonly float* _keys = keys;
        private readonly float* _values = values;
        private readonly int* _lengths = lengths;
        private readonly float* _y = y;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            var size = _size;
            int depth = size.D, queries = size.Queries;
            var scratch = _cpu.Rent((size.Count + 4L) * sizeof(float));
            var scores = (float*)scratch.Pointer;
            for (int item = begin; item < end; item++)
            {
                int m = item / size.H, channel = item % size.H * depth;
                int visible = Math.Clamp(_lengths is null ? size.Count : Math.Min(size.Count, _lengths[m]), 0, size.S);
                long cache = ((long)m * size.S * size.C) + channel;
                for (int n = m * queries; n < (m + 1) * queries; n++)
                {
                    long row = ((long)n * size.C) + channel;
                    Scores<TVector>(_q + row, _keys + cache, scores, visible);
                    float sum = 1;
                    if (visible > 0)
                        sum = SoftmaxRow.ExpSum<TVector>(scores, scores, visible, SoftmaxRow.Max<TVector>(scores, visible));
                    Average<TVector>(scores, _values + cache, _y + row, visible, 1 / sum);
                }
            }

            scratch.Release();
        }

        // Four keys at a time. The last of the row's keys repeats to fill the four: scores has room for them.
        private void Scores<TVector>(float* q, float* keys, float* scores, int visible)
            where TVector : struct, IFloatVector<TVector>
        {
            int depth = _size.D;
            long step = _size.C;
            for (int s = 0; s < visible; s += 4)
            {
                float* k0 = keys + (s * step);
                float* k1 = keys + (Math.Min(s + 1, visible - 1) * step);
                float* k2 = keys + (Math.Min(s + 2, visible - 1) * step);
                float* k3 = keys + (Math.Min(s + 3, visible - 1) * step);
                TVector sum0 = TVector.Zero, sum1 = sum0, sum2 = sum0, sum3 = sum0;
                int d = 0;
                for (; d <= depth - TVector.Count; d += TVector.Count)
                {
                    var x = TVector.Load(q + d);
                    sum0 = TVector.MultiplyAdd(x, TVector.Load(k0 + d), sum0);
                    sum1 = TVector.MultiplyAdd(x, TVector.Load(k1 + d), sum1);
                    sum2 = TVector.MultiplyAdd(x, TVector.Load(k2 + d), sum2);
                    sum3 = TVector.MultiplyAdd(x, TVector.Load(k3 + d), sum3);
                }

                int rest = depth - d;
                if (rest > 0)
                {
                    var x = TVector.LoadPartial(q + d, rest);
                    sum0 = TVector.MultiplyAdd(x, TVector.LoadPartial(k0 + d, rest), sum0);
                    sum1 = TVector.MultiplyAdd(x, TVector.LoadPartial(k1 + d, rest), sum1);
                    sum2 = TVector.MultiplyAdd(x, TVector.LoadPartial(k2 + d, rest), sum2);
                    sum3 = TVector.MultiplyAdd(x, TVector.LoadPartial(k3 + d, rest), sum3);
                }

                (Sums(sum0, sum1, sum2, sum3) * Vector128.Create(_size.Scale)).Store(scores + s);
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

        // y = factor sum_s weights[s] values[s]: four vectors of channels side by side, so that the sums do not wait for each other.
        private void Average<TVector>(float* weights, float* values, float* y, int visible, float factor)
            where TVector : struct, IFloatVector<TVector>
        {
            int depth = _size.D;
            long step = _size.C;
            var f = TVector.Broadcast(factor);
            int d = 0;
            for (; d <= depth - (4 * TVector.Count); d += 4 * TVector.Count)
            {
                TVector sum0 = TVector.Zero, sum1 = sum0, sum2 = sum0, sum3 = sum0;
                float* v = values + d;
                for (int s = 0; s < visible; s++, v += step)
                {
                    var weight = TVector.Broadcast(weights[s]);
                    sum0 = TVector.MultiplyAdd(weight, TVector.Load(v), sum0);
                    sum1 = TVector.MultiplyAdd(weight, TVector.Load(v + TVector.Count), sum1);
                    sum2 = TVector.MultiplyAdd(weight, TVector.Load(v + (2 * TVector.Count)), sum2);
                    sum3 = TVector.MultiplyAdd(weight, TVector.Load(v + (3 * TVector.Count)), sum3);
                }

                (sum0 * f).Store(y + d);
                (sum1 * f).Store(y + d + TVector.Count);
                (sum2 * f).Store(y + d + (2 * TVector.Count));
                (sum3 * f).Store(y + d + (3 * TVector.Count));
            }

            for (; d < depth; d += TVector.Count)
            {
                int lanes = Math.Min(TVector.Count, depth - d);
                var sum0 = TVector.Zero;
                var sum1 = TVector.Zero;
                int s = 0;
                for (; s < visible - 1; s += 2)
                {
                    sum0 = TVector.MultiplyAdd(TVector.Broadcast(weights[s]), TVector.LoadPartial(values + d + (s * step), lanes), sum0);
                    sum1 = TVector.MultiplyAdd(TVector.Broadcast(weights[s + 1]), TVector.LoadPartial(values + d + ((s + 1) * step), lanes), sum1);
                }

                if (s < visible)
                    sum0 = TVector.MultiplyAdd(TVector.Broadcast(weights[s]), TVector.LoadPartial(values + d + (s * step), lanes), sum0);
                ((sum0 + sum1) * f).StorePartial(y + d, lanes);
            }
        }
    }
}
