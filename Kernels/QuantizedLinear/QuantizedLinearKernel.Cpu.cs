using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace CudaSeq.Kernels;

internal static unsafe partial class QuantizedLinearKernel
{
    // Bytes of quantized rows that stay in the second-level cache while panels of weights pass.
    private const int BlockBytes = 128 << 10;

    // Products a nanosecond, about, on one thread.
    private const double Rate = 50;

    // Of any tier.
    private const int WidestTile = 16;
    private const int HighestTile = 12;

    private static void QuantizeCpu(CpuDevice cpu, in QuantizedLinearSize size, DeviceSpan weight, DeviceSpan words, DeviceSpan scales)
        => cpu.For(size.PaddedOutputs, CpuDevice.Grain(size.I, QuantizedLinearSize.PanelOutputs), new QuantizeBody(size, weight.Floats, (sbyte*)words.Ints, scales.Floats));

    private static void ForwardCpu(CpuDevice cpu, in QuantizedLinearSize size, DeviceSpan x, DeviceSpan words, DeviceSpan scales, DeviceSpan? bias, DeviceSpan y)
    {
        if (y.Length == 0)
            return;
        bool bytes = MultipliesBytes(cpu.Tier);
        var rows = new RowsLayout(size, cpu.Tier == InstructionTier.Avx512 && !bytes ? HighestTile : HighestTile / 2, bytes ? IntegerBytes.InputBytes : Integer1.InputBytes);
        using var scratch = new CallScratch(cpu, rows.Bytes);
        float* rowScales = scratch.Floats;
        byte* quantized = (byte*)(rowScales + rows.Scales);
        cpu.For(rows.Padded, CpuDevice.Grain(0.3 * size.I, HighestTile), new RowsBody(rows, size, x.Floats, quantized, rowScales));
        var multiply = new MultiplyBody(rows, size, quantized, rowScales, (sbyte*)words.Ints, scales.Floats, new Epilogue(1, bias.FloatsOrNull(), size.Activation), y.Floats);
        cpu.For(multiply.Items, CpuDevice.Grain(multiply.ProductsOfAnItem / Rate), multiply);
    }

    // An instruction of 256 bits for 32 products is ahead of two of 512 bits for as many.
    private static bool MultipliesBytes(InstructionTier tier) => AvxVnni.IsSupported && tier is InstructionTier.Avx512 or InstructionTier.Avx2;

    // 127 / largest and largest / 127; NaN where the row is not finite.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (float Factor, float Scale) Scale<TVector>(float* row, int count)
        where TVector : struct, IFloatVector<TVector>
    {
        // Max passes over NaN; nothing times infinity or NaN is NaN.
        TVector largest = TVector.Zero, nothing = TVector.Zero;
        for (int i = 0; i < count; i += TVector.Count)
        {
            var x = TVector.LoadPartial(row + i, Math.Min(TVector.Count, count - i));
            largest = TVector.Max(TVector.Abs(x), largest);
            nothing = TVector.MultiplyAdd(x, TVector.Zero, nothing);
        }

        if (float.IsNaN(nothing.Sum()))
            return (0, float.NaN);
        float max = largest.MaxLane();
        return max < Smallest ? (0, 0) : (Levels / max, max / Levels);
    }

    /// <summary>Quantized rows lie in strips of a tile's rows, [groups, rows, 4]; the last strip has the rows of the smallest tile that takes what is left.</summary>
    private readonly struct RowsLayout
    {
        public RowsLayout(in QuantizedLinearSize size, int tileRows, int inputBytes)
        {
            TileRows = tileRows;
            InputBytes = inputBytes;
            Groups = size.Groups;
            Strips = (size.N + tileRows - 1) / tileRows;
            LastRows = Fitting(size.N - ((Strips - 1) * tileRows));
            Padded = ((Strips - 1) * tileRows) + LastRows;
        }

        public int TileRows { get; }

        public int Groups { get; }

        /// <summary>Bytes of a group of a row.</summary>
        public int InputBytes { get; }

        public int Strips { get; }

        public int LastRows { get; }

        /// <summary>Rows with those that fill the last strip.</summary>
        public int Padded { get; }

        /// <summary>Floats for the rows' scales.</summary>
        public long Scales => (Padded + 15L) / 16 * 16;

        public long Bytes => (Scales * sizeof(float)) + ((long)Padded * Groups * InputBytes);

        public int RowsOf(int strip) => strip == Strips - 1 ? LastRows : TileRows;

        public long StripAt(int strip) => (long)strip * TileRows * Groups * InputBytes;

        private static int Fitting(int rows) => rows switch
        {
            <= 2 => rows,
            <= 4 => 4,
            <= 6 => 6,
            <= 8 => 8,
            _ => 12,
        };
    }

    private readonly struct QuantizeBody(QuantizedLinearSize size, float* weight, sbyte* integers, float* scales) : IKernelBody
    {
        private readonly QuantizedLinearSize _size = size;
        private readonly float* _weight = weight;
        private readonly sbyte* _integers = integers;
        private readonly float* _scales = scales;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            const int Outputs = QuantizedLinearSize.PanelOutputs, Inputs = QuantizedLinearSize.GroupInputs;
            for (int o = begin; o < end; o++)
            {
                float* row = _weight + ((long)o * _size.I);
                var (factor, scale) = o < _size.O ? Scale<TVector>(row, _size.I) : (0, 0);
                _scales[o] = scale;
                int sum = 0;
                sbyte* to = _integers + ((((long)(o / Outputs) * _size.Groups * Outputs) + (o % Outputs)) * Inputs);
                for (int i = 0; i < _size.Groups * Inputs; i += Inputs, to += Outputs * Inputs)
                {
                    for (int j = 0; j < Inputs; j++)
                    {
                        to[j] = factor != 0 && i + j < _size.I ? (sbyte)MathF.Round(row[i + j] * factor) : (sbyte)0;
                        sum += to[j];
                    }
                }

                ((int*)_integers)[((long)_size.PaddedOutputs * _size.Groups) + o] = sum;
            }
        }
    }

    private readonly struct RowsBody(RowsLayout rows, QuantizedLinearSize size, float* x, byte* quantized, float* scales) : IKernelBody
    {
        private readonly RowsLayout _rows = rows;
        private readonly QuantizedLinearSize _size = size;
        private readonly float* _x = x;
        private readonly byte* _quantized = quantized;
        private readonly float* _scales = scales;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            for (int n = begin; n < end; n++)
            {
                if (TVector.Count >= 8 && AvxVnni.IsSupported)
                    One<TVector, IntegerBytes>(n);
                else if (TVector.Count == 16)
                    One<TVector, Integer512>(n);
                else if (TVector.Count == 8)
                    One<TVector, Integer256>(n);
                else if (TVector.Count == 4)
                    One<TVector, Integer128>(n);
                else
                    One<TVector, Integer1>(n);
            }
        }

        [SkipLocalsInit]
        private void One<TVector, TInteger>(int n)
            where TVector : struct, IFloatVector<TVector>
            where TInteger : struct, IIntegerVector<TInteger>
        {
            const int Inputs = QuantizedLinearSize.GroupInputs;
            int strip = n / _rows.TileRows, step = _rows.RowsOf(strip) * TInteger.InputBytes;
            byte* to = _quantized + _rows.StripAt(strip) + ((n - (strip * _rows.TileRows)) * TInteger.InputBytes);
            float* row = _x + ((long)n * _size.I);
            var (factor, scale) = n < _size.N ? Scale<TVector>(row, _size.I) : (0, 0);
            _scales[n] = scale;
            int i = 0;
            if (factor != 0)
            {
                for (; i <= _size.I - (2 * Inputs); i += 2 * Inputs, to += 2 * step)
                    TInteger.RoundEight(row + i, factor, to, to + step);
            }

            for (; i < _rows.Groups * Inputs; i += Inputs, to += step)
            {
                for (int j = 0; j < Inputs; j++)
                    TInteger.Put(to, j, factor != 0 && i + j < _size.I ? (int)MathF.Round(row[i + j] * factor) : 0);
            }
        }
    }

    /// <summary>An item is a block of strips against 16 outputs; the blocks' items follow one another, so that the rows stay in the cache.</summary>
    private readonly struct MultiplyBody : IKernelBody
    {
        private readonly RowsLayout _rows;
        private readonly QuantizedLinearSize _size;
        private readonly byte* _quantized;
        private readonly float* _rowScales;
        private readonly sbyte* _weights;
        private readonly float* _scales;
        private readonly Epilogue _epilogue;
        private readonly float* _y;
        private readonly int _blockStrips;
        private readonly int _panelPairs;

        public MultiplyBody(
            in RowsLayout rows, in QuantizedLinearSize size, byte* quantized, float* rowScales, sbyte* weights, float* scales, in Epilogue epilogue, float* y)
        {
            (_rows, _size, _epilogue) = (rows, size, epilogue);
            _quantized = quantized;
            _rowScales = rowScales;
            _weights = weights;
            _scales = scales;
            _y = y;
            long strip = (long)rows.TileRows * Math.Max(1, rows.Groups) * rows.InputBytes;
            _blockStrips = (int)Math.Clamp(BlockBytes / strip, 1, rows.Strips);
            _panelPairs = size.PaddedOutputs / WidestTile;
        }

        public int Items => checked((_rows.Strips + _blockStrips - 1) / _blockStrips * _panelPairs);

        public double ProductsOfAnItem => (double)_blockStrips * _rows.TileRows * _size.I * WidestTile;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            if (TVector.Count >= 8 && AvxVnni.IsSupported)
                Invoke<TVector, IntegerBytes>(begin, end);
            else if (TVector.Count == 16)
                Invoke<TVector, Integer512>(begin, end);
            else if (TVector.Count == 8)
                Invoke<TVector, Integer256>(begin, end);
            else if (TVector.Count == 4)
                Invoke<TVector, Integer128>(begin, end);
            else
                Invoke<TVector, Integer1>(begin, end);
        }

        [SkipLocalsInit]
        private void Invoke<TVector, TInteger>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
            where TInteger : struct, IIntegerVector<TInteger>
        {
            int width = 2 * TInteger.Outputs;
            int* sums = (int*)_weights + ((long)_size.PaddedOutputs * _size.Groups);
            float* tile = stackalloc float[(HighestTile * WidestTile) + 16];
            tile = (float*)(((nuint)tile + 63) & ~(nuint)63);
            for (int item = begin; item < end; item++)
            {
                int first = item / _panelPairs * _blockStrips, last = Math.Min(_rows.Strips, first + _blockStrips);
                int column = item % _panelPairs * WidestTile, stop = Math.Min(_size.O, column + WidestTile);
                for (int o = column; o < stop; o += width)
                {
                    sbyte* left = WeightsOf(o), right = WeightsOf(o + TInteger.Outputs);
                    var starts = (TInteger.Begin(sums + o), TInteger.Begin(sums + o + TInteger.Outputs));
                    int columns = Math.Min(width, stop - o);
                    for (int strip = first; strip < last; strip++)
                    {
                        int n = strip * _rows.TileRows;
                        IntegerTile.Multiply<TInteger>(
                            _rows.RowsOf(strip), _rows.Groups, _quantized + _rows.StripAt(strip), left, right, starts, _rowScales + n, _scales + o, tile, WidestTile);
                        long at = ((long)n * _size.O) + o;
                        _epilogue.At(o, at).Store<TVector>(tile, WidestTile, Math.Min(_rows.TileRows, _size.N - n), columns, _y + at, _size.O);
                    }
                }
            }
        }

        // The weights of output o for the first group.
        private sbyte* WeightsOf(int o)
        {
            const int Outputs = QuantizedLinearSize.PanelOutputs, Inputs = QuantizedLinearSize.GroupInputs;
            return _weights + ((((long)(o / Outputs) * _rows.Groups * Outputs) + (o % Outputs)) * Inputs);
        }
    }
}
