using System.Collections;
using System.Globalization;

namespace CudaSeq.Models;

/// <summary>
/// A parallel corpus in ids, ready to be batched: in memory, about 4 bytes a token, or in a file that is mapped into memory (<see cref="CorpusCache"/>); or several of
/// them mixed. It may have more than 2^31 tokens.
/// </summary>
/// <remarks>A mapped corpus must be disposed to give its file free; the views it gave end with it. Of one in memory nothing needs to be disposed.</remarks>
public sealed class Corpus : IReadOnlyList<SentencePair>, ISamples, IDisposable
{
    private const int EpochsForAPair = 1000;

    private readonly CorpusStore _store;

    internal Corpus(CorpusStore store, LoadReport report)
        : this(store, report, [new CorpusPart(report.Name, 0, store.Count, 1)])
    {
    }

    private Corpus(CorpusStore store, LoadReport report, IReadOnlyList<CorpusPart> parts)
    {
        _store = store;
        Count = store.Count;
        Report = report;
        Parts = parts;
    }

    /// <summary>How many pairs there are.</summary>
    public int Count { get; }

    /// <summary>What was read and what was left out; of a mix the sums, whatever the weights.</summary>
    public LoadReport Report { get; }

    /// <summary>The corpora that this one is made of, one after the other, and how often an epoch of <see cref="BatchIterator"/> has each of their pairs.</summary>
    public IReadOnlyList<CorpusPart> Parts { get; }

    /// <summary>A copy of pair <paramref name="index"/>.</summary>
    /// <param name="index">From 0 to <see cref="Count"/> - 1.</param>
    public SentencePair this[int index] => new([.. Source(index)], [.. Target(index)]);

    /// <summary>Takes pairs that are in ids already; none is left out.</summary>
    /// <param name="pairs">Pairs whose sides both end in <see cref="Vocabulary.Eos"/>.</param>
    /// <param name="name">What the corpus is called.</param>
    /// <exception cref="ArgumentException">A side does not end in <see cref="Vocabulary.Eos"/>.</exception>
    public static Corpus From(IEnumerable<SentencePair> pairs, string name = "corpus")
    {
        var store = new MemoryCorpus();
        int line = 0;
        long sourceTokens = 0, targetTokens = 0, sourceUnknown = 0, targetUnknown = 0;
        foreach (var (source, target) in pairs)
        {
            line++;
            if (source is not [.., Vocabulary.Eos] || target is not [.., Vocabulary.Eos])
                throw new ArgumentException($"Corpus: both sides must end in {Vocabulary.Eos} (</s>), pair {line} does not.");
            store.Add(source.AsSpan(..^1), target.AsSpan(..^1), line);
            sourceTokens += source.Length;
            targetTokens += target.Length;
            sourceUnknown += source.AsSpan().Count(Vocabulary.Unk);
            targetUnknown += target.AsSpan().Count(Vocabulary.Unk);
        }

        return new Corpus(store, new LoadReport(name, line, line, 0, 0, int.MaxValue, sourceTokens, targetTokens, sourceUnknown, targetUnknown));
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
        var store = new MemoryCorpus();
        var report = CorpusEncoder.Run(lines, source, target, maxLength, name, store, cancellation);
        return new Corpus(store, report);
    }

    /// <summary>Reads two parallel files into memory and turns them into ids, as <see cref="Encode"/>.</summary>
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

    /// <summary>
    /// Several corpora as one: the pairs of the first, then those of the next. An epoch of <see cref="BatchIterator"/> has each pair of a corpus as often as its weight says.
    /// </summary>
    /// <param name="corpora">Corpora, none a mix itself, and their weights, above 0; they are disposed with the mix.</param>
    /// <exception cref="ArgumentException">There is no corpus, one is a mix, a weight is not above 0, or an epoch would have more than 2^31 pairs.</exception>
    public static Corpus Mix(params IReadOnlyList<(Corpus Corpus, decimal Weight)> corpora)
    {
        if (corpora.Count == 0)
            throw new ArgumentException("Corpus: a mix must have at least one corpus, got none.");
        var parts = new List<CorpusPart>();
        long start = 0;
        decimal epoch = 0;
        var report = corpora[0].Corpus.Report with { Name = string.Join(" + ", corpora.Select(c => c.Corpus.Report.Name)), MaxLength = corpora.Max(c => c.Corpus.Report.MaxLength) };
        foreach (var (corpus, weight) in corpora)
        {
            if (weight is <= 0 or > CorpusPart.MostWeight)
                throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"Corpus: weights must be above 0 and at most {CorpusPart.MostWeight}, got {weight} for {corpus.Report.Name}."));
            if (corpus.Parts.Count != 1)
                throw new ArgumentException($"Corpus: a mix must be of corpora that are no mixes themselves, {corpus.Report.Name} is one.");
            parts.Add(new CorpusPart(corpus.Report.Name, (int)start, corpus.Count, weight));
            start += corpus.Count;
            epoch += decimal.Ceiling(corpus.Count * weight);
            if (Math.Max(start, epoch) > Array.MaxLength)
                throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"Corpus: an epoch must have at most {Array.MaxLength} pairs, a mix of {report.Name} has more."));
            if (parts.Count > 1)
                report = report.Plus(corpus.Report);
        }

        // Epochs without a pair would follow one another for hours.
        if (start > 0 && parts.Sum(p => p.Count * p.Weight) * EpochsForAPair < 1)
            throw new ArgumentException($"Corpus: {EpochsForAPair} epochs must have a pair, the weights of a mix of {report.Name} are too small for their corpora.");
        return new Corpus(new MixedCorpus([.. corpora.Select(c => c.Corpus._store)]), report, parts);
    }

    /// <summary>The source ids of a pair, ending in <see cref="Vocabulary.Eos"/>: a view.</summary>
    /// <param name="index">From 0 to <see cref="Count"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such pair.</exception>
    /// <exception cref="ObjectDisposedException">The corpus was mapped and is disposed.</exception>
    public ReadOnlySpan<int> Source(int index) => _store.Source(Checked(index));

    /// <summary>The target ids of a pair, ending in <see cref="Vocabulary.Eos"/>: a view.</summary>
    /// <param name="index">From 0 to <see cref="Count"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such pair.</exception>
    /// <exception cref="ObjectDisposedException">The corpus was mapped and is disposed.</exception>
    public ReadOnlySpan<int> Target(int index) => _store.Target(Checked(index));

    /// <summary>How many ids the sides of a pair have, their ends included.</summary>
    /// <param name="index">From 0 to <see cref="Count"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such pair.</exception>
    /// <exception cref="ObjectDisposedException">The corpus was mapped and is disposed.</exception>
    public (int Source, int Target) Lengths(int index) => _store.Lengths(Checked(index));

    /// <summary>The line, from 1, on which a pair stood in its files.</summary>
    /// <param name="index">From 0 to <see cref="Count"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such pair.</exception>
    /// <exception cref="ObjectDisposedException">The corpus was mapped and is disposed.</exception>
    public int LineOf(int index) => _store.LineOf(Checked(index));

    /// <inheritdoc/>
    string ISamples.Name => Report.Name;

    /// <inheritdoc/>
    string ISamples.Size => $"{Count} pairs of {Report.SourceTokens} and {Report.TargetTokens} tokens";

    /// <inheritdoc/>
    public string Fingerprint()
    {
        using var hash = new SamplesFingerprint();
        foreach (var part in Parts)
        {
            hash.Add(part.Weight);
            for (int i = part.Start; i < part.Start + part.Count; i++)
                hash.Add(Source(i)).Add(Target(i));
        }

        return hash.Take();
    }

    /// <inheritdoc/>
    Batch ISamples.Batch(params ReadOnlySpan<int> indices) => Batch.Of(this, indices);

    /// <inheritdoc/>
    public IEnumerator<SentencePair> GetEnumerator()
    {
        for (int i = 0; i < Count; i++)
            yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Gives a mapped file free.</summary>
    public void Dispose() => _store.Dispose();

    private int Checked(int index) => (uint)index < (uint)Count
        ? index
        : throw new ArgumentOutOfRangeException(null, $"Corpus: pairs must be in 0 .. {Count - 1}, got {index}.");
}
