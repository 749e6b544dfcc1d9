using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

internal static partial class AddKernel
{
    private static void AccumulateCpu(CpuDevice cpu, DeviceSpan sum, DeviceSpan x) => Elementwise.Binary<Sum>(cpu, sum, x, sum);

    private readonly struct Sum : IBinaryOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Apply<TVector>(TVector x, TVector y)
            where TVector : struct, IFloatVector<TVector>
            => x + y;
    }
}
