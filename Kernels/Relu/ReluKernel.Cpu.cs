using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

internal static partial class ReluKernel
{
    private static void ForwardCpu(CpuDevice cpu, DeviceSpan x, DeviceSpan y) => Elementwise.Unary<Function>(cpu, x, y);

    private static void BackwardCpu(CpuDevice cpu, DeviceSpan y, DeviceSpan dy, DeviceSpan dx) => Elementwise.Binary<Derivative>(cpu, y, dy, dx);

    private readonly struct Function : IUnaryOperator
    {
        // Not a maximum: NaN must stay NaN.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Apply<TVector>(TVector x)
            where TVector : struct, IFloatVector<TVector>
            => TVector.SelectLess(x, TVector.Zero, TVector.Zero, x);
    }

    private readonly struct Derivative : IBinaryOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Apply<TVector>(TVector y, TVector dy)
            where TVector : struct, IFloatVector<TVector>
            => TVector.SelectLess(TVector.Zero, y, dy, TVector.Zero);
    }
}
