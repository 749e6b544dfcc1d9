using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

internal static partial class SubtractKernel
{
    private static void ForwardCpu(CpuDevice cpu, in BroadcastSize size, DeviceSpan a, DeviceSpan b, DeviceSpan y)
        => Elementwise.Broadcast<Difference>(cpu, size, a, b, y);

    private readonly struct Difference : IBinaryOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Apply<TVector>(TVector x, TVector y)
            where TVector : struct, IFloatVector<TVector>
            => x - y;
    }
}
