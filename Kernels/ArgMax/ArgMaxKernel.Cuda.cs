namespace CudaSeq.Kernels;

internal static partial class ArgMaxKernel
{
    private static readonly CudaKernelFamily Indices = new("arg_max_forward", KernelTypes.Inference);

    private static void ForwardCuda(CudaDevice cuda, ArgMaxSize size, DeviceSpan x, DeviceSpan indices)
    {
        if (size.N > 0)
            cuda.Launch(Indices[x.Type], new Dim3(size.N), RowLaunch.WideBlock(size.V), 0, x, indices, size.V);
    }
}
