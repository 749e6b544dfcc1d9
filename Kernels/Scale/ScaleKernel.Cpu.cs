using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

internal static partial class ScaleKernel
{
    private static void ForwardCpu(CpuDevice cpu, DeviceSpan x, float factor, DeviceSpan y)
        => Elementwise.WithParameter<Product>(cpu, x, factor, y);

    private readonly struct Product : IBinaryOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Apply<TVector>(TVector x, TVector y)
            where TVector : struct, IFloatVector<TVector>
            => x * y;
    }
}
