namespace CudaSeq.Kernels;

// The products are cuBLAS's, those with only a bias cuBLASLt's (CublasLtProducts). Asked of neither: ReLU, since its maximum would lose a NaN, and GELU,
// whose form there is the approximation by tanh; LinearKernel.cuh has both, and the bias with them.
internal static partial class MatMulKernel
{
    private static void ForwardCuda(CudaDevice cuda, in MatMulSize size, DeviceSpan a, DeviceSpan b, DeviceSpan c)
    {
        if (size.M == 0 || size.N == 0 || (size.Batch == 0 && !size.SharedC))
            return;
        if (size.K == 0 || size.Batch == 0)
        {
            // Sums of nothing.
            FillKernel.Zero(c);
            return;
        }

        long strideA = (long)size.M * size.K, strideB = size.SharedB ? 0 : (long)size.K * size.N, strideC = (long)size.M * size.N;
        var one = CudaGemm.Dense(size.M, size.N, size.K, a, size.TransposeA, b, size.TransposeB, c);
        if (!size.SharedC)
        {
            Multiply(cuda, one with { Batch = size.Batch, BatchStrideA = strideA, BatchStrideB = strideB, BatchStrideC = strideC });
            return;
        }

        // Operands that are stored k by k are one long product.
        if (size.TransposeA && !size.TransposeB && !size.SharedB)
        {
            Multiply(cuda, one with { K = checked(size.Batch * size.K) });
            return;
        }

        // Sums over the batch are float32; a narrower C is rounded at the end.
        if (c.Type.IsNarrow())
        {
            using var scratch = new CallScratch(cuda, c.Length * sizeof(float));
            var sums = scratch.Span(0, c.Length);
            AddProducts(cuda, size, one with { C = sums }, strideA, strideB);
            CopyKernel.Convert(sums, c);
            return;
        }

        AddProducts(cuda, size, one, strideA, strideB);
    }

    private static void AddProducts(CudaDevice cuda, in MatMulSize size, in CudaGemm one, long strideA, long strideB)
    {
        var (a, b) = (one.A, one.B);
        for (int i = 0; i < size.Batch; i++)
        {
            Multiply(cuda, one with
            {
                A = a with { Offset = a.Offset + (i * strideA) },
                B = b with { Offset = b.Offset + (i * strideB) },
                Accumulate = i > 0,
            });
        }
    }

    /// <summary>
    /// Queues products: for the kernels that are a product with something before or after it. A and B are of one type, C too or float32; sums are float32.
    /// </summary>
    internal static void Multiply(CudaDevice cuda, in CudaGemm gemm)
    {
        // Row-major matrices are the transposes of cuBLAS's column-major ones, so that it computes C^T = op(B)^T op(A)^T.
        nint handle = cuda.Blas.Value;
        var a = new CublasMatrix(gemm.B.Address, TypeOf(gemm.B), checked((int)gemm.StrideB), gemm.BatchStrideB);
        var b = new CublasMatrix(gemm.A.Address, TypeOf(gemm.A), checked((int)gemm.StrideA), gemm.BatchStrideA);
        var c = new CublasMatrix(gemm.C.Address, TypeOf(gemm.C), checked((int)gemm.StrideC), gemm.BatchStrideC);
        var compute = cuda.Tf32 && gemm.A.Type == DType.Float32 ? CublasCompute.Tf32 : CublasCompute.Float32;
        lock (cuda.Products)
        {
            Cublas.Gemm(handle, gemm.TransposeB, gemm.TransposeA, gemm.N, gemm.M, gemm.K, 1, a, b, gemm.Accumulate ? 1 : 0, c, gemm.Batch, compute)
                .Check("cublasGemmStridedBatchedEx", cuda.Description);
        }
    }

    private static CublasType TypeOf(DeviceSpan matrix) => CublasTypes.Of(matrix.Type);
}
