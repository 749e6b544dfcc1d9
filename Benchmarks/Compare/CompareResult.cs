namespace CudaSeq.Benchmarks;

/// <summary>A case, measured.</summary>
/// <param name="Case">What was computed.</param>
/// <param name="Seconds">Our time of a call.</param>
/// <param name="BoundByMemory">Whether the ceiling is that of memory.</param>
/// <param name="Fraction">The share of the ceiling.</param>
/// <param name="Costs">What our calls cost beside time.</param>
/// <param name="Rivals">Those that have the op, in the order in which they were asked.</param>
internal sealed record CompareResult(CompareCase Case, Spread Seconds, bool BoundByMemory, double Fraction, Costs Costs, IReadOnlyList<RivalResult> Rivals);

/// <summary>A rival at a case.</summary>
/// <param name="Name">The rival.</param>
/// <param name="Variant">How it computed the case; empty where there is one way.</param>
/// <param name="Difference">The largest difference of an output from ours, of the largest output; null where it is a <see cref="Sibling"/>.</param>
/// <param name="Seconds">Its time of a call; null where the outputs differ, and nothing was timed.</param>
/// <param name="Ratio">Its time through ours, in turns: above 1 we are faster.</param>
/// <param name="PeakBytes">The most memory that its process had resident while both were timed; null where nobody can say.</param>
/// <param name="Turns">How many turns the ratio is of.</param>
internal sealed record RivalResult(string Name, string Variant, double? Difference, Spread? Seconds, Spread? Ratio, long? PeakBytes = null, int Turns = 0)
{
    /// <summary>Whether it is one of ours.</summary>
    public bool IsSibling => Difference is null;

    /// <summary>Name and variant.</summary>
    public string Label => Variant.Length == 0 ? Name : $"{Name}, {Variant}";
}
