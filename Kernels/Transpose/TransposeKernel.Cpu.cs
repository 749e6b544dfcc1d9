using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CudaSeq.Kernels;

internal static unsafe partial class TransposeKernel
{
    private const int ChunkElements = 16 * 1024;

    // Rows of the output written side by side: one cache line of the input, and few enough streams that powers of two do not crowd one set of the cache.
    private const int Tile = 16;

    // Columns of the output written side by side: one cache line.
    private const int Line = 16;

    private static void ForwardCpu(CpuDevice cpu, in TransposeSize size, DeviceSpan x, DeviceSpan y)
    {
        if (size.Count == 0)
            return;
        if (size.IsCopy)
        {
            CopyKernel.Copy(x, y);
            return;
        }

        int last = size.Rank - 1;
        if (size.Stride(last) == 1)
        {
            long rows = size.Count / size.Size(last);
            int grain = (int)Math.Clamp(ChunkElements / size.Size(last), 1, ChunkElements);
            cpu.For(checked((int)rows), grain, new RowBody(size, x.Floats, y.Floats));
            return;
        }

        var plan = new Plan(size);
        long tiles = (size.Size(plan.Across) + Tile - 1) / Tile;
        long batches = size.Count / size.Size(plan.Across) / size.Size(last);
        int tileGrain = (int)Math.Clamp(ChunkElements / (Tile * size.Size(last)), 1, ChunkElements);
        cpu.For(checked((int)(batches * tiles)), tileGrain, new TileBody(plan, tiles, x.Floats, y.Floats));
    }

    /// <summary>The last axis stays last: rows move whole.</summary>
    private readonly struct RowBody(TransposeSize size, float* x, float* y) : IKernelBody
    {
        private readonly TransposeSize _size = size;
        private readonly float* _x = x;
        private readonly float* _y = y;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int outer = _size.Rank - 1;
            long row = _size.Size(outer), offset = 0, rest = begin;
            Span<long> index = stackalloc long[outer];
            for (int axis = outer - 1; axis >= 0; axis--)
            {
                (rest, index[axis]) = Math.DivRem(rest, _size.Size(axis));
                offset += index[axis] * _size.Stride(axis);
            }

            for (long r = begin; r < end; r++)
            {
                Buffer.MemoryCopy(_x + offset, _y + (r * row), row * sizeof(float), row * sizeof(float));
                for (int axis = outer - 1; axis >= 0; axis--)
                {
                    offset += _size.Stride(axis);
                    if (++index[axis] < _size.Size(axis))
                        break;
                    offset -= _size.Size(axis) * _size.Stride(axis);
                    index[axis] = 0;
                }
            }
        }
    }

    /// <summary>The output's last axis, and the one (Across) that is the input's last, span a plane; the other axes count planes.</summary>
    private readonly struct Plan
    {
        private readonly TransposeSize _size;

        public Plan(in TransposeSize size)
        {
            _size = size;
            Last = size.Rank - 1;
            while (size.Stride(Across) != 1)
                Across++;
            Rows = size.Size(Across);
            Columns = size.Size(Last);
            InputStride = size.Stride(Last);
            OutputStride = 1;
            for (int axis = Across + 1; axis <= Last; axis++)
                OutputStride *= size.Size(axis);
        }

        public int Across { get; }

        public int Last { get; }

        /// <summary>Rows of the output's plane.</summary>
        public long Rows { get; }

        public long Columns { get; }

        /// <summary>From one column to the next in the input; rows are neighbours there.</summary>
        public long InputStride { get; }

        /// <summary>From one row to the next in the output; columns are neighbours there.</summary>
        public long OutputStride { get; }

        public (long Input, long Output) Start(long plane)
        {
            long input = 0, output = 0, step = 1;
            for (int axis = Last; axis >= 0; axis--)
            {
                long n = _size.Size(axis);
                if (axis != Across && axis != Last)
                {
                    (plane, long index) = Math.DivRem(plane, n);
                    input += index * _size.Stride(axis);
                    output += index * step;
                }

                step *= n;
            }

            return (input, output);
        }
    }

    /// <summary>Item = (plane, a tile of rows of the output).</summary>
    private readonly struct TileBody(Plan plan, long tiles, float* x, float* y) : IKernelBody
    {
        private readonly Plan _plan = plan;
        private readonly long _tiles = tiles;
        private readonly float* _x = x;
        private readonly float* _y = y;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int block = TVector.Count >= 8 ? 8 : TVector.Count;
            for (int item = begin; item < end; item++)
            {
                var (plane, tile) = Math.DivRem(item, _tiles);
                var (input, output) = _plan.Start(plane);
                long row = tile * Tile, rows = Math.Min(Tile, _plan.Rows - row);
                float* x = _x + input + row, y = _y + output + (row * _plan.OutputStride);
                long column = 0;
                for (; column < _plan.Columns - (_plan.Columns % block); column += Line)
                    Strip<TVector>(x, y, column, (int)Math.Min(Line, (_plan.Columns - column) / block * block), rows, block);
                column = _plan.Columns - (_plan.Columns % block);
                if (column < _plan.Columns)
                    Plain(x + (column * _plan.InputStride), _plan.InputStride, y + column, _plan.OutputStride, rows, _plan.Columns - column);
            }
        }

        // Rows of the output stand far apart, often in one set of the cache: each gets its whole line before the next block of rows comes.
        private void Strip<TVector>(float* x, float* y, long column, int columns, long rows, int block)
            where TVector : struct, IFloatVector<TVector>
        {
            long inputStride = _plan.InputStride, outputStride = _plan.OutputStride;
            float* source = x + (column * inputStride), target = y + column;
            long r = 0;
            for (; r <= rows - block; r += block)
            {
                for (int c = 0; c < columns; c += block)
                    Block<TVector>(source + (c * inputStride) + r, inputStride, target + (r * outputStride) + c, outputStride);
            }

            if (r < rows)
                Plain(source + r, inputStride, target + (r * outputStride), outputStride, rows - r, columns);
        }

        private static void Plain(float* x, long inputStride, float* y, long outputStride, long rows, long columns)
        {
            for (long r = 0; r < rows; r++)
            {
                for (long c = 0; c < columns; c++)
                    y[(r * outputStride) + c] = x[(c * inputStride) + r];
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Block<TVector>(float* x, long inputStride, float* y, long outputStride)
            where TVector : struct, IFloatVector<TVector>
        {
            if (TVector.Count >= 8)
                Block8(x, inputStride, y, outputStride);
            else if (TVector.Count == 4)
                Block4(x, inputStride, y, outputStride);
            else
                *y = *x;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Block8(float* x, long stride, float* y, long outputStride)
        {
            // Rows 0 and 4, 1 and 5, ... share a register, so that what remains is four by four inside the halves.
            var r0 = Pair(x, x + (4 * stride));
            var r1 = Pair(x + stride, x + (5 * stride));
            var r2 = Pair(x + (2 * stride), x + (6 * stride));
            var r3 = Pair(x + (3 * stride), x + (7 * stride));
            Four(r0, r1, r2, r3, y, outputStride);
            r0 = Pair(x + 4, x + 4 + (4 * stride));
            r1 = Pair(x + 4 + stride, x + 4 + (5 * stride));
            r2 = Pair(x + 4 + (2 * stride), x + 4 + (6 * stride));
            r3 = Pair(x + 4 + (3 * stride), x + 4 + (7 * stride));
            Four(r0, r1, r2, r3, y + (4 * outputStride), outputStride);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector256<float> Pair(float* low, float* high) => Vector256.Create(Vector128.Load(low), Vector128.Load(high));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Four(Vector256<float> r0, Vector256<float> r1, Vector256<float> r2, Vector256<float> r3, float* y, long stride)
        {
            var t0 = Avx.UnpackLow(r0, r1).AsDouble();
            var t1 = Avx.UnpackHigh(r0, r1).AsDouble();
            var t2 = Avx.UnpackLow(r2, r3).AsDouble();
            var t3 = Avx.UnpackHigh(r2, r3).AsDouble();
            Avx.UnpackLow(t0, t2).AsSingle().Store(y);
            Avx.UnpackHigh(t0, t2).AsSingle().Store(y + stride);
            Avx.UnpackLow(t1, t3).AsSingle().Store(y + (2 * stride));
            Avx.UnpackHigh(t1, t3).AsSingle().Store(y + (3 * stride));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Block4(float* x, long stride, float* y, long outputStride)
        {
            var r0 = Vector128.Load(x);
            var r1 = Vector128.Load(x + stride);
            var r2 = Vector128.Load(x + (2 * stride));
            var r3 = Vector128.Load(x + (3 * stride));
            Vector128.Create(r0.GetElement(0), r1.GetElement(0), r2.GetElement(0), r3.GetElement(0)).Store(y);
            Vector128.Create(r0.GetElement(1), r1.GetElement(1), r2.GetElement(1), r3.GetElement(1)).Store(y + outputStride);
            Vector128.Create(r0.GetElement(2), r1.GetElement(2), r2.GetElement(2), r3.GetElement(2)).Store(y + (2 * outputStride));
            Vector128.Create(r0.GetElement(3), r1.GetElement(3), r2.GetElement(3), r3.GetElement(3)).Store(y + (3 * outputStride));
        }
    }
}
