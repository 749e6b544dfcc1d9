namespace CudaSeq.Kernels;

internal static partial class CrossEntropyKernel
{
    // Logits in memory at a time: as many as the second-level cache of a large card holds, but rows enough for an efficient product.
    private const int CudaBlockLogits = 1 << 24;
    private const int CudaLeastRows = 768;

    // Rows of logits start at multiples of 32 bytes.
    private const int RowAlignment = 8;
    private const int SumThreads = 1024;

    private static readonly CudaKernelFamily Rows = new("cross_entropy_rows", KernelTypes.Inference);
    private static readonly CudaKernel SumOfRows = new("cross_entropy_sum_f32");
    private static readonly CudaKernelFamily ClearPadding = new("cross_entropy_clear_padding", KernelTypes.Training);
    private static readonly CudaKernelFamily Gradients = new("cross_entropy_backward", KernelTypes.Training);

    // All rows are computed, those of padding too: how many there are is known on the device only, and asking would stop the host.
    private static void ForwardCuda(
        CudaDevice cuda,
        in CrossEntropySize size,
        DeviceSpan x,
        DeviceSpan weight,
        DeviceSpan? bias,
        DeviceSpan targets,
        DeviceSpan loss,
        DeviceSpan nll,
        in CrossEntropyGradients gradients)
    {
        int limit = Math.Max(CudaLeastRows, CudaBlockLogits / size.V), blocks = (size.N + limit - 1) / limit, rows = blocks == 0 ? 0 : (size.N + blocks - 1) / blocks;
        bool recording = gradients.X is not null || gradients.Weight is not null || gradients.Bias is not null;
        using var memory = new CudaBlock(cuda, size, rows, x.Type, recording, cleared: gradients.Weight is not null);
        if (size.N == 0)
        {
            if (gradients.Weight is { } weights)
                FillKernel.Zero(weights);
            if (gradients.Bias is { } biases)
                FillKernel.Zero(biases);
        }

        for (int first = 0; first < size.N; first += rows)
            ComputeCuda(cuda, size, memory, first, Math.Min(rows, size.N - first), x, weight, bias, targets, gradients);
        LaunchSums(cuda, size.N, memory.Losses(0), memory.Nlls(0), loss, nll);
    }

    /// <summary>Sums the doubles of so many rows, in one order.</summary>
    internal static void LaunchSums(CudaDevice cuda, int rows, DeviceSpan losses, DeviceSpan nlls, DeviceSpan loss, DeviceSpan nll)
        => cuda.Launch(SumOfRows, new Dim3(1), new Dim3(SumThreads), 0, losses, nlls, loss, nll, rows);

    private static void BackwardCuda(CudaDevice cuda, DeviceSpan dloss, DeviceSpan gradient, DeviceSpan scaled)
    {
        if (scaled.Length > 0)
            cuda.Launch(Gradients[gradient.Type], Elementwise.Grid(cuda, scaled), new Dim3(Elementwise.Threads), 0, dloss, gradient, scaled, scaled.Length);
    }

    // Rows first .. first + count - 1 from x to their share of every gradient.
    private static void ComputeCuda(
        CudaDevice cuda,
        in CrossEntropySize size,
        in CudaBlock memory,
        int first,
        int count,
        DeviceSpan x,
        DeviceSpan weight,
        DeviceSpan? bias,
        DeviceSpan targets,
        in CrossEntropyGradients gradients)
    {
        var (v, c) = (size.V, size.C);
        DeviceSpan input = Part(x, (long)first * c, (long)count * c), ids = Part(targets, first, count), logits = memory.Logits;
        if (c == 0)
            FillKernel.Zero(logits);
        else
            MatMulKernel.Multiply(cuda, CudaGemm.Dense(count, v, c, input, false, weight, true, logits) with { StrideC = memory.Stride });
        cuda.Launch(
            Rows[x.Type], new Dim3(count), RowLaunch.WideBlock(v), 0, logits, bias, ids, memory.Losses(first), memory.Nlls(first), memory.Gradient, v, memory.Stride,
            size.PaddingIndex, size.OnEvery, size.OnTarget);
        if (memory.Gradient is not { } dlogits)
            return;
        if (gradients.Bias is { } db)
            SumKernel.AddColumns(cuda, count, v, memory.Stride, dlogits, db, accumulate: first > 0);
        if (c == 0)
            return;
        if (gradients.X is { } dx)
        {
            var part = Part(dx, (long)first * c, (long)count * c);
            MatMulKernel.Multiply(cuda, CudaGemm.Dense(count, c, v, dlogits, false, weight, false, part) with { StrideA = memory.Stride });
            LaunchClearPadding(cuda, size, part, ids, part);
        }

        if (gradients.Weight is { } dw)
        {
            var cleared = memory.Cleared(count);
            LaunchClearPadding(cuda, size, input, ids, cleared);
            MatMulKernel.Multiply(cuda, CudaGemm.Dense(v, c, count, dlogits, true, cleared, false, dw) with { StrideA = memory.Stride, Accumulate = first > 0 });
        }
    }

    private static void LaunchClearPadding(CudaDevice cuda, in CrossEntropySize size, DeviceSpan x, DeviceSpan targets, DeviceSpan y)
        => cuda.Launch(ClearPadding[y.Type], Elementwise.Grid(cuda, y), new Dim3(Elementwise.Threads), 0, x, targets, y, y.Length, size.C, size.PaddingIndex);

    private static DeviceSpan Part(DeviceSpan span, long first, long length) => span with { Offset = span.Offset + first, Length = length };

    /// <summary>
    /// What all blocks of a call share: every row's loss in double precision, one block of logits in float32, their gradient (in the place of float32 logits, else
    /// behind them), and the block's rows of x without padding.
    /// </summary>
    private readonly struct CudaBlock : IDisposable
    {
        private readonly CrossEntropySize _size;
        private readonly int _rows;
        private readonly DType _type;
        private readonly DeviceBuffer _memory;

        public CudaBlock(CudaDevice cuda, in CrossEntropySize size, int rows, DType type, bool recording, bool cleared)
        {
            _size = size;
            _rows = rows;
            _type = type;
            long logits = LogitsOffset * sizeof(float), behind = logits + (rows * Stride * sizeof(float)), gradient = type.IsNarrow() ? behind : logits;
            long end = recording ? gradient + (rows * Stride * type.Size()) : behind;
            _memory = cuda.Rent(end + (cleared ? (long)rows * size.C * type.Size() : 0));
            Gradient = recording ? new DeviceSpan(_memory, gradient / type.Size(), rows * Stride, type) : null;
        }

        /// <summary>[rows, Stride]; null where nobody records.</summary>
        public DeviceSpan? Gradient { get; }

        /// <summary>From one row of logits to the next.</summary>
        public long Stride => (_size.V + RowAlignment - 1L) / RowAlignment * RowAlignment;

        public DeviceSpan Logits => new(_memory, LogitsOffset, _rows * Stride);

        // Two doubles a row stand first, rounded up to whole 16 bytes.
        private long LogitsOffset => (4L * _size.N) + 4;

        public DeviceSpan Losses(int first) => new(_memory, 2L * first, 2L * (_size.N - first));

        public DeviceSpan Nlls(int first) => new(_memory, (2L * _size.N) + (2L * first), 2L * (_size.N - first));

        // Only where there is a gradient, behind it.
        public DeviceSpan Cleared(int count)
        {
            var gradient = Gradient!.Value;
            return new(_memory, gradient.Offset + gradient.Length, (long)count * _size.C, _type);
        }

        public void Dispose() => _memory.Release();
    }
}
