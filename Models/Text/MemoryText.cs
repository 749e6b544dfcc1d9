using System.Runtime.InteropServices;

namespace CudaSeq.Models;

/// <summary>A text in memory: 4 bytes a token and 4 a line.</summary>
/// <param name="name">What the text is called.</param>
/// <param name="mostTokens">The most it takes, at most <see cref="Array.MaxLength"/>.</param>
internal sealed class MemoryText(string name, int mostTokens) : ITextStore, ITextSink
{
    private readonly List<int> _ids = [];
    private readonly List<int> _ends = [];

    public int Lines => _ends.Count;

    public long Tokens => _ids.Count;

    public long EndOf(int line) => _ends[line];

    public ReadOnlySpan<int> Ids(long start, int count) => CollectionsMarshal.AsSpan(_ids).Slice((int)start, count);

    /// <exception cref="InvalidDataException">The text has more tokens than fit.</exception>
    public void Add(ReadOnlySpan<int> ids, int line)
    {
        if ((long)_ids.Count + ids.Length + 1 > mostTokens)
            throw new InvalidDataException($"{name}: must have at most {mostTokens} tokens to be kept in memory, has more.");
        _ids.AddRange(ids);
        _ids.Add(Vocabulary.Eos);
        _ends.Add(_ids.Count);
    }

    /// <summary>Gives back what was kept for lines to come.</summary>
    public void Trim()
    {
        _ids.TrimExcess();
        _ends.TrimExcess();
    }

    public void Dispose()
    {
    }
}
