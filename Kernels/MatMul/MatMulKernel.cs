namespace CudaSeq.Kernels;

/// <summary>Sizes of C = op(A) op(B), for every matrix of a batch. All matrices are dense and row-major.</summary>
/// <param name="Batch">Number of products.</param>
/// <param name="M">Rows of op(A) and C.</param>
/// <param name="N">Columns of op(B) and C.</param>
/// <param name="K">Columns of op(A), rows of op(B).</param>
/// <param name="TransposeA">A is stored as [K, M] rather than [M, K].</param>
/// <param name="TransposeB">B is stored as [N, K] rather than [K, N].</param>
/// <param name="SharedB">One B serves the whole batch.</param>
/// <param name="SharedC">There is one C, the sum over the batch.</param>
internal readonly record struct MatMulSize(
    int Batch, int M, int N, int K, bool TransposeA = false, bool TransposeB = false, bool SharedB = false, bool SharedC = false);

/// <summary>Products of matrices.</summary>
internal static partial class MatMulKernel
{
    /// <summary>C = op(A) op(B) for every product of the batch, or their sum.</summary>
    public static void Forward(in MatMulSize size, DeviceSpan a, DeviceSpan b, DeviceSpan c)
    {
        switch (a.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, a, b, c); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, a, b, c); break;
            default: throw KernelException.NoKernel("MatMul", a.Device);
        }
    }
}
