namespace CudaSeq.Models;

/// <summary>Every so many-th pair of a store, from one on: a part that is spread over all of it.</summary>
/// <param name="store">The store; whoever has it disposes it.</param>
/// <param name="first">The first pair, from 0; there is one.</param>
/// <param name="step">From each pair to the next, at least 1.</param>
internal sealed class SpreadCorpus(CorpusStore store, int first, int step) : CorpusStore
{
    public override int Count => ((store.Count - 1 - first) / step) + 1;

    public override ReadOnlySpan<int> Source(int index) => store.Source(At(index));

    public override ReadOnlySpan<int> Target(int index) => store.Target(At(index));

    public override (int Source, int Target) Lengths(int index) => store.Lengths(At(index));

    public override int LineOf(int index) => store.LineOf(At(index));

    private int At(int index) => first + (index * step);
}
