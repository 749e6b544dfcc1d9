namespace CudaSeq.Kernels;

internal static partial class LayerNormKernel
{
    private const int WarpLanes = 32;

    // As in LayerNormBackward.cuh.
    private const int BackwardThreads = 8 * WarpLanes;
    private const int BlocksAMultiprocessor = 2;
    private const int MinCudaBlockRows = 8;

    private static readonly CudaKernelFamily Values = new("layer_norm_forward", KernelTypes.Inference);
    private static readonly CudaKernelFamily ValuesWide = new("layer_norm_forward_wide", KernelTypes.Inference);
    private static readonly CudaKernelFamily Gradients = new("layer_norm_backward", KernelTypes.Training);
    private static readonly CudaKernelFamily GradientsWide = new("layer_norm_backward_wide", KernelTypes.Training);
    private static readonly CudaKernel Parameters = new("layer_norm_parameters_f32");

    private static void ForwardCuda(
        CudaDevice cuda, LayerNormSize size, DeviceSpan x, DeviceSpan gain, DeviceSpan bias, DeviceSpan y, DeviceSpan? mean, DeviceSpan? r)
    {
        if (size.N == 0)
            return;
        if (RowLaunch.IsWide(size.C))
            cuda.Launch(ValuesWide[x.Type], new Dim3(size.N), RowLaunch.WideBlock(size.C), 0, x, gain, bias, y, mean, r, size.C, size.Epsilon);
        else
            cuda.Launch(Values[x.Type], RowLaunch.Grid(size.N), RowLaunch.Block, 0, x, gain, bias, y, mean, r, (long)size.N, size.C, size.Epsilon);
    }

    private static void BackwardCuda(
        CudaDevice cuda, LayerNormSize size, DeviceSpan x, DeviceSpan gain, DeviceSpan mean, DeviceSpan r, DeviceSpan dy, DeviceSpan? dx, DeviceSpan? dgain, DeviceSpan? dbias)
    {
        if (size.C == 0)
            return;
        if (size.N == 0)
        {
            // No row, no sum.
            if (dgain is { } gains)
                FillKernel.Zero(gains);
            if (dbias is { } biases)
                FillKernel.Zero(biases);
            return;
        }

        int wanted = BlocksAMultiprocessor * cuda.Multiprocessors, blockRows = Math.Max(MinCudaBlockRows, (size.N + wanted - 1) / wanted);
        int blocks = (size.N + blockRows - 1) / blockRows;

        // Rows that cannot be read by packs of 16 bytes would take more registers than there are.
        bool packed = size.C % Elementwise.Pack(x.Type) == 0 && Elementwise.IsAligned(x) && Elementwise.IsAligned(gain) && Elementwise.IsAligned(dy)
            && (dx is not { } target || Elementwise.IsAligned(target));
        bool wide = !packed || RowLaunch.IsWide(size.C), parameters = dgain is not null || dbias is not null;
        long sums = 2L * blocks * size.C;
        using var scratch = new CallScratch(cuda, parameters ? sums * sizeof(float) : sizeof(float));
        DeviceSpan? partial = parameters ? scratch.Span(0, sums) : null;
        cuda.Launch(
            (wide ? GradientsWide : Gradients)[x.Type], new Dim3(blocks), new Dim3(BackwardThreads), wide ? 0 : 2 * size.C * sizeof(float),
            x, gain, mean, r, dy, dx, partial, size.N, blockRows, size.C);
        if (parameters)
            cuda.Launch(Parameters, new Dim3((size.C + WarpLanes - 1) / WarpLanes, 2), new Dim3(BackwardThreads), 0, partial, dgain, dbias, blocks, size.C);
    }
}
