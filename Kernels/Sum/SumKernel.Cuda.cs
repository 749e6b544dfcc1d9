namespace CudaSeq.Kernels;

internal static partial class SumKernel
{
    private const int CudaThreads = 256;
    private const int WarpLanes = 32;

    // Rows up to this length get a warp, longer ones a block for each part.
    private const int ShortRow = 1024;
    private const int RowPart = 16 * 1024;

    // Rows a block of columns sums: 32 for each of its 8 warps.
    private const int ColumnPart = 256;

    private static readonly CudaKernelFamily Rows = new("sum_rows", KernelTypes.Inference);
    private static readonly CudaKernelFamily LongRows = new("sum_long_rows", KernelTypes.Inference);
    private static readonly CudaKernelFamily RowsOfProducts = new("sum_rows_of_products", KernelTypes.Training);
    private static readonly CudaKernelFamily LongRowsOfProducts = new("sum_long_rows_of_products", KernelTypes.Training);
    private static readonly CudaKernelFamily Parts = new("sum_parts", KernelTypes.Inference);
    private static readonly CudaKernelFamily Columns = new("sum_columns", KernelTypes.Inference);
    private static readonly CudaKernelFamily ColumnsOfProducts = new("sum_columns_of_products", KernelTypes.Training);
    private static readonly CudaKernelFamily Gradients = new("sum_backward", KernelTypes.Training);

    private static void ForwardCuda(CudaDevice cuda, in SumSize size, DeviceSpan x, float factor, DeviceSpan y)
    {
        if (size.Outer == 0 || size.Inner == 0)
            return;
        if (size.Inner == 1)
            LaunchRows(cuda, Rows, LongRows, size, x, x, factor, y);
        else
            LaunchColumns(cuda, Columns, size, size.Inner, x, x, factor, y, accumulate: false);
    }

    private static void ProductsCuda(CudaDevice cuda, in SumSize size, DeviceSpan x, DeviceSpan w, DeviceSpan y)
    {
        if (size.Outer == 0 || size.Inner == 0)
            return;
        if (size.Inner == 1)
            LaunchRows(cuda, RowsOfProducts, LongRowsOfProducts, size, x, w, 1, y);
        else
            LaunchColumns(cuda, ColumnsOfProducts, size, size.Inner, x, w, 1, y, accumulate: false);
    }

    private static void BackwardCuda(CudaDevice cuda, in SumSize size, DeviceSpan dy, float factor, DeviceSpan dx)
    {
        if (dx.Length > 0)
            cuda.Launch(Gradients[dx.Type], Elementwise.Grid(cuda, dx), new Dim3(Elementwise.Threads), 0, dy, factor, dx, dx.Length, size.Length, size.Inner);
    }

    /// <summary>y [columns] [+]= the sums of the columns of x [rows, columns], whose rows lie <paramref name="stride"/> apart. y is float32, whatever x is.</summary>
    internal static void AddColumns(CudaDevice cuda, long rows, long columns, long stride, DeviceSpan x, DeviceSpan y, bool accumulate)
        => LaunchColumns(cuda, Columns, new SumSize(1, rows, columns), stride, x, x, 1, y, accumulate);

    private static void LaunchRows(
        CudaDevice cuda, CudaKernelFamily shortRows, CudaKernelFamily longRows, in SumSize size, DeviceSpan x, DeviceSpan w, float factor, DeviceSpan y)
    {
        if (size.Length <= ShortRow)
        {
            cuda.Launch(shortRows[x.Type], Elementwise.GridOfWarps(size.Outer, CudaThreads), new Dim3(CudaThreads), 0, x, w, y, size.Outer, size.Length, factor);
            return;
        }

        int parts = checked((int)((size.Length + RowPart - 1) / RowPart)), outer = checked((int)size.Outer), blocks = checked(outer * parts);
        if (parts == 1)
        {
            cuda.Launch(longRows[x.Type], new Dim3(blocks), new Dim3(CudaThreads), 0, x, w, y, 0UL, size.Length, (long)RowPart, parts, factor);
            return;
        }

        using var scratch = new CallScratch(cuda, (long)blocks * sizeof(double));
        var partial = scratch.Span(0, 2L * blocks);
        cuda.Launch(longRows[x.Type], new Dim3(blocks), new Dim3(CudaThreads), 0, x, w, y, partial, size.Length, (long)RowPart, parts, factor);
        cuda.Launch(Parts[y.Type], new Dim3(outer), new Dim3(CudaThreads), 0, partial, y, parts, factor);
    }

    // The sums of the parts are columns again, until one part is left. All of them are float32; a narrower y is rounded at the end.
    private static void LaunchColumns(
        CudaDevice cuda, CudaKernelFamily kernel, in SumSize size, long stride, DeviceSpan x, DeviceSpan w, float factor, DeviceSpan y, bool accumulate)
    {
        if (y.Type.IsNarrow())
        {
            using var wide = new CallScratch(cuda, y.Length * sizeof(float));
            var all = wide.Span(0, y.Length);
            LaunchColumns(cuda, kernel, size, stride, x, w, factor, all, accumulate: false);
            CopyKernel.Convert(all, y);
            return;
        }

        int parts = checked((int)Math.Max(1, (size.Length + ColumnPart - 1) / ColumnPart));
        if (parts == 1)
        {
            LaunchTiles(cuda, kernel, size, stride, x, w, 1, factor, y, accumulate);
            return;
        }

        long sums = size.Outer * parts * size.Inner;
        using var scratch = new CallScratch(cuda, sums * sizeof(float));
        var partial = scratch.Span(0, sums);
        LaunchTiles(cuda, kernel, size, stride, x, w, parts, 1, partial, accumulate: false);
        LaunchColumns(cuda, Columns, new SumSize(size.Outer, parts, size.Inner), size.Inner, partial, partial, factor, y, accumulate);
    }

    private static void LaunchTiles(
        CudaDevice cuda, CudaKernelFamily kernel, in SumSize size, long stride, DeviceSpan x, DeviceSpan w, int parts, float factor, DeviceSpan y, bool accumulate)
    {
        int pack = Elementwise.Pack(x.Type);
        bool packed = size.Inner % pack == 0 && stride % pack == 0
            && Elementwise.IsAligned(x) && Elementwise.IsAligned(w) && Elementwise.IsAligned(y);
        long tileColumns = WarpLanes * (packed ? pack : 1);
        int tiles = checked((int)((size.Inner + tileColumns - 1) / tileColumns));
        cuda.Launch(
            kernel[x.Type], new Dim3(checked((int)(size.Outer * parts * tiles))), new Dim3(CudaThreads), 0, x, w, y, size.Length, size.Inner, stride, (long)ColumnPart,
            parts, tiles, factor, accumulate ? 1 : 0, packed ? 1 : 0);
    }
}
