namespace CudaSeq.Kernels;

/// <summary>Grids of the kernels that work row by row: a warp for each row it can hold in its registers, else a block.</summary>
internal static class RowLaunch
{
    private const int WarpLanes = 32;
    private const int Threads = 128;

    // WarpRow::Longest of Reduce.cuh.
    private const int LongestOfAWarp = 1024;

    /// <summary>The block of a kernel with a warp for each row.</summary>
    public static Dim3 Block => new(Threads);

    /// <summary>Whether a row needs a block of its own.</summary>
    public static bool IsWide(int columns) => columns > LongestOfAWarp;

    /// <summary>The grid of a kernel with a warp for each row.</summary>
    public static Dim3 Grid(int rows) => Elementwise.GridOfWarps(rows, Threads);

    /// <summary>The block of a kernel with a block for each row: about 32 elements a thread, and never so few threads that a multiprocessor idles.</summary>
    public static Dim3 WideBlock(int columns) => new(Math.Clamp(((columns / WarpLanes) + WarpLanes - 1) / WarpLanes * WarpLanes, 256, 1024));
}
