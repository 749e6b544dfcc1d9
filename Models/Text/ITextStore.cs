namespace CudaSeq.Models;

/// <summary>
/// Where a text is kept in ids: its lines one after the other, each ending in <see cref="Vocabulary.Eos"/>. It may have more than 2^31 tokens. Lines and positions are checked by
/// <see cref="TokenBlocks"/>.
/// </summary>
internal interface ITextStore : IDisposable
{
    /// <summary>How many lines there are.</summary>
    int Lines { get; }

    /// <summary>Ids of all lines, their ends included.</summary>
    long Tokens { get; }

    /// <summary>Where, in ids from the first, a line ends and the next begins.</summary>
    long EndOf(int line);

    /// <summary>So many ids from one on, whatever lines they are of: a view that holds until the store is disposed.</summary>
    ReadOnlySpan<int> Ids(long start, int count);
}

/// <summary>What takes lines in ids as they are made.</summary>
internal interface ITextSink
{
    /// <summary>Takes a line without its end, and where it stood, from 1.</summary>
    void Add(ReadOnlySpan<int> ids, int line);
}
