namespace CudaSeq.Kernels;

/// <summary>
/// A kernel of NativeKernels.cu by its symbol. Made once, next to the code that launches it, in what a static readonly field holds; ids are dense, so that a device finds its
/// function without a string.
/// </summary>
internal sealed class CudaKernel
{
    private static readonly List<CudaKernel> Made = [];
    private static readonly Lock Gate = new();

    /// <param name="symbol">The exported name: op and pass in snake_case, then the element type.</param>
    public CudaKernel(string symbol)
    {
        Symbol = symbol;
        lock (Gate)
        {
            Id = Made.Count;
            Made.Add(this);
        }
    }

    /// <summary>All that were made so far. A class makes its kernels when it is first used; who wants all of the assembly runs the static constructors first.</summary>
    public static IReadOnlyList<CudaKernel> All
    {
        get
        {
            lock (Gate)
                return [.. Made];
        }
    }

    /// <summary>The exported name.</summary>
    public string Symbol { get; }

    /// <summary>0, 1, 2, ... in the order in which they were made.</summary>
    public int Id { get; }

    public override string ToString() => Symbol;
}
