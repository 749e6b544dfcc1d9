using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CudaSeq.Kernels;

/// <summary>The vector instructions a <see cref="CpuDevice"/> computes with, from plain scalar code to 512-bit vectors.</summary>
public enum InstructionTier
{
    /// <summary>One float at a time; runs everywhere.</summary>
    Scalar,

    /// <summary>Portable 128-bit vectors: SSE on x86, NEON on Arm.</summary>
    Vector128,

    /// <summary>256-bit vectors with fused multiply-add (AVX2 + FMA).</summary>
    Avx2,

    /// <summary>512-bit vectors (AVX-512 F, BW, DQ and VL).</summary>
    Avx512,
}

internal static class InstructionTiers
{
    /// <summary>
    /// The best tier this process may use. Asks for the instruction set itself: <c>Vector512.IsHardwareAccelerated</c> is false
    /// on processors that lower their clock under 512-bit code, and here that code is still the faster one.
    /// </summary>
    public static InstructionTier Best =>
        Avx512F.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported && Avx512F.VL.IsSupported ? InstructionTier.Avx512
        : Avx2.IsSupported && Fma.IsSupported ? InstructionTier.Avx2
        : Vector128.IsHardwareAccelerated ? InstructionTier.Vector128
        : InstructionTier.Scalar;
}
