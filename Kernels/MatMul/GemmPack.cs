using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace CudaSeq.Kernels;

/// <summary>
/// Copies a strip of a matrix into a panel [k, width] without gaps, the order in which the innermost product reads it. Strips of A are some rows over all k,
/// strips of B some columns over all k; what lies past the matrix is 0, so that the innermost product knows no edges.
/// </summary>
internal static unsafe class GemmPack
{
    // A block of so many k is transposed at a time, so that its part of the panel stays in the first-level cache.
    private const int TransposeBlock = 64;

    /// <summary>panel[i, j] = source[j, i] or source[i, j], i below k, j below <paramref name="width"/>; 0 for j in width .. panelWidth - 1.</summary>
    /// <param name="source">The strip's first element.</param>
    /// <param name="stride">Floats from one stored row to the next.</param>
    /// <param name="alongK">Whether k runs along the stored rows (A as it is, B transposed), so that the panel is a transposition.</param>
    /// <param name="width">Rows of A or columns of B in the strip.</param>
    /// <param name="panelWidth">Width of the panel.</param>
    /// <param name="k">Length of the strip.</param>
    /// <param name="panel">[k, panelWidth].</param>
    public static void Pack<TVector>(float* source, long stride, bool alongK, int width, int panelWidth, int k, float* panel)
        where TVector : struct, IFloatVector<TVector>
    {
        if (alongK)
        {
            for (int i = 0; i < k; i += TransposeBlock)
                Transpose<TVector>(source + i, stride, width, panelWidth, Math.Min(TransposeBlock, k - i), panel + ((long)i * panelWidth));
        }
        else
        {
            Copy<TVector>(source, stride, width, panelWidth, k, panel);
        }
    }

    private static void Copy<TVector>(float* source, long stride, int width, int panelWidth, int k, float* panel)
        where TVector : struct, IFloatVector<TVector>
    {
        if (width == 2 * TVector.Count && panelWidth == width)
        {
            for (; k > 0; k--)
            {
                TVector.Load(source).Store(panel);
                TVector.Load(source + TVector.Count).Store(panel + TVector.Count);
                source += stride;
                panel += panelWidth;
            }

            return;
        }

        for (; k > 0; k--)
        {
            int j = 0;
            if (TVector.Count > 1)
            {
                for (; j <= width - 4; j += 4)
                    Vector128.Load(source + j).Store(panel + j);
            }

            for (; j < width; j++)
                panel[j] = source[j];
            for (; j < panelWidth; j++)
                panel[j] = 0;
            source += stride;
            panel += panelWidth;
        }
    }

    private static void Transpose<TVector>(float* source, long stride, int width, int panelWidth, int k, float* panel)
        where TVector : struct, IFloatVector<TVector>
    {
        int j = 0;
        if (TVector.Count > 1)
        {
            for (; j <= width - 4; j += 4)
                TransposeFour(source + (j * stride), stride, panelWidth, k, panel + j);
        }

        for (; j < width; j++)
        {
            float* row = source + (j * stride);
            for (int i = 0; i < k; i++)
                panel[((long)i * panelWidth) + j] = row[i];
        }

        for (; j < panelWidth; j++)
        {
            for (int i = 0; i < k; i++)
                panel[((long)i * panelWidth) + j] = 0;
        }
    }

    private static void TransposeFour(float* source, long stride, int panelWidth, int k, float* panel)
    {
        float* r0 = source, r1 = r0 + stride, r2 = r1 + stride, r3 = r2 + stride;
        int i = 0;
        for (; i <= k - 4; i += 4)
        {
            var (c0, c1, c2, c3) = Transposed(Vector128.Load(r0 + i), Vector128.Load(r1 + i), Vector128.Load(r2 + i), Vector128.Load(r3 + i));
            c0.Store(panel);
            c1.Store(panel + panelWidth);
            c2.Store(panel + (2 * panelWidth));
            c3.Store(panel + (3 * panelWidth));
            panel += 4 * panelWidth;
        }

        for (; i < k; i++)
        {
            panel[0] = r0[i];
            panel[1] = r1[i];
            panel[2] = r2[i];
            panel[3] = r3[i];
            panel += panelWidth;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector128<float> C0, Vector128<float> C1, Vector128<float> C2, Vector128<float> C3) Transposed(
        Vector128<float> r0, Vector128<float> r1, Vector128<float> r2, Vector128<float> r3)
    {
        var (low02, high02) = Interleave(r0, r2);
        var (low13, high13) = Interleave(r1, r3);
        var (c0, c1) = Interleave(low02, low13);
        var (c2, c3) = Interleave(high02, high13);
        return (c0, c1, c2, c3);
    }

    // (a0 b0 a1 b1, a2 b2 a3 b3)
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector128<float> Low, Vector128<float> High) Interleave(Vector128<float> a, Vector128<float> b)
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
