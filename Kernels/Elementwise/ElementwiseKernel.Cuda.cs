namespace CudaSeq.Kernels;

internal abstract partial class ElementwiseKernel
{
    private sealed partial class Function<TFunction, TSlope>
    {
        private readonly CudaKernelFamily _forward = new($"{name.ToLowerInvariant()}_forward", KernelTypes.Inference);
        private readonly CudaKernelFamily _backward = new($"{name.ToLowerInvariant()}_backward", KernelTypes.Training);
    }
}
