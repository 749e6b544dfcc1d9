namespace CudaSeq.Models;

/// <summary>Counts findings and keeps the first places of each.</summary>
/// <param name="examples">How many places are kept.</param>
internal sealed class FindingList(int examples)
{
    private readonly SortedDictionary<CorpusFault, (long Count, List<CorpusPlace> First)> _found = [];

    /// <summary>Notes one that has no place.</summary>
    public void Add(CorpusFault fault) => _found[fault] = (1, []);

    /// <summary>Notes one.</summary>
    public void Add(CorpusFault fault, CorpusPlace place) => Add(fault, 1, place);

    /// <summary>Notes several, of which one place is told.</summary>
    public void Add(CorpusFault fault, long count, CorpusPlace place)
    {
        var (before, first) = _found.TryGetValue(fault, out var found) ? found : (0, []);
        if (first.Count < examples)
            first.Add(place);
        _found[fault] = (before + count, first);
    }

    /// <summary>Notes one when a value was seen before; otherwise the value is seen from here on.</summary>
    public void AddRepeated(CorpusFault fault, Dictionary<ulong, int> seen, ulong value, long line)
    {
        if (!seen.TryAdd(value, checked((int)line)))
            Add(fault, new CorpusPlace(line, Other: seen[value]));
    }

    /// <summary>Notes one when an earlier split has the value.</summary>
    public void AddLeaked(CorpusFault fault, IReadOnlyDictionary<ulong, int> earlier, ulong value, long line)
    {
        if (earlier.TryGetValue(value, out int other))
            Add(fault, new CorpusPlace(line, Other: other));
    }

    /// <summary>Takes what was noted as one fault for another.</summary>
    public void Rename(CorpusFault from, CorpusFault to)
    {
        if (_found.Remove(from, out var found))
            _found[to] = found;
    }

    /// <summary>All of them, in the order of <see cref="CorpusFault"/>.</summary>
    public CorpusFinding[] ToArray() => [.. _found.Select(f => new CorpusFinding(f.Key, f.Value.Count, f.Value.First))];
}
