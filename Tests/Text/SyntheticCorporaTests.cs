using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Tasks that are drawn by chance: what they promise, and their files.</summary>
public sealed class SyntheticCorporaTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void RunsAreWhatWasSentWithSomeOfItGarbled()
    {
        var splits = NoisyRunsCorpus.Generate(seed: 5, trainPairs: 2000, testPairs: 300, validPairs: 200);
        Assert.Equal((2000, 200, 300), (splits.Train.Count, splits.Valid.Count, splits.Test.Count));
        var all = splits.Train.Concat(splits.Valid).Concat(splits.Test).ToArray();
        Assert.Equal(all.Length, all.Select(p => p.Source).Distinct().Count());
        long garbled = 0, copies = 0, voted = 0, letters = 0;
        var lengths = new HashSet<int>();
        foreach (var (source, target) in all)
        {
            string[] received = source.Split(' '), sent = target.Split(' ');
            Assert.Equal(NoisyRunsCorpus.Copies * sent.Length, received.Length);
            lengths.Add(sent.Length);
            Assert.All(sent.Zip(sent.Skip(1)), pair => Assert.NotEqual(pair.First, pair.Second));
            foreach (var (run, letter) in received.Chunk(NoisyRunsCorpus.Copies).Zip(sent))
            {
                garbled += run.Count(c => c != letter);
                voted += run.GroupBy(c => c).MaxBy(g => g.Count())!.Key == letter ? 1 : 0;
                (copies, letters) = (copies + run.Length, letters + 1);
            }
        }

        // 0.3 within five standard deviations, and a vote that is nearly always right.
        Assert.Equal(NoisyRunsCorpus.Noise, (double)garbled / copies, 5 * Math.Sqrt(0.3 * 0.7 / copies));
        Assert.InRange((double)voted / letters, 0.95, 1);
        Assert.Equal([4, 5, 6, 7, 8, 9, 10], lengths.Order());
    }

    [Fact]
    public void NeighboursOfSwappedWordsChangePlaces()
    {
        var splits = SwappedWordsCorpus.Generate(seed: 5);
        Assert.Equal((2_000, 500, 1_000), (splits.Train.Count, splits.Valid.Count, splits.Test.Count));
        var all = splits.Train.Concat(splits.Valid).Concat(splits.Test).ToArray();
        Assert.Equal(all.Length, all.Select(p => p.Source).Distinct().Count());
        foreach (var (source, target) in all)
        {
            string[] words = source.Split(' '), swapped = target.Split(' ');
            Assert.InRange(words.Length, 4, 10);
            Assert.Equal(words.Length, swapped.Length);
            for (int i = 0; i < words.Length; i++)
                Assert.Equal(words[(i ^ 1) < words.Length ? i ^ 1 : i], swapped[i]);
        }

        // About seven times each, and hardly a word of the test that training does not have.
        var known = splits.Train.SelectMany(p => p.Source.Split(' ')).ToHashSet();
        Assert.InRange(known.Count, 0.99 * SwappedWordsCorpus.Words, SwappedWordsCorpus.Words);
        Assert.Contains("w7", known);
    }

    [Fact]
    public void GapsAreFilledByTheAlphabet()
    {
        var splits = FilledGapsCorpus.Generate(seed: 5);
        Assert.Equal((5_000, 500, 1_000), (splits.Train.Count, splits.Valid.Count, splits.Test.Count));
        var all = splits.Train.Concat(splits.Valid).Concat(splits.Test).ToArray();
        Assert.Equal(all.Length, all.Select(p => p.Source).Distinct().Count());
        var (gaps, letters) = (new HashSet<int>(), new HashSet<int>());
        foreach (var (source, target) in all)
        {
            Assert.Equal(source.Length, target.Length);
            int gap = 0, seen = 0;
            for (int i = 0; i < source.Length; i += 2)
            {
                bool isLetter = source[i] != '.';
                Assert.Equal(isLetter ? source[i] : target[i + 2] == 'a' ? 'z' : target[i + 2] - 1, target[i]);
                if (isLetter)
                    gaps.Add(gap);
                (gap, seen) = (isLetter ? 0 : gap + 1, seen + (isLetter ? 1 : 0));
            }

            letters.Add(seen);
        }

        Assert.Equal([0, 1, 2, 3, 4, 5, 6], gaps.Order());
        Assert.Equal([4, 5, 6, 7, 8], letters.Order());
    }

    [Fact]
    public void GarbledGapsAreFilledGapsWithWrongLettersToLearnFromAlone()
    {
        var (garbled, right) = (GarbledGapsCorpus.Generate(seed: 5), FilledGapsCorpus.Generate(seed: 5));
        Assert.Equal(right.Valid, garbled.Valid);
        Assert.Equal(right.Test, garbled.Test);
        Assert.Equal(right.Train.Select(p => p.Source), garbled.Train.Select(p => p.Source));
        var letters = right.Train.Zip(garbled.Train).SelectMany(p => p.First.Target.Split(' ').Zip(p.Second.Target.Split(' '))).ToArray();
        double wrong = (double)letters.Count(l => l.First != l.Second) / letters.Length;
        Assert.Equal(GarbledGapsCorpus.Noise, wrong, 5 * Math.Sqrt(0.3 * 0.7 / letters.Length));
        Assert.Equal(26, letters.Where(l => l.First == "a").Select(l => l.Second).Distinct().Count());
    }

    [Fact]
    public void EveryWordIsFollowedByItsPartner()
    {
        var splits = WordPartnersCorpus.Generate(seed: 5);
        Assert.Equal((8_000, 500, 1_000), (splits.Train.Count, splits.Valid.Count, splits.Test.Count));
        var all = splits.Train.Concat(splits.Valid).Concat(splits.Test).ToArray();
        Assert.Equal(all.Length, all.Select(p => p.Source).Distinct().Count());
        var partners = new Dictionary<string, string>();
        foreach (var (source, target) in all)
        {
            string[] words = target.Split(' ');
            Assert.Equal(WordPartnersCorpus.Length, words.Length);
            Assert.Equal(source, string.Join(' ', words.Take(WordPartnersCorpus.Distance)));
            foreach (var (word, partner) in words.Zip(words.Skip(WordPartnersCorpus.Distance)))
            {
                partners.TryAdd(word, partner);
                Assert.Equal(partners[word], partner);
            }
        }

        // One cycle through all words: each has a partner, is one, and none its own.
        Assert.Equal(WordPartnersCorpus.Words, partners.Count);
        string at = "w7";
        var seen = new HashSet<string>();
        while (seen.Add(at))
            at = partners[at];
        Assert.Equal(("w7", WordPartnersCorpus.Words), (at, seen.Count));
    }

    // Tables in docs/results were trained on these texts.
    [Fact]
    public void TextsStayWhatTheyWere()
    {
        Assert.Equal((". . i . . h l . . . . . . g", "g h i f g h l a b c d e f g"), FilledGapsCorpus.Generate(1, 1, 1, 1).Train[0]);
        Assert.Equal(("t t j s t e e y e e x x x x x o r o o o s v y v r c c c c c b b b b b", "t e x o v c b"), NoisyRunsCorpus.Generate(1, 1, 1, 1).Train[0]);
        Assert.Equal(("w1384 w1485 w860 w199 w914 w811 w25 w549", "w1485 w1384 w199 w860 w811 w914 w549 w25"), SwappedWordsCorpus.Generate(1, 1, 1, 1).Train[0]);
        Assert.StartsWith("w168 w17 w316 w90 w360 ", WordPartnersCorpus.Generate(1, 1, 1, 1).Train[0].Target, StringComparison.Ordinal);
    }

    [Fact]
    public void DrawingManyCanBeStopped()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Assert.Throws<OperationCanceledException>(() => NoisyRunsCorpus.Generate(1, cancellation: stop.Token));
    }

    [Fact]
    public void TheSameSeedGivesTheSameTexts()
    {
        foreach (var corpus in SyntheticCorpora.All)
        {
            var (one, same, other) = (corpus.Generate(3, 50, 6, 6, default), corpus.Generate(3, 50, 6, 6, default), corpus.Generate(4, 50, 6, 6, default));
            Assert.Equal(one.Train, same.Train);
            Assert.Equal(one.Valid, same.Valid);
            Assert.Equal(one.Test, same.Test);
            Assert.NotEqual(one.Train, other.Train);
            Assert.NotEqual(one.Valid, other.Valid);
            Assert.NotEqual(one.Test, other.Test);
        }

        Assert.Equal("NoisyRunsCorpus: trainPairs must be in 1 .. 200000, got 0.", Assert.Throws<ArgumentOutOfRangeException>(() => NoisyRunsCorpus.Generate(1, trainPairs: 0)).Message);
    }

    [Fact]
    public void FilesAreMadeOnceAndOthersAreLeftAlone()
    {
        string folder = _folder.PathOf("noisy-runs");
        var run = Tool.Run("data", "make", "noisy-runs", "--train", "20", "--valid", "0", "--test", "5", "--folder", _folder.PathOf("."));
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.StartsWith($"20 pairs to train on, 0 to validate with, 5 to test with, written, in {folder}\nfor example ", run.Out.Replace("/./", "/", StringComparison.Ordinal));
        Assert.Equal(["test.source", "test.target", "train.source", "train.target"], Directory.EnumerateFiles(folder).Select(f => Path.GetFileName(f)!).Order());
        Assert.Equal(20, File.ReadAllLines(Path.Combine(folder, "train.source")).Length);
        Assert.EndsWith($"\nrecipes find it there with CUDASEQ_DATA={Path.GetFullPath(_folder.PathOf("."))}\n", run.Out);
        Assert.Contains(", there already, in ", Tool.Run("data", "make", "noisy-runs", "--train", "20", "--valid", "0", "--test", "5", "--folder", _folder.PathOf(".")).Out);
        var other = Tool.Run("data", "make", "noisy-runs", "--train", "21", "--valid", "1", "--test", "5", "--folder", _folder.PathOf("."));
        Assert.Equal(1, other.ExitCode);
        Assert.EndsWith("train.source: is there and not what is made; move it away, or name another folder.\n", other.Error);
        Assert.Equal(4, Directory.EnumerateFiles(folder).Count());
        Assert.Equal("cudaseq data make: unknown task letters; the tasks are filled-gaps, garbled-gaps, noisy-runs, numbers, swapped-words, word-partners.\n", Tool.Run("data", "make", "letters").Error);
        Assert.Equal("cudaseq data make: unknown task noisy-run, did you mean noisy-runs?\n", Tool.Run("data", "make", "noisy-run").Error);
        Assert.Equal("cudaseq data make: --train must be at most 50000 for numbers, got 50001.\n", Tool.Run("data", "make", "numbers", "--train", "50001", "--folder", _folder.PathOf("x")).Error);
        Assert.False(Directory.Exists(_folder.PathOf("x")));
    }

    [Fact]
    public void WhoLacksTheFilesIsToldHowToMakeThem()
        => Assert.Contains("cudaseq data make noisy-runs makes it.", Tool.Run(["train", Repository.File("recipes/noisy-runs.json"), "--out", _folder.PathOf("run")], "", new() { ["CUDASEQ_DATA"] = _folder.PathOf("none") }).Error);
}
