using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>A place in the endless sequence of batches.</summary>
/// <param name="Epoch">Which pass over the corpus, from 0.</param>
/// <param name="Index">Which batch of it, from 0.</param>
public readonly record struct BatchPosition(int Epoch, int Index);

/// <summary>
/// Deals a corpus out in batches of about equal work. Pairs of like length go together, so that little is padding, and a batch holds as many as the budget
/// allows: max(B * S, B * T) is at most <see cref="BatchTokens"/>, padding included, and B at most <see cref="BatchSentences"/>. One pair that alone exceeds the budget is a batch of its own
/// (see <see cref="Oversized"/>; what is too long to train on is left out when the corpus is loaded). Each pair is in exactly one batch of an epoch, or, of a mix, in as
/// many places as its weight says.
/// </summary>
/// <remarks>
/// <para>A pair of weight w is floor(w) times in every epoch. For the rest f = w - floor(w) the n pairs of its corpus are a shuffled deck that is dealt on from epoch to epoch
/// and shuffled anew when it is used up: epoch e, from 0, takes the cards ceil(e n f) .. ceil((e + 1) n f) - 1. So each pair is taken once before any is taken again; in
/// the epoch in which a deck ends a pair can be the end of the one and in the beginning of the next.</para>
/// <para>An epoch's batches follow from the corpus, the budget, the seed and the epoch's number alone: a run that resumes at a <see cref="BatchPosition"/> sees what it
/// would have seen. Cost: one sort of the epoch in linear time, and at its highest 12 bytes of memory a pair; between epochs 4.</para>
/// </remarks>
public sealed class BatchIterator
{
    // Keeps the orders drawn here apart from a run's dropout masks, which are keyed by the same seed.
    private const ulong SeedSalt = 0x6261746368657300;

    private readonly ulong _seed;
    private readonly bool _shuffle;
    private int? _perEpoch;
    private (int Epoch, int[] Order, int[] Ends)? _plan;

    /// <summary>Makes the batches of a corpus.</summary>
    /// <param name="corpus">The pairs, or the blocks of a text; at least one.</param>
    /// <param name="batchTokens">The budget: the most ids on either side of a batch, padding included.</param>
    /// <param name="seed">Decides the order of the batches and which pairs of equal lengths meet.</param>
    /// <param name="shuffle">False for validation: batches from the shortest to the longest, the same in every epoch, each pair once whatever its weight.</param>
    /// <param name="batchSentences">The most pairs of a batch; null for as many as the budget allows.</param>
    /// <exception cref="ArgumentException">The corpus is empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The budget or the most pairs are less than 1.</exception>
    public BatchIterator(ISamples corpus, int batchTokens, ulong seed = 0, bool shuffle = true, int? batchSentences = null)
    {
        if (corpus.Count == 0)
            throw new ArgumentException($"BatchIterator: the corpus must have at least one pair, {corpus.Name} has none.");
        if (batchTokens < 1)
            throw new ArgumentOutOfRangeException(null, $"BatchIterator: the budget must be at least 1 token, got {batchTokens}.");
        if (batchSentences < 1)
            throw new ArgumentOutOfRangeException(null, $"BatchIterator: a batch must have at least 1 pair, got {batchSentences}.");
        Corpus = corpus;
        BatchTokens = batchTokens;
        BatchSentences = batchSentences ?? int.MaxValue;
        _seed = seed ^ SeedSalt;
        _shuffle = shuffle;
        for (int i = 0; i < corpus.Count; i++)
        {
            if (Longer(i) > batchTokens)
                Oversized++;
        }
    }

    /// <summary>The pairs.</summary>
    public ISamples Corpus { get; }

    /// <summary>The budget: the most ids on either side of a batch, padding included.</summary>
    public int BatchTokens { get; }

    /// <summary>The most pairs of a batch.</summary>
    public int BatchSentences { get; }

    /// <summary>How many pairs alone exceed the budget and are batches of their own.</summary>
    public int Oversized { get; }

    /// <summary>How many batches the first epoch has; all others have as many where the weights are whole numbers.</summary>
    public int BatchesPerEpoch => _perEpoch ??= BatchesIn(0);

    /// <summary>How many batches an epoch has; of a mix with a small weight, there may be none.</summary>
    /// <param name="epoch">Which pass over the corpus, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such epoch.</exception>
    public int BatchesIn(int epoch)
    {
        Check(epoch, 0);
        return Plan(epoch).Ends.Length;
    }

    /// <summary>The batches of one epoch.</summary>
    /// <param name="epoch">Which pass over the corpus, from 0.</param>
    /// <param name="first">The batch to begin with, from 0; <see cref="BatchesIn"/> gives none.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such epoch or batch.</exception>
    public IEnumerable<Batch> Epoch(int epoch, int first = 0)
    {
        Check(epoch, first);
        return Deal(epoch, first);

        IEnumerable<Batch> Deal(int epoch, int first)
        {
            var (order, ends) = Plan(epoch);
            for (int i = first; i < ends.Length; i++)
                yield return Make(order, ends, i);
        }
    }

    /// <summary>All batches from a position on, epoch after epoch without end.</summary>
    /// <param name="start">Where to begin; an index of <see cref="BatchesIn"/> means the next epoch's first batch.</param>
    /// <returns>Batches, each with its own position and that of the batch after it: what a checkpoint keeps.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such epoch or batch.</exception>
    public IEnumerable<(BatchPosition Position, BatchPosition Next, Batch Batch)> From(BatchPosition start)
    {
        Check(start.Epoch, start.Index);
        return Deal(start);

        IEnumerable<(BatchPosition Position, BatchPosition Next, Batch Batch)> Deal(BatchPosition position)
        {
            while (true)
            {
                int count = BatchesIn(position.Epoch);
                foreach (var batch in Epoch(position.Epoch, position.Index))
                {
                    var next = position.Index + 1 < count ? position with { Index = position.Index + 1 } : new BatchPosition(position.Epoch + 1, 0);
                    yield return (position, next, batch);
                    position = next;
                }

                if (position.Index == count)
                    position = new BatchPosition(position.Epoch + 1, 0);
            }
        }
    }

    /// <summary>B, S and T of an epoch's batches; no ids are touched.</summary>
    /// <param name="epoch">Which pass over the corpus, from 0.</param>
    internal IEnumerable<(int B, int S, int T)> Shapes(int epoch)
    {
        var (order, ends) = Plan(epoch);
        int start = 0;
        foreach (int end in ends)
        {
            int s = 0, t = 0;
            for (int i = start; i < end; i++)
            {
                var (source, target) = Corpus.Lengths(order[i]);
                (s, t) = (Math.Max(s, source), Math.Max(t, target));
            }

            yield return (end - start, s, t);
            start = end;
        }
    }

    private void Check(int epoch, int first)
    {
        if (epoch < 0 || first < 0 || (first > 0 && first > Plan(epoch).Ends.Length))
            throw new ArgumentOutOfRangeException(null, $"BatchIterator: an epoch has {(epoch < 0 ? BatchesPerEpoch : Plan(epoch).Ends.Length)} batches, got epoch {epoch}, batch {first}.");
    }

    private Batch Make(int[] order, int[] ends, int index)
    {
        int start = index == 0 ? 0 : ends[index - 1];
        return Corpus.Batch(order.AsSpan(start..ends[index]));
    }

    /// <summary>The epoch's pairs in the order they are dealt, and where each batch ends.</summary>
    private (int[] Order, int[] Ends) Plan(int epoch)
    {
        if (_plan is { } plan && (plan.Epoch == epoch || !_shuffle))
            return (plan.Order, plan.Ends);
        // Not held while the next is made.
        _plan = null;
        var random = new RandomSource(_seed, 2 * (ulong)epoch);
        int[] order = _shuffle ? EpochPairs.Of(Corpus.Parts, _seed, epoch) : [.. Enumerable.Range(0, Corpus.Count)];
        if (_shuffle)
            random.Shuffle<int>(order);
        int[] other = new int[order.Length];
        SortByLength(order, other);
        var batches = Cut(order);
        if (_shuffle)
            random.Shuffle<Range>(batches);
        int[] ends = new int[batches.Length];
        int end = 0;
        for (int i = 0; i < batches.Length; i++)
        {
            var batch = order.AsSpan(batches[i]);
            batch.CopyTo(other.AsSpan(end));
            ends[i] = end += batch.Length;
        }

        _plan = (epoch, other, ends);
        return (other, ends);
    }

    /// <summary>
    /// By source length; within one source length by target length, up and down in turns, so that a batch that reaches into the next source length
    /// finds targets there that are as long as its own. Equal lengths keep the order they came in.
    /// </summary>
    private void SortByLength(int[] order, int[] other)
    {
        uint longest = 0;
        foreach (int pair in order)
            longest = Math.Max(longest, (uint)Longer(pair));
        StableSort.ByKey(order, other, 2 * longest, pair =>
        {
            var (source, target) = Corpus.Lengths(pair);
            return source % 2 == 0 ? longest + (uint)target : longest - (uint)target;
        });
        StableSort.ByKey(order, other, longest, pair => (uint)Corpus.Lengths(pair).Source);
    }

    private Range[] Cut(int[] order)
    {
        var batches = new List<Range>();
        int start = 0, longest = 0;
        for (int i = 0; i < order.Length; i++)
        {
            int length = Longer(order[i]);
            int pairs = i - start + 1;
            if (i > start && (pairs > BatchSentences || (long)pairs * Math.Max(longest, length) > BatchTokens))
            {
                batches.Add(start..i);
                start = i;
                longest = 0;
            }

            longest = Math.Max(longest, length);
        }

        if (order.Length > 0)
            batches.Add(start..order.Length);
        return [.. batches];
    }

    private int Longer(int pair)
    {
        var (source, target) = Corpus.Lengths(pair);
        return Math.Max(source, target);
    }
}
