using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>What an epoch has: of one corpus, and of several by their weights.</summary>
public sealed class EpochTests
{
    [Theory]
    [InlineData(1, 3)]
    [InlineData(700, 40)]
    [InlineData(300, 9000)]
    public void BatchesAreThoseOfAPlainSort(int count, int longest)
    {
        var corpus = Random(count, count, longest);
        var batches = new BatchIterator(corpus, 400, seed: 11);
        foreach (int epoch in (int[])[0, 1, 5])
        {
            Assert.Equal(Plain(corpus, 400, 11, epoch), batches.Epoch(epoch).Select(b => b.Indices));
            Assert.Equal(batches.Epoch(epoch).Select(b => (b.B, b.S, b.T)), batches.Shapes(epoch));
        }

        Assert.Equal(batches.BatchesPerEpoch, batches.BatchesIn(5));
    }

    [Fact]
    public void AMixOfWeightOneIsOneCorpus()
    {
        var (a, b) = (Random(1, 200, 30), Random(2, 90, 50));
        var mix = Corpus.Mix((a, 1), (b, 1));
        var whole = Corpus.From([.. a, .. b]);
        Assert.Equal((290, whole.Report.SourceTokens, whole.Report.TargetTokens), (mix.Count, mix.Report.SourceTokens, mix.Report.TargetTokens));
        Assert.Equal(whole.Select(p => string.Join(' ', p.Source) + "|" + string.Join(' ', p.Target)), mix.Select(p => string.Join(' ', p.Source) + "|" + string.Join(' ', p.Target)));
        Assert.Equal(new BatchIterator(whole, 300, 7).Epoch(2).Select(x => x.Indices), new BatchIterator(mix, 300, 7).Epoch(2).Select(x => x.Indices));
        Assert.Equal([new CorpusPart("corpus", 0, 200, 1), new CorpusPart("corpus", 200, 90, 1)], mix.Parts);
        Assert.Equal((5, 5), (mix.LineOf(4), mix.LineOf(204)));
        Assert.Equal("corpus + corpus", mix.Report.Name);
    }

    [Theory]
    [InlineData("3", "0.5")]
    [InlineData("1", "2.25")]
    [InlineData("0.1", "0.07")]
    [InlineData("1.999", "0.001")]
    public void EachPairIsSeenAsOftenAsItsWeightSays(string first, string second)
    {
        const int Epochs = 40;
        decimal[] weights = [decimal.Parse(first), decimal.Parse(second)];
        var mix = Corpus.Mix((Random(1, 101, 20), weights[0]), (Random(2, 57, 20), weights[1]));
        var batches = new BatchIterator(mix, 200, 3);
        int[] seen = new int[mix.Count];
        for (int epoch = 0; epoch < Epochs; epoch++)
        {
            int[] before = [.. seen];
            foreach (int pair in batches.Epoch(epoch).SelectMany(b => b.Indices))
                seen[pair]++;
            foreach (var part in mix.Parts)
            {
                int[] now = [.. Enumerable.Range(part.Start, part.Count).Select(i => seen[i] - before[i])];
                decimal n = part.Count * part.Weight;
                Assert.InRange(now.Sum(), decimal.Floor(n), decimal.Ceiling(n));
                int whole = (int)decimal.Floor(part.Weight);

                // One more of some pairs; two where a deck ends in the epoch and the next begins.
                Assert.All(now, times => Assert.InRange(times, whole, whole + 2));

                // Over the epochs: all of a deck before any of it again.
                int[] all = seen[part.Start..(part.Start + part.Count)];
                Assert.InRange(all.Max() - all.Min(), 0, 1);
                Assert.Equal((long)decimal.Ceiling((epoch + 1) * part.Count * (part.Weight % 1)) + ((epoch + 1L) * whole * part.Count), all.Sum());
            }
        }
    }

    [Fact]
    public void AFractionIsAnotherPartInEveryEpochAndWithEverySeed()
    {
        var mix = Corpus.Mix((Random(1, 400, 20), 0.5m));
        HashSet<int> Seen(ulong seed, int epoch) => [.. new BatchIterator(mix, 200, seed).Epoch(epoch).SelectMany(b => b.Indices)];
        var (zero, one, two) = (Seen(3, 0), Seen(3, 1), Seen(3, 2));
        Assert.Equal(200, zero.Count);
        Assert.Empty(zero.Intersect(one));
        Assert.Equal(zero, Seen(3, 0));

        // Of two random halves of 400 about 100 are common: 60 .. 140 is eight standard deviations wide to each side.
        Assert.InRange(zero.Intersect(two).Count(), 60, 140);
        Assert.InRange(zero.Intersect(Seen(4, 0)).Count(), 60, 140);
        Assert.InRange(zero.Count(i => i < 200), 60, 140);
    }

    [Fact]
    public void AMixResumesAnywhere()
    {
        var mix = Corpus.Mix((Random(1, 70, 20), 1.3m), (Random(2, 5, 20), 0.1m));
        var all = new BatchIterator(mix, 100, 2).From(default).Take(150).ToList();
        Assert.True(all[^1].Position.Epoch >= 4);
        Assert.True(all.GroupBy(b => b.Position.Epoch).Take(4).Select(g => g.Sum(b => b.Batch.B)).Distinct().Count() > 1, "epochs of one size test nothing");
        for (int stop = 0; stop + 4 < all.Count; stop++)
        {
            var resumed = new BatchIterator(mix, 100, 2).From(all[stop].Next).Take(3).ToList();
            Assert.Equal(all.Skip(stop + 1).Take(3).Select(b => (b.Position, b.Next)), resumed.Select(b => (b.Position, b.Next)));
            Assert.Equal(all.Skip(stop + 1).Take(3).Select(b => b.Batch.Indices), resumed.Select(b => b.Batch.Indices));
        }
    }

    [Fact]
    public void AnEpochMayHaveNothing()
    {
        var batches = new BatchIterator(Corpus.Mix((Random(1, 2, 5), 0.1m)), 100, 2);
        Assert.Equal([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], Enumerable.Range(0, 11).Select(batches.BatchesIn));
        Assert.Equal([0, 5, 10], batches.From(default).Take(3).Select(b => b.Position.Epoch));
        Assert.Equal([1], new BatchIterator(Corpus.Mix((Random(1, 1, 5), 0.1m)), 100, 2).From(new BatchPosition(1, 0)).Take(1).Select(b => b.Batch.B));
        Assert.Equal(
            "BatchIterator: an epoch has 0 batches, got epoch 1, batch 1.", Assert.Throws<ArgumentOutOfRangeException>(() => batches.Epoch(1, 1)).Message);
    }

    [Fact]
    public void ValidationSeesEachPairOnceWhateverTheWeights()
    {
        var mix = Corpus.Mix((Random(1, 70, 20), 2.5m), (Random(2, 50, 20), 0.1m));
        Assert.Equal(Enumerable.Range(0, 120), new BatchIterator(mix, 100, shuffle: false).Epoch(3).SelectMany(b => b.Indices).Order());
    }

    [Fact]
    public void RefusesWhatCannotBeMixed()
    {
        var corpus = Random(1, 3, 5);
        Assert.Equal("Corpus: a mix must have at least one corpus, got none.", Refusal(() => Corpus.Mix()));
        Assert.Equal("Corpus: weights must be above 0 and at most 1000, got 0 for corpus.", Refusal(() => Corpus.Mix((corpus, 0))));
        Assert.Equal("Corpus: 1000 epochs must have a pair, the weights of a mix of corpus are too small for their corpora.", Refusal(() => Corpus.Mix((corpus, 1e-12m))));
        Assert.Equal("Corpus: weights must be above 0 and at most 1000, got -0.5 for corpus.", Refusal(() => Corpus.Mix((corpus, -0.5m))));
        Assert.Equal("Corpus: weights must be above 0 and at most 1000, got 1000.1 for corpus.", Refusal(() => Corpus.Mix((corpus, 1000.1m))));
        var large = Random(1, 30_000, 3);
        Assert.Equal(
            $"Corpus: an epoch must have at most {Array.MaxLength} pairs, a mix of {string.Join(" + ", Enumerable.Repeat("corpus", 72))} has more.",
            Refusal(() => Corpus.Mix([.. Enumerable.Repeat((large, 1000m), 72)])));
        Assert.Equal(
            "Corpus: a mix must be of corpora that are no mixes themselves, corpus + corpus is one.", Refusal(() => Corpus.Mix((Corpus.Mix((corpus, 1), (corpus, 1)), 1))));

        static string Refusal(Func<Corpus> mix) => Assert.Throws<ArgumentException>(() => mix()).Message;
    }

    [Fact]
    public void BlocksOfMemoryDoNotShow()
    {
        var store = new MemoryCorpus(blockIds: 7);
        var random = new Random(5);
        var pairs = new List<(int[] Source, int[] Target)>();
        for (int i = 0; i < 300; i++)
        {
            var pair = (Ids(random.Next(6)), Ids(random.Next(6)));
            pairs.Add(pair);
            store.Add(pair.Item1, pair.Item2, 2 * i);
        }

        Assert.Equal(300, store.Count);
        for (int i = 0; i < 300; i++)
        {
            Assert.Equal([.. pairs[i].Source, Vocabulary.Eos], store.Source(i));
            Assert.Equal([.. pairs[i].Target, Vocabulary.Eos], store.Target(i));
            Assert.Equal((pairs[i].Source.Length + 1, pairs[i].Target.Length + 1, 2 * i), (store.Lengths(i).Source, store.Lengths(i).Target, store.LineOf(i)));
        }

        int[] Ids(int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(4, 100))];
    }

    [Fact]
    public void SortingKeepsTheOrderOfEquals()
    {
        var random = new Random(9);
        foreach (uint largest in (uint[])[0, 1, 4095, 4096, 1 << 25, uint.MaxValue])
        {
            uint[] keys = [.. Enumerable.Range(0, 500).Select(_ => (uint)(random.NextDouble() * largest) / 3 * 3), largest];
            int[] items = [.. Enumerable.Range(0, keys.Length)];
            random.Shuffle(items);
            int[] expected = [.. items.OrderBy(i => keys[i])];
            StableSort.ByKey(items, new int[items.Length], largest, i => keys[i]);
            Assert.Equal(expected, items);
        }
    }

    // The batches as they were first defined: a comparison of (source, target up and down, place).
    private static List<int[]> Plain(Corpus corpus, int budget, ulong seed, int epoch)
    {
        var random = new RandomSource(seed ^ 0x6261746368657300, 2 * (ulong)epoch);
        int[] order = [.. Enumerable.Range(0, corpus.Count)];
        random.Shuffle<int>(order);
        order = [.. order.Select((pair, place) => (Pair: pair, Place: place, Source: corpus[pair].Source.Length, Target: corpus[pair].Target.Length))
            .OrderBy(p => p.Source).ThenBy(p => p.Source % 2 == 0 ? p.Target : -p.Target).ThenBy(p => p.Place).Select(p => p.Pair)];
        var batches = new List<int[]>();
        var open = new List<int>();
        int longest = 0;
        foreach (int pair in order)
        {
            int length = Math.Max(corpus[pair].Source.Length, corpus[pair].Target.Length);
            if (open.Count > 0 && (open.Count + 1) * Math.Max(longest, length) > budget)
            {
                batches.Add([.. open]);
                open.Clear();
                longest = 0;
            }

            open.Add(pair);
            longest = Math.Max(longest, length);
        }

        batches.Add([.. open]);
        int[][] dealt = [.. batches];
        random.Shuffle<int[]>(dealt);
        return [.. dealt];
    }

    private static Corpus Random(int seed, int count, int longest)
    {
        var random = new Random(seed);
        return Corpus.From(Enumerable.Range(0, count).Select(_ => new SentencePair(Side(), Side())));

        int[] Side() => [.. Enumerable.Range(0, random.Next(1, longest)).Select(_ => random.Next(4, 50)), Vocabulary.Eos];
    }
}
