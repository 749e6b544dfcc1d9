using CudaSeq.Models;

namespace CudaSeq.Tests;

public sealed class BatchTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void RowsAreFilledUpOnTheRight()
    {
        var corpus = Corpus.From([new([4, 2], [5, 6, 2]), new([7, 8, 9, 2], [2])]);
        var batch = Batch.Of(corpus, 1, 0);
        Assert.Equal((2, 4, 3), (batch.B, batch.S, batch.T));
        Assert.Equal([7, 8, 9, 2, 4, 2, 1, 1], batch.Source);
        Assert.Equal([4, 2], batch.SourceLengths);
        Assert.Equal([2, 1, 1, 5, 6, 2], batch.Target);
        Assert.Equal([1, 3], batch.TargetLengths);
        Assert.Equal([2, 1, 1, 2, 5, 6], batch.PreviousTarget);
        Assert.Equal((6, 4), (batch.SourceTokens, batch.TargetTokens));
        Assert.Equal([1, 0], batch.Indices);
        Assert.Equal("Batch: must hold at least one pair.", Assert.Throws<ArgumentException>(() => Batch.Of(corpus)).Message);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void EachPairIsInExactlyOneBatchWithinTheBudget(bool shuffle)
    {
        const int Budget = 100;
        var corpus = RandomCorpus(2000, 60);
        var batches = new BatchIterator(corpus, Budget, seed: 5, shuffle);
        foreach (int epoch in (int[])[0, 1, 7])
        {
            var dealt = batches.Epoch(epoch).ToList();
            Assert.Equal(batches.BatchesPerEpoch, dealt.Count);
            Assert.Equal(Enumerable.Range(0, corpus.Count), dealt.SelectMany(b => b.Indices).Order());
            Assert.All(dealt, b => Assert.True(Math.Max(b.B * b.S, b.B * b.T) <= Budget, $"{b.B} x {b.S}, {b.T}"));
        }
    }

    [Fact]
    public void PairsOfLikeLengthGoTogether()
    {
        var random = new Random(6);
        var corpus = Corpus.From(Enumerable.Range(0, 20_000).Select(_ =>
        {
            int length = random.Next(5, 40);
            return Pair(length, Math.Max(2, length + random.Next(-4, 5)));
        }));
        var dealt = new BatchIterator(corpus, 4096, seed: 1).Epoch(0).ToList();
        long padded = dealt.Sum(b => (long)b.B * (b.S + b.T)), tokens = dealt.Sum(b => (long)b.SourceTokens + b.TargetTokens);
        Assert.True(padded < 1.05 * tokens, $"{padded} ids for {tokens} tokens");
        Assert.True(dealt.Count < 1.15 * corpus.Report.TargetTokens / 4096, $"{dealt.Count} batches for {corpus.Report.TargetTokens} target tokens");
    }

    [Fact]
    public void APairBeyondTheBudgetIsABatchOfItsOwn()
    {
        var corpus = Corpus.From([Pair(3, 3), Pair(50, 3), Pair(3, 60), Pair(3, 4)]);
        var batches = new BatchIterator(corpus, 20);
        Assert.Equal(2, batches.Oversized);
        var dealt = batches.Epoch(0).ToList();
        Assert.Equal(3, dealt.Count);
        Assert.All(dealt, b => Assert.True(b.B == 1 || Math.Max(b.B * b.S, b.B * b.T) <= 20));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void NoBatchHasMorePairsThanItMay(bool shuffle)
    {
        const int Budget = 200, Most = 7;
        var corpus = RandomCorpus(500, 40);
        var dealt = new BatchIterator(corpus, Budget, seed: 5, shuffle, Most).Epoch(1).ToList();
        Assert.Equal(Enumerable.Range(0, corpus.Count), dealt.SelectMany(b => b.Indices).Order());
        Assert.All(dealt, b => Assert.True(b.B <= Most && Math.Max(b.B * b.S, b.B * b.T) <= Budget, $"{b.B} x {b.S}, {b.T}"));
        Assert.Contains(dealt, b => b.B == Most && 2 * Math.Max(b.B * b.S, b.B * b.T) < Budget);
        Assert.Contains(dealt, b => b.B < Most);
        int[] pairs = [.. new BatchIterator(corpus, int.MaxValue, seed: 5, shuffle, Most).Epoch(0).Select(b => b.B).Order()];
        Assert.Equal([500 % Most, .. Enumerable.Repeat(Most, 500 / Most)], pairs);
    }

    [Fact]
    public void OrderFollowsFromSeedAndEpochAlone()
    {
        var corpus = RandomCorpus(500, 30);
        int[] Order(ulong seed, int epoch) => [.. new BatchIterator(corpus, 200, seed).Epoch(epoch).SelectMany(b => b.Indices)];
        var other = new BatchIterator(corpus, 200, 9);
        _ = other.Epoch(3).Count();
        Assert.Equal(Order(9, 1), other.Epoch(1).SelectMany(b => b.Indices));
        Assert.NotEqual(Order(9, 1), Order(9, 2));
        Assert.NotEqual(Order(9, 1), Order(10, 1));
    }

    [Fact]
    public void ResumesWhereItStopped()
    {
        var corpus = RandomCorpus(300, 30);
        var all = new BatchIterator(corpus, 300, 2).From(default).Take(60).ToList();
        Assert.True(all[^1].Position.Epoch >= 2);
        for (int stop = 0; stop < 59; stop++)
        {
            var resumed = new BatchIterator(corpus, 300, 2).From(all[stop].Next).Take(3).ToList();
            for (int i = 0; i < 3 && stop + 1 + i < all.Count; i++)
            {
                Assert.Equal(all[stop + 1 + i].Position, resumed[i].Position);
                Assert.Equal(all[stop + 1 + i].Batch.Indices, resumed[i].Batch.Indices);
            }
        }

        int count = new BatchIterator(corpus, 300, 2).BatchesPerEpoch;
        Assert.Equal(new BatchPosition(1, 0), new BatchIterator(corpus, 300, 2).From(new BatchPosition(0, count)).First().Position);
    }

    [Fact]
    public void WithoutShufflingShortComesBeforeLong()
    {
        var dealt = new BatchIterator(RandomCorpus(300, 30), 100, shuffle: false).Epoch(4).ToList();
        Assert.Equal(dealt.Select(b => b.S).Order(), dealt.Select(b => b.S));
    }

    [Fact]
    public void RefusesWhatCannotBeDealt()
    {
        var corpus = RandomCorpus(3, 5);
        Assert.Equal(
            "BatchIterator: the corpus must have at least one pair, nothing has none.",
            Assert.Throws<ArgumentException>(() => new BatchIterator(Corpus.From([], "nothing"), 10)).Message);
        Assert.Equal(
            "BatchIterator: the budget must be at least 1 token, got 0.",
            Assert.Throws<ArgumentOutOfRangeException>(() => new BatchIterator(corpus, 0)).Message);
        Assert.Equal(
            "BatchIterator: a batch must have at least 1 pair, got 0.",
            Assert.Throws<ArgumentOutOfRangeException>(() => new BatchIterator(corpus, 10, batchSentences: 0)).Message);
        Assert.Equal(
            "BatchIterator: an epoch has 1 batches, got epoch 0, batch 2.",
            Assert.Throws<ArgumentOutOfRangeException>(() => new BatchIterator(corpus, 100).Epoch(0, 2)).Message);
        Assert.Equal(
            "Corpus: both sides must end in 2 (</s>), pair 2 does not.",
            Assert.Throws<ArgumentException>(() => Corpus.From([Pair(2, 2), new([4, 2], [])])).Message);
    }

    [Fact]
    public void LoadingCountsWhatItLeavesOut()
    {
        string source = _folder.File("a.en", "a b\n\n   \na b c d\na x\na\n"), target = _folder.File("a.de", "b\nb\nb\nb\n\nb b b b\n");
        var codec = new TextCodec(new WordTokenizer(), Vocabulary.Build(new WordTokenizer(), ["a b c d"]));
        var corpus = Corpus.Load(source, target, codec, codec, maxLength: 3);
        Assert.Equal(new LoadReport(source, 6, 1, 3, 2, 3, 3, 2, 0, 0), corpus.Report);
        Assert.Equal(
            $"{source}: 6 pairs, 3 left out with an empty side, 2 left out with more than 3 pieces on a side, 3 source and 2 target tokens", corpus.Report.ToString());
        Assert.Equal([4, 5, 2], corpus[0].Source);
        Assert.Equal([5, 2], corpus[0].Target);
        Assert.Equal(1, corpus.LineOf(0));
        var whole = Corpus.Encode([("a x", "y y"), ("b", "a")], codec, codec);
        Assert.Equal("corpus: 2 pairs, 5 source and 5 target tokens, 20.00 and 40.00 % unknown", whole.Report.ToString());
    }

    private static SentencePair Pair(int source, int target)
        => new([.. Enumerable.Repeat(7, source - 1), Vocabulary.Eos], [.. Enumerable.Repeat(8, target - 1), Vocabulary.Eos]);

    private static Corpus RandomCorpus(int count, int longest)
    {
        var random = new Random(count);
        return Corpus.From(Enumerable.Range(0, count).Select(_ => Pair(random.Next(2, longest), random.Next(2, longest))));
    }
}
