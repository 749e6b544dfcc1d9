namespace CudaSeq.Models;

/// <summary>Where a corpus keeps its pairs. Indices are checked by <see cref="Corpus"/>.</summary>
internal abstract class CorpusStore : IDisposable
{
    /// <summary>How many pairs there are.</summary>
    public abstract int Count { get; }

    /// <summary>The source ids of a pair, end included: a view that holds until the store is disposed.</summary>
    public abstract ReadOnlySpan<int> Source(int index);

    /// <summary>The target ids of a pair, end included: a view that holds until the store is disposed.</summary>
    public abstract ReadOnlySpan<int> Target(int index);

    /// <summary>How many ids each side of a pair has, ends included; the ids themselves are not touched.</summary>
    public abstract (int Source, int Target) Lengths(int index);

    /// <summary>The line, from 1, on which a pair stood.</summary>
    public abstract int LineOf(int index);

    public virtual void Dispose()
    {
    }
}

/// <summary>What takes pairs in ids as they are made.</summary>
internal interface ICorpusSink
{
    /// <summary>Takes a pair, its sides without the ends of their sentences, and the line it stood on.</summary>
    void Add(ReadOnlySpan<int> source, ReadOnlySpan<int> target, int line);
}
