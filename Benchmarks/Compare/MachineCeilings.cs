using System.Text.Json.Nodes;

namespace CudaSeq.Benchmarks;

/// <summary>What a machine can do at most, measured.</summary>
/// <param name="Flops">GFLOP/s of float32 arithmetic, as ops use it.</param>
/// <param name="Copy">GB/s of a copy through memory, reads and writes counted.</param>
internal abstract record MachineCeilings(double Flops, double Copy)
{
    /// <summary>What it is, for a heading.</summary>
    public abstract string Title { get; }

    /// <summary>As people read it.</summary>
    public abstract IEnumerable<string> Lines();

    /// <summary>What, and how much at most: rows of a table.</summary>
    public abstract IEnumerable<(string What, string Most)> Rows();

    /// <summary>As files have it.</summary>
    public abstract JsonObject ToJson();
}
