using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace CudaSeq.Kernels;

/// <summary>The step of which transpositions are made.</summary>
internal static class Interleave
{
    /// <summary>(a0 b0 a1 b1) and (a2 b2 a3 b3).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector128<float> Low, Vector128<float> High) Halves(Vector128<float> a, Vector128<float> b)
    {
        if (Sse.IsSupported)
            return (Sse.UnpackLow(a, b), Sse.UnpackHigh(a, b));
        if (AdvSimd.Arm64.IsSupported)
            return (AdvSimd.Arm64.ZipLow(a, b), AdvSimd.Arm64.ZipHigh(a, b));
        return (
            Vector128.Create(a.GetElement(0), b.GetElement(0), a.GetElement(1), b.GetElement(1)),
            Vector128.Create(a.GetElement(2), b.GetElement(2), a.GetElement(3), b.GetElement(3)));
    }
}
