namespace CudaSeq.Kernels;

internal static partial class SumKernel
{
    private const int CudaThreads = 256;
    private const int WarpLanes = 32;
    private const int PackElements = 4;

    // Rows up to this length get a warp, longer ones a block for each part.
    private const int ShortRow = 1024;
    private const int RowPart = 16 * 1024;

    // Rows a block of columns sums: 32 for each of its 8 warps.
    private const int ColumnPart = 256;

    private static readonly CudaKernel Rows = new("sum_rows_f32");
    private static readonly CudaKernel LongRows = new("sum_long_rows_f32");
    private static readonly CudaKernel RowsOfProducts = new("sum_rows_of_products_f32");
    private static readonly CudaKernel LongRowsOfProducts = new("sum_long_rows_of_products_f32");
    private static readonly CudaKernel Parts = new("sum_parts_f32");
    private static readonly CudaKernel Columns = new("sum_columns_f32");
    private static readonly CudaKernel ColumnsOfProducts = new("sum_columns_of_products_f32");
    private static readonly CudaKernel Gradients = new("sum_backward_f32");

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
            cuda.Launch(Gradients, Elementwise.Grid(cuda, dx.Length), new Dim3(Elementwise.Threads), 0, dy, factor, dx, dx.Length, size.Length, size.Inner);
    }

    /// <summary>y [columns] [+]= the sums of the columns of x [rows, columns], whose rows lie <paramref name="stride"/> apart.</summary>
    internal static void AddColumns(CudaDevice cuda, long rows, long columns, long stride, DeviceSpan x, DeviceSpan y, bool accumulate)
        => LaunchColumns(cuda, Columns, new SumSize(1, rows, columns), stride, x, x, 1, y, accumulate);

    private static void LaunchRows(
        CudaDevice cuda, CudaKernel shortRows, CudaKernel longRows, in SumSize size, DeviceSpan x, DeviceSpan w, float factor, DeviceSpan y)
    {
        if (size.Length <= ShortRow)
        {
            cuda.Launch(shortRows, Elementwise.GridOfWarps(size.Outer, CudaThreads), new Dim3(CudaThreads), 0, x, w, y, size.Outer, size.Length, factor);
            return;
        }

        int parts = checked((int)((size.Length + RowPart - 1) / RowPart)), outer = checked((int)size.Outer), blocks = checked(outer * parts);
        if (parts == 1)
        {
            cuda.Launch(longRows, new Dim3(blocks), new Dim3(CudaThreads), 0, x, w, y, 0UL, size.Length, (long)RowPart, parts, factor);
            return;
        }

        using var scratch = new CallScratch(cuda, (long)blocks * sizeof(double));
        var partial = scratch.Span(0, 2L * blocks);
        cuda.Launch(longRows, new Dim3(blocks), new Dim3(CudaThreads), 0, x, w, y, partial, size.Length, (long)RowPart, parts, factor);
        cuda.Launch(Parts, new Dim3(outer), new Dim3(CudaThreads), 0, partial, y, parts, factor);
    }

    // The sums of the parts are columns again, until one part is left.
    private static void LaunchColumns(
        CudaDevice cuda, CudaKernel kernel, in SumSize size, long stride, DeviceSpan x, DeviceSpan w, float factor, DeviceSpan y, bool accumulate)
    {
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
        CudaDevice cuda, CudaKernel kernel, in SumSize size, long stride, DeviceSpan x, DeviceSpan w, int parts, float factor, DeviceSpan y, bool accumulate)
    {
        bool packed = size.Inner % PackElements == 0 && stride % PackElements == 0
            && Elementwise.IsAligned(x) && Elementwise.IsAligned(w) && Elementwise.IsAligned(y);
        long tileColumns = WarpLanes * (packed ? PackElements : 1);
        int tiles = checked((int)((size.Inner + tileColumns - 1) / tileColumns));
        cuda.Launch(
            kernel, new Dim3(checked((int)(size.Outer * parts * tiles))), new Dim3(CudaThreads), 0, x, w, y, size.Length, size.Inner, stride, (long)ColumnPart,
            parts, tiles, factor, accumulate ? 1 : 0, packed ? 1 : 0);
    }
}
