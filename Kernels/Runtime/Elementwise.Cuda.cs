using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

/// <summary>The launches of all element-wise kernels. Nothing is launched for no elements.</summary>
internal static partial class Elementwise
{
    /// <summary>Threads of a block.</summary>
    public const int Threads = 256;

    // Two waves of blocks where eight fit a multiprocessor; every thread then walks through the rest in steps of the whole grid.
    private const int BlocksAMultiprocessor = 16;

    /// <summary>Elements of a type in 16 bytes: Pack&lt;E&gt;::Count of Device.cuh.</summary>
    public static int Pack(DType type) => 16 / type.Size();

    /// <summary>A grid of <see cref="Threads"/> threads a block, with a thread for every 16 bytes of <paramref name="y"/> up to what fills the device.</summary>
    public static Dim3 Grid(CudaDevice cuda, DeviceSpan y)
    {
        const long BlockBytes = 16 * Threads;
        return new((int)Math.Clamp((y.Bytes + BlockBytes - 1) / BlockBytes, 1, (long)BlocksAMultiprocessor * cuda.Multiprocessors));
    }

    /// <summary>Blocks of a kernel that gives each of <paramref name="items"/> a warp of blocks of <paramref name="threads"/>.</summary>
    public static Dim3 GridOfWarps(long items, int threads) => new(checked((int)(((items * 32) + threads - 1) / threads)));

    /// <summary>kernel(x, y, length).</summary>
    public static void Unary(CudaDevice cuda, CudaKernelFamily kernel, DeviceSpan x, DeviceSpan y)
    {
        if (y.Length > 0)
            cuda.Launch(kernel[y.Type], Grid(cuda, y), new Dim3(Threads), 0, x, y, y.Length);
    }

    /// <summary>kernel(x, y, z, length).</summary>
    public static void Binary(CudaDevice cuda, CudaKernelFamily kernel, DeviceSpan x, DeviceSpan y, DeviceSpan z)
    {
        if (z.Length > 0)
            cuda.Launch(kernel[z.Type], Grid(cuda, z), new Dim3(Threads), 0, x, y, z, z.Length);
    }

    /// <summary>kernel(x, parameter, y, length).</summary>
    public static void WithParameter(CudaDevice cuda, CudaKernelFamily kernel, DeviceSpan x, float parameter, DeviceSpan y)
    {
        if (y.Length > 0)
            cuda.Launch(kernel[y.Type], Grid(cuda, y), new Dim3(Threads), 0, x, parameter, y, y.Length);
    }

    /// <summary>z = f(x, y) under broadcasting, by <paramref name="same"/>(x, y, z, length) or <paramref name="broadcast"/>(x, y, z, length, packed, axes).</summary>
    public static void Broadcast(CudaDevice cuda, CudaKernelFamily same, CudaKernelFamily broadcast, in BroadcastSize size, DeviceSpan x, DeviceSpan y, DeviceSpan z)
    {
        if (size.Same)
        {
            Binary(cuda, same, x, y, z);
            return;
        }

        if (z.Length == 0)
            return;
        int packed = IsPacked(size, x, y, z) ? 1 : 0;
        cuda.Launch(
            broadcast[z.Type], Grid(cuda, z), new Dim3(Threads), 0, x, y, z, z.Length, packed,
            size.Inner, size.InnerStrideA, size.InnerStrideB, size.OuterRank,
            size.Size(0), size.Size(1), size.Size(2), size.Size(3), size.Size(4),
            size.StrideA(0), size.StrideA(1), size.StrideA(2), size.StrideA(3), size.StrideA(4),
            size.StrideB(0), size.StrideB(1), size.StrideB(2), size.StrideB(3), size.StrideB(4));
    }

    /// <summary>Whether a span starts at a multiple of 16 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsAligned(DeviceSpan x) => x.Address % 16 == 0;

    /// <summary>Whether 16 bytes of the output lie in one row, and so do those of each input that walks along it.</summary>
    public static bool IsPacked(in BroadcastSize size, DeviceSpan x, DeviceSpan y, DeviceSpan z)
    {
        int pack = Pack(z.Type);
        bool packed = size.Inner % pack == 0 && IsAligned(z) && (size.InnerStrideA == 0 || IsAligned(x)) && (size.InnerStrideB == 0 || IsAligned(y));
        for (int axis = 0; axis < size.OuterRank; axis++)
        {
            packed &= size.InnerStrideA == 0 || size.StrideA(axis) % pack == 0;
            packed &= size.InnerStrideB == 0 || size.StrideB(axis) % pack == 0;
        }

        return packed;
    }
}
