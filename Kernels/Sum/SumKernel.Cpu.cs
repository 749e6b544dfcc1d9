using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

internal static unsafe partial class SumKernel
{
    // Elements a partial sum, and columns summed side by side so that their sums stay in the first-level cache.
    private const int BlockElements = 16 * 1024;
    private const int TileColumns = 1024;

    // Vectors of a row added as floats before the sum goes on in double precision.
    private const int RunVectors = 64;

    private interface ITerm
    {
        static abstract TVector Load<TVector>(float* x, float* w)
            where TVector : struct, IFloatVector<TVector>;

        static abstract TVector LoadPartial<TVector>(float* x, float* w, int count)
            where TVector : struct, IFloatVector<TVector>;
    }

    private static void ForwardCpu(CpuDevice cpu, in SumSize size, DeviceSpan x, float factor, DeviceSpan y)
        => Run<Element>(cpu, size, x.Floats, x.Floats, factor, y.Floats);

    private static void ProductsCpu(CpuDevice cpu, in SumSize size, DeviceSpan x, DeviceSpan w, DeviceSpan y)
        => Run<Product>(cpu, size, x.Floats, w.Floats, 1, y.Floats);

    private static void BackwardCpu(CpuDevice cpu, in SumSize size, DeviceSpan dy, float factor, DeviceSpan dx)
    {
        // A row of dx is one l: [Inner]; with Inner = 1 it is one o: [Length].
        var body = new BackwardBody(size, factor, dy.Floats, dx.Floats);
        long rows = size.Inner == 1 ? size.Outer : size.Outer * size.Length, row = size.Inner == 1 ? size.Length : size.Inner;
        cpu.For(checked((int)rows), (int)Math.Clamp(BlockElements / Math.Max(1, row), 1, BlockElements), body);
    }

    private static void Run<TTerm>(CpuDevice cpu, in SumSize size, float* x, float* w, float factor, float* y)
        where TTerm : struct, ITerm
    {
        if (size.Outer == 0 || size.Inner == 0)
            return;
        bool rows = size.Inner == 1;
        long columns = Math.Min(size.Inner, TileColumns);
        long block = rows ? BlockElements : Math.Clamp(BlockElements / columns, 64, 256);
        var plan = new Plan(size, block, Math.Max(1, (size.Length + block - 1) / block), (size.Inner + TileColumns - 1) / TileColumns);
        int grain = (int)Math.Clamp(BlockElements / Math.Max(1, Math.Min(block, size.Length) * columns), 1, BlockElements);
        int items = checked((int)(size.Outer * plan.Blocks * plan.Tiles));
        if (plan.Blocks == 1)
        {
            cpu.For(items, grain, new Body<TTerm>(plan, x, w, factor, y));
            return;
        }

        using var partial = new CallScratch(cpu, size.Outer * plan.Blocks * size.Inner * sizeof(float));
        cpu.For(items, grain, new Body<TTerm>(plan, x, w, 1, partial.Floats));
        Run<Element>(cpu, new SumSize(size.Outer, plan.Blocks, size.Inner), partial.Floats, partial.Floats, factor, y);
    }

    private readonly struct Element : ITerm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Load<TVector>(float* x, float* w)
            where TVector : struct, IFloatVector<TVector>
            => TVector.Load(x);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector LoadPartial<TVector>(float* x, float* w, int count)
            where TVector : struct, IFloatVector<TVector>
            => TVector.LoadPartial(x, count);
    }

    private readonly struct Product : ITerm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Load<TVector>(float* x, float* w)
            where TVector : struct, IFloatVector<TVector>
            => TVector.Load(x) * TVector.Load(w);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector LoadPartial<TVector>(float* x, float* w, int count)
            where TVector : struct, IFloatVector<TVector>
            => TVector.LoadPartial(x, count) * TVector.LoadPartial(w, count);
    }

    private readonly record struct Plan(SumSize Size, long Block, long Blocks, long Tiles);

    /// <summary>Item = (o, block of l, tile of columns); writes its sums to y [Outer, Blocks, Inner].</summary>
    private readonly struct Body<TTerm>(Plan plan, float* x, float* w, float factor, float* y) : IKernelBody
        where TTerm : struct, ITerm
    {
        private readonly Plan _plan = plan;
        private readonly float* _x = x;
        private readonly float* _w = w;
        private readonly float _factor = factor;
        private readonly float* _y = y;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            var (outer, length, inner) = _plan.Size;
            for (int item = begin; item < end; item++)
            {
                long tile = item % _plan.Tiles, part = item / _plan.Tiles;
                long block = part % _plan.Blocks, o = part / _plan.Blocks;
                long first = block * _plan.Block, count = Math.Min(_plan.Block, length - first), column = tile * TileColumns;
                long offset = (((o * length) + first) * inner) + column;
                float* y = _y + (part * inner) + column;
                if (inner == 1)
                    *y = (float)(_factor * Row<TVector>(_x + offset, _w + offset, (int)count));
                else
                    Columns<TVector>(_x + offset, _w + offset, inner, count, (int)Math.Min(TileColumns, inner - column), _factor, y);
            }
        }

        private static double Row<TVector>(float* x, float* w, int count)
            where TVector : struct, IFloatVector<TVector>
        {
            double sum = 0;
            int run = RunVectors * TVector.Count;
            for (int done = 0; done < count; done += run)
                sum += Run<TVector>(x + done, w + done, Math.Min(run, count - done));
            return sum;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static float Run<TVector>(float* x, float* w, int count)
            where TVector : struct, IFloatVector<TVector>
        {
            TVector sum0 = TVector.Zero, sum1 = TVector.Zero, sum2 = TVector.Zero, sum3 = TVector.Zero;
            int i = 0, n = TVector.Count;
            for (; i <= count - (4 * n); i += 4 * n)
            {
                sum0 += TTerm.Load<TVector>(x + i, w + i);
                sum1 += TTerm.Load<TVector>(x + i + n, w + i + n);
                sum2 += TTerm.Load<TVector>(x + i + (2 * n), w + i + (2 * n));
                sum3 += TTerm.Load<TVector>(x + i + (3 * n), w + i + (3 * n));
            }

            for (; i <= count - n; i += n)
                sum0 += TTerm.Load<TVector>(x + i, w + i);
            if (i < count)
                sum1 += TTerm.LoadPartial<TVector>(x + i, w + i, count - i);
            return ((sum0 + sum1) + (sum2 + sum3)).Sum();
        }

        // Four rows at a time: each sum is loaded and stored once for four elements read.
        private static void Columns<TVector>(float* x, float* w, long stride, long rows, int columns, float factor, float* y)
            where TVector : struct, IFloatVector<TVector>
        {
            new Span<float>(y, columns).Clear();
            long row = 0;
            for (; row <= rows - 4; row += 4)
            {
                float* x0 = x + (row * stride), x2 = x0 + (2 * stride), w0 = w + (row * stride), w2 = w0 + (2 * stride);
                int c = 0;
                for (; c <= columns - TVector.Count; c += TVector.Count)
                {
                    var upper = TTerm.Load<TVector>(x0 + c, w0 + c) + TTerm.Load<TVector>(x0 + stride + c, w0 + stride + c);
                    var lower = TTerm.Load<TVector>(x2 + c, w2 + c) + TTerm.Load<TVector>(x2 + stride + c, w2 + stride + c);
                    (TVector.Load(y + c) + (upper + lower)).Store(y + c);
                }

                int rest = columns - c;
                if (rest > 0)
                {
                    var upper = TTerm.LoadPartial<TVector>(x0 + c, w0 + c, rest) + TTerm.LoadPartial<TVector>(x0 + stride + c, w0 + stride + c, rest);
                    var lower = TTerm.LoadPartial<TVector>(x2 + c, w2 + c, rest) + TTerm.LoadPartial<TVector>(x2 + stride + c, w2 + stride + c, rest);
                    (TVector.LoadPartial(y + c, rest) + (upper + lower)).StorePartial(y + c, rest);
                }
            }

            for (; row < rows; row++)
                AddRow<TVector>(x + (row * stride), w + (row * stride), columns, y);
            if (factor != 1)
            {
                for (int c = 0; c < columns; c++)
                    y[c] *= factor;
            }
        }

        private static void AddRow<TVector>(float* x, float* w, int columns, float* y)
            where TVector : struct, IFloatVector<TVector>
        {
            int c = 0;
            for (; c <= columns - TVector.Count; c += TVector.Count)
                (TVector.Load(y + c) + TTerm.Load<TVector>(x + c, w + c)).Store(y + c);
            int rest = columns - c;
            if (rest > 0)
                (TVector.LoadPartial(y + c, rest) + TTerm.LoadPartial<TVector>(x + c, w + c, rest)).StorePartial(y + c, rest);
        }
    }

    private readonly struct BackwardBody(SumSize size, float factor, float* dy, float* dx) : IKernelBody
    {
        private readonly SumSize _size = size;
        private readonly float _factor = factor;
        private readonly float* _dy = dy;
        private readonly float* _dx = dx;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            var (_, length, inner) = _size;
            for (long row = begin; row < end; row++)
            {
                if (inner == 1)
                    Fill(_dx + (row * length), length, _factor * _dy[row]);
                else
                    Scale<TVector>(_dy + (row / length * inner), _dx + (row * inner), inner);
            }
        }

        private static void Fill(float* y, long count, float value)
        {
            for (long done = 0; done < count; done += int.MaxValue)
                new Span<float>(y + done, (int)Math.Min(int.MaxValue, count - done)).Fill(value);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Scale<TVector>(float* x, float* y, long count)
            where TVector : struct, IFloatVector<TVector>
        {
            var factor = TVector.Broadcast(_factor);
            long i = 0;
            for (; i <= count - TVector.Count; i += TVector.Count)
                (factor * TVector.Load(x + i)).Store(y + i);
            int rest = (int)(count - i);
            if (rest > 0)
                (factor * TVector.LoadPartial(x + i, rest)).StorePartial(y + i, rest);
        }
    }
}
