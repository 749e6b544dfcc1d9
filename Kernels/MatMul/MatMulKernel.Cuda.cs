namespace CudaSeq.Kernels;

// The products are the library's: CudaDevice.Blas.Multiply(in CudaGemm), row-major as in CudaGemm.cs, on the device's stream. It owes us
//   - any M, N, K and Batch of at least 1, any strides that hold a row, spans that start at any element, C apart from A and B;
//   - Accumulate as beta = 1, so that C is not read without it: it may hold NaN;
//   - Bias in the last store (cuBLASLt's BIAS epilogue: C^T is column-major [N, M] there, so the bias lies along its rows as the epilogue wants);
//   - the same bits for the same sizes: a fixed workspace on one stream and no split over K with atomics;
//   - float accumulation, and TF32 only where the device's switch allows it.
// Not asked of it: ReLU, since its maximum would lose a NaN, and GELU, whose form there is the approximation by tanh; LinearKernel.cuh has both.
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
        if (!size.SharedC)
        {
            cuda.Blas.Multiply(CudaGemm.Dense(size.M, size.N, size.K, a, size.TransposeA, b, size.TransposeB, c) with
            {
                Batch = size.Batch,
                BatchStrideA = strideA,
                BatchStrideB = strideB,
                BatchStrideC = strideC,
            });
            return;
        }

        // Operands that are stored k by k are one long product.
        if (size.TransposeA && !size.TransposeB && !size.SharedB)
        {
            cuda.Blas.Multiply(CudaGemm.Dense(size.M, size.N, checked(size.Batch * size.K), a, true, b, false, c));
            return;
        }

        for (int i = 0; i < size.Batch; i++)
        {
            var product = CudaGemm.Dense(
                size.M, size.N, size.K, a with { Offset = a.Offset + (i * strideA) }, size.TransposeA, b with { Offset = b.Offset + (i * strideB) }, size.TransposeB, c);
            cuda.Blas.Multiply(product with { Accumulate = i > 0 });
        }
    }
}
