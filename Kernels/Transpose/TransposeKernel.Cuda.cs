namespace CudaSeq.Kernels;

internal static partial class TransposeKernel
{
    private const int CudaTile = 32;
    private const int CudaTileThreads = 32 * 8;
    private const int PlaneRank = 4;

    private static readonly CudaKernelFamily Rows = new("transpose_rows", KernelTypes.Bits);
    private static readonly CudaKernelFamily Tiles = new("transpose_tiles", KernelTypes.Bits);

    private static void ForwardCuda(CudaDevice cuda, in TransposeSize size, DeviceSpan x, DeviceSpan y)
    {
        if (size.Count == 0)
            return;
        if (size.IsCopy)
        {
            SliceKernel.CopyRows(cuda, 1, size.Count, x, size.Count, y, size.Count);
            return;
        }

        int last = size.Rank - 1;
        if (size.Stride(last) > 1)
        {
            LaunchTiles(cuda, size, x, y);
            return;
        }

        int pack = Elementwise.Pack(x.Type);
        bool packed = size.Size(last) % pack == 0 && Elementwise.IsAligned(x) && Elementwise.IsAligned(y);
        for (int axis = 0; axis < last; axis++)
            packed &= size.Stride(axis) % pack == 0;
        cuda.Launch(
            Rows[x.Type], Elementwise.Grid(cuda, y), new Dim3(Elementwise.Threads), 0, x, y, size.Count, packed ? 1 : 0, size.Rank,
            size.Size(0), size.Size(1), size.Size(2), size.Size(3), size.Size(4), size.Size(5),
            size.Stride(0), size.Stride(1), size.Stride(2), size.Stride(3), size.Stride(4), size.Stride(5));
    }

    private static void LaunchTiles(CudaDevice cuda, in TransposeSize size, DeviceSpan x, DeviceSpan y)
    {
        var plan = new Plan(size);
        Span<long> sizes = stackalloc long[PlaneRank], inputs = stackalloc long[PlaneRank], outputs = stackalloc long[PlaneRank];
        sizes.Fill(1);
        inputs.Clear();
        outputs.Clear();
        long step = 1, planes = 1;
        for (int axis = plan.Last, n = 0; axis >= 0; axis--)
        {
            if (axis != plan.Across && axis != plan.Last)
            {
                (sizes[n], inputs[n], outputs[n]) = (size.Size(axis), size.Stride(axis), step);
                planes *= sizes[n++];
            }

            step *= size.Size(axis);
        }

        long blocks = planes * ((plan.Rows + CudaTile - 1) / CudaTile) * ((plan.Columns + CudaTile - 1) / CudaTile);
        cuda.Launch(
            Tiles[x.Type], new Dim3(checked((int)blocks)), new Dim3(CudaTileThreads), 0, x, y, plan.Rows, plan.Columns, plan.InputStride, plan.OutputStride,
            sizes[0], sizes[1], sizes[2], sizes[3], inputs[0], inputs[1], inputs[2], inputs[3], outputs[0], outputs[1], outputs[2], outputs[3]);
    }
}
