using System.Collections;
using System.Runtime.InteropServices;

namespace CudaSeq.Models;

/// <summary>
/// A parallel corpus in ids, ready to be batched: all source ids in one array and all target ids in another, about 4 bytes a token, whatever the number of sentences.
/// </summary>
public sealed class Corpus : IReadOnlyList<SentencePair>
{
    private readonly List<int> _source = [];
    private readonly List<int> _target = [];
    private readonly List<int> _sourceEnds = [];
    private readonly List<int> _targetEnds = [];
    private readonly List<int> _lines = [];

    private Corpus()
    {
        Report = null!;
    }

    /// <summary>How many pairs there are.</summary>
    public int Count => _lines.Count;

    /// <summary>What was read and what was left out.</summary>
    public LoadReport Report { get; private set; }

    /// <summary>A copy of pair <paramref name="index"/>.</summary>
    /// <param name="index">From 0 to <see cref="Count"/> - 1.</param>
    public SentencePair this[int index] => new([.. Source(index)], [.. Target(index)]);

    /// <summary>Takes pairs that are in ids already; none is left out.</summary>
    /// <param name="pairs">Pairs whose sides both end in <see cref="Vocabulary.Eos"/>.</param>
    /// <param name="name">What the corpus is called.</param>
    /// <exception cref="ArgumentException">A side does not end in <see cref="Vocabulary.Eos"/>.</exception>
    public static Corpus From(IEnumerable<SentencePair> pairs, string name = "corpus")
    {
        var corpus = new Corpus();
        int line = 0;
        foreach (var (source, target) in pairs)
        {
            line++;
            if (source is not [.., Vocabulary.Eos] || target is not [.., Vocabulary.Eos])
                throw new ArgumentException($"Corpus: both sides must end in {Vocabulary.Eos} (</s>), pair {line} does not.");
            corpus.Add(source.AsSpan(..^1), target.AsSpan(..^1), line);
        }

        corpus.Finish(name, line, empty: 0, tooLong: 0, maxLength: int.MaxValue);
        return corpus;
    }

    /// <summary>
    /// Turns lines into ids. A pair with a side of nothing but white space, or of more than <paramref name="maxLength"/> pieces, is left out
    /// and counted in <see cref="Report"/>.
    /// </summary>
    /// <param name="lines">Source and target lines.</param>
    /// <param name="source">Turns source lines into ids.</param>
    /// <param name="target">Turns target lines into ids.</param>
    /// <param name="maxLength">The most pieces on a side, the end of the sentence not counted.</param>
    /// <param name="name">What the corpus is called.</param>
    /// <param name="cancellation">Stops the work between two lines.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxLength"/> is less than 1.</exception>
    public static Corpus Encode(
        IEnumerable<(string Source, string Target)> lines,
        TextCodec source,
        TextCodec target,
        int maxLength = int.MaxValue,
        string name = "corpus",
        CancellationToken cancellation = default)
    {
        if (maxLength < 1)
            throw new ArgumentOutOfRangeException(null, $"Corpus: maxLength must be at least 1, got {maxLength}.");
        var corpus = new Corpus();
        int line = 0, empty = 0, tooLong = 0;
        foreach (var (sourceLine, targetLine) in lines)
        {
            cancellation.ThrowIfCancellationRequested();
            line++;
            int[] sourceIds = source.Encode(sourceLine), targetIds = target.Encode(targetLine);
            if (sourceIds.Length == 0 || targetIds.Length == 0 || string.IsNullOrWhiteSpace(sourceLine) || string.IsNullOrWhiteSpace(targetLine))
                empty++;
            else if (sourceIds.Length > maxLength || targetIds.Length > maxLength)
                tooLong++;
            else
                corpus.Add(sourceIds, targetIds, line);
        }

        corpus.Finish(name, line, empty, tooLong, maxLength);
        return corpus;
    }

    /// <summary>Reads two parallel files and turns them into ids, as <see cref="Encode"/>.</summary>
    /// <param name="sourcePath">The file of source sentences; it gives the corpus its name.</param>
    /// <param name="targetPath">The file of target sentences.</param>
    /// <param name="source">Turns source lines into ids.</param>
    /// <param name="target">Turns target lines into ids.</param>
    /// <param name="maxLength">The most pieces on a side, the end of the sentence not counted.</param>
    /// <param name="cancellation">Stops the work between two lines.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">A line is not valid UTF-8, or the files have not the same number of lines.</exception>
    public static Corpus Load(
        string sourcePath,
        string targetPath,
        TextCodec source,
        TextCodec target,
        int maxLength = int.MaxValue,
        CancellationToken cancellation = default)
        => Encode(ParallelCorpus.Read(sourcePath, targetPath), source, target, maxLength, sourcePath, cancellation);

    /// <summary>The source ids of a pair, ending in <see cref="Vocabulary.Eos"/>: a view.</summary>
    /// <param name="index">From 0 to <see cref="Count"/> - 1.</param>
    public ReadOnlySpan<int> Source(int index) => Side(_source, _sourceEnds, index);

    /// <summary>The target ids of a pair, ending in <see cref="Vocabulary.Eos"/>: a view.</summary>
    /// <param name="index">From 0 to <see cref="Count"/> - 1.</param>
    public ReadOnlySpan<int> Target(int index) => Side(_target, _targetEnds, index);

    /// <summary>The line, from 1, on which a pair stood in its files.</summary>
    /// <param name="index">From 0 to <see cref="Count"/> - 1.</param>
    public int LineOf(int index) => _lines[index];

    /// <inheritdoc/>
    public IEnumerator<SentencePair> GetEnumerator()
    {
        for (int i = 0; i < Count; i++)
            yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static ReadOnlySpan<int> Side(List<int> ids, List<int> ends, int index)
    {
        int start = index == 0 ? 0 : ends[index - 1];
        return CollectionsMarshal.AsSpan(ids)[start..ends[index]];
    }

    private void Add(ReadOnlySpan<int> source, ReadOnlySpan<int> target, int line)
    {
        Append(_source, _sourceEnds, source);
        Append(_target, _targetEnds, target);
        _lines.Add(line);

        static void Append(List<int> ids, List<int> ends, ReadOnlySpan<int> sentence)
        {
            ids.AddRange(sentence);
            ids.Add(Vocabulary.Eos);
            ends.Add(ids.Count);
        }
    }

    private void Finish(string name, int lines, int empty, int tooLong, int maxLength)
    {
        foreach (var list in (List<int>[])[_source, _target, _sourceEnds, _targetEnds, _lines])
            list.TrimExcess();
        Report = new LoadReport(
            name, lines, Count, empty, tooLong, maxLength, _source.Count, _target.Count, Unknown(_source), Unknown(_target));

        static long Unknown(List<int> ids) => CollectionsMarshal.AsSpan(ids).Count(Vocabulary.Unk);
    }
}
