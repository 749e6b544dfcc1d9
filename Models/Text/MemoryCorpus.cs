using System.Runtime.InteropServices;

namespace CudaSeq.Models;

/// <summary>
/// A corpus in memory, about 4 bytes a token: ids lie in blocks, each pair whole in one of them, so that neither growing nor more than 2^31 tokens moves what is there.
/// </summary>
/// <param name="blockIds">Ids of a block; a pair that is longer has one of its own.</param>
internal sealed class MemoryCorpus(int blockIds = MemoryCorpus.DefaultBlockIds) : CorpusStore, ICorpusSink
{
    public const int DefaultBlockIds = 1 << 18;

    private const int FirstBlockIds = 1 << 10;

    private readonly List<int[]> _blocks = [];
    private readonly List<Pair> _pairs = [];
    private int _used;

    public override int Count => _pairs.Count;

    public override ReadOnlySpan<int> Source(int index)
    {
        var pair = _pairs[index];
        return _blocks[pair.Block].AsSpan(pair.Start, pair.Source);
    }

    public override ReadOnlySpan<int> Target(int index)
    {
        var pair = _pairs[index];
        return _blocks[pair.Block].AsSpan(pair.Start + pair.Source, pair.Target);
    }

    public override (int Source, int Target) Lengths(int index)
    {
        ref readonly var pair = ref CollectionsMarshal.AsSpan(_pairs)[index];
        return (pair.Source, pair.Target);
    }

    public override int LineOf(int index) => _pairs[index].Line;

    public void Add(ReadOnlySpan<int> source, ReadOnlySpan<int> target, int line)
    {
        int length = checked(source.Length + target.Length + 2);
        if (_blocks.Count == 0 || _blocks[^1].Length - _used < length)
        {
            // The first block is small: many a corpus is.
            _blocks.Add(new int[Math.Max(length, _blocks.Count == 0 ? Math.Min(FirstBlockIds, blockIds) : blockIds)]);
            _used = 0;
        }

        var place = _blocks[^1].AsSpan(_used, length);
        source.CopyTo(place);
        place[source.Length] = Vocabulary.Eos;
        target.CopyTo(place[(source.Length + 1)..]);
        place[^1] = Vocabulary.Eos;
        _pairs.Add(new Pair(_blocks.Count - 1, _used, source.Length + 1, target.Length + 1, line));
        _used += length;
    }

    private readonly record struct Pair(int Block, int Start, int Source, int Target, int Line);
}
