namespace CudaSeq.Kernels;

/// <summary>Blocks of a grid, or threads of a block, along three axes.</summary>
/// <param name="X">The axis along which neighbours run together.</param>
/// <param name="Y">At most 65535 blocks.</param>
/// <param name="Z">At most 65535 blocks, or 64 threads.</param>
internal readonly record struct Dim3(int X, int Y = 1, int Z = 1)
{
    /// <summary>Whether there is nothing along one of the axes.</summary>
    public bool IsEmpty => X == 0 || Y == 0 || Z == 0;

    public override string ToString() => $"{X} x {Y} x {Z}";
}
