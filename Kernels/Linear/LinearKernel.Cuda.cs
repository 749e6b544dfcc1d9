namespace CudaSeq.Kernels;

internal static partial class LinearKernel
{
    private const int CudaThreads = 256;
    private const int WarpLanes = 32;

    // Rows a block sums: 32 for each of its 8 warps.
    private const int CudaBlockRows = 256;

    private static readonly CudaKernelFamily BiasEpilogue = new("linear_epilogue", KernelTypes.Inference);
    private static readonly CudaKernelFamily ReluEpilogue = new("linear_epilogue_relu", KernelTypes.Inference);
    private static readonly CudaKernelFamily GeluEpilogue = new("linear_epilogue_gelu", KernelTypes.Inference);
    private static readonly CudaKernelFamily ReluGradients = new("linear_backward_relu", KernelTypes.Training);
    private static readonly CudaKernelFamily GeluGradients = new("linear_backward_gelu", KernelTypes.Training);

    private static void ForwardCuda(CudaDevice cuda, in LinearSize size, DeviceSpan x, DeviceSpan weight, DeviceSpan? bias, DeviceSpan? z, DeviceSpan y)
    {
        if (y.Length == 0)
            return;

        if (bias is { } add && size is { I: > 0, Activation: Activation.None } && z is null && cuda.BiasProducts.TryMultiply(size, x, weight, add, y))
            return;

        // What the activation is applied to lies where backward looks for it.
        var sums = z ?? y;
        if (size.I == 0)
            FillKernel.Zero(sums);
        else
            MatMulKernel.Multiply(cuda, CudaGemm.Dense(size.N, size.O, size.I, x, false, weight, true, sums));
        if (size.Activation == Activation.None && bias is null && z is null)
            return;
        var kernel = size.Activation switch
        {
            Activation.Relu => ReluEpilogue,
            Activation.Gelu => GeluEpilogue,
            _ => BiasEpilogue,
        };
        cuda.Launch(kernel[y.Type], Elementwise.Grid(cuda, y), new Dim3(Elementwise.Threads), 0, sums, bias, z, y, y.Length, size.O);
    }

    private static void BackwardCuda(CudaDevice cuda, in LinearSize size, DeviceSpan? saved, DeviceSpan dy, DeviceSpan? dz, DeviceSpan? db)
    {
        if (dy.Length == 0)
        {
            // No row, no sum.
            if (db is { } nothing)
                FillKernel.Zero(nothing);
            return;
        }

        if (size.Activation == Activation.None)
        {
            if (dz is { } copy)
                CopyKernel.Copy(dy, copy);
            if (db is { } columns)
                SumKernel.AddColumns(cuda, size.N, size.O, size.O, dy, columns, accumulate: false);
            return;
        }

        var slope = size.Activation == Activation.Relu ? ReluGradients : GeluGradients;
        var other = saved ?? dy;
        int parts = (size.N + CudaBlockRows - 1) / CudaBlockRows;
        long sums = (long)parts * size.O;
        using var scratch = new CallScratch(cuda, db is null ? sizeof(float) : sums * sizeof(float));
        DeviceSpan? partial = db is null ? null : scratch.Span(0, sums);
        int pack = Elementwise.Pack(dy.Type);
        bool packed = size.O % pack == 0 && Elementwise.IsAligned(other) && Elementwise.IsAligned(dy) && (dz is not { } target || Elementwise.IsAligned(target));
        int tileColumns = WarpLanes * (packed ? pack : 1), tiles = (size.O + tileColumns - 1) / tileColumns;
        cuda.Launch(
            slope[dy.Type], new Dim3(checked(parts * tiles)), new Dim3(CudaThreads), 0, other, dy, dz, partial, (long)size.N, (long)size.O, CudaBlockRows, tiles, packed ? 1 : 0);
        if (db is { } bias)
            SumKernel.AddColumns(cuda, parts, size.O, size.O, scratch.Span(0, sums), bias, accumulate: false);
    }
}
