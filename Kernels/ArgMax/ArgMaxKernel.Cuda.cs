namespace CudaSeq.Kernels;

internal static partial class ArgMaxKernel
{
    private static readonly CudaKernel Indices = new("arg_max_forward_f32");

    private static void ForwardCuda(CudaDevice cuda, ArgMaxSize size, DeviceSpan x, DeviceSpan indices)
    {
        if (size.N > 0)
            cuda.Launch(Indices, new Dim3(size.N), RowLaunch.WideBlock(size.V), 0, x, indices, size.V);
    }
}
