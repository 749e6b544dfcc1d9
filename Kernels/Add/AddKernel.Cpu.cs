using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

internal static partial class AddKernel
{
    private static void ForwardCpu(CpuDevice cpu, in BroadcastSize size, DeviceSpan a, DeviceSpan b, DeviceSpan y)
        => Elementwise.Broadcast<Sum>(cpu, size, a, b, y);

    private static void AccumulateCpu(CpuDevice cpu, DeviceSpan sum, DeviceSpan x) => Elementwise.Binary<Sum>(cpu, sum, x, sum);

    private readonly struct Sum : IBinaryOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Apply<TVector>(TVector x, TVector y)
            where TVector : struct, IFloatVector<TVector>
            => x + y;
    }
}
