namespace CudaSeq.Models;

/// <summary>One of the corpora that a <see cref="Corpus"/> is made of.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Start">The index of its first pair.</param>
/// <param name="Count">How many pairs it has.</param>
/// <param name="Weight">How often an epoch has each of its pairs; see <see cref="BatchIterator"/> for what is no whole number.</param>
public sealed record CorpusPart(string Name, int Start, int Count, decimal Weight)
{
    /// <summary>The largest weight.</summary>
    public const int MostWeight = 1000;
}
