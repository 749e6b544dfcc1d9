using System.Text;

namespace CudaSeq.Models;

/// <summary>A task whose texts are drawn by chance.</summary>
/// <param name="Name">What it is asked for by, which is also its folder.</param>
/// <param name="What">What it is, in a line.</param>
/// <param name="TrainPairs">Pairs to train on when nothing else is said.</param>
/// <param name="MostTrainPairs">The most of them.</param>
/// <param name="MostHeldOutPairs">The most pairs to validate with, and the most to test with.</param>
/// <param name="Generate">Draws it: seed, pairs to train on, to test with and to validate with, and what stops it.</param>
public sealed record SyntheticCorpus(string Name, string What, int TrainPairs, int MostTrainPairs, int MostHeldOutPairs, Func<ulong, int, int, int, CancellationToken, CorpusSplits> Generate);

/// <summary>The tasks that need no download, and their texts as files.</summary>
public static class SyntheticCorpora
{
    /// <summary>Pairs to validate with when nothing else is said.</summary>
    public const int ValidPairs = 500;

    /// <summary>Pairs to test with when nothing else is said.</summary>
    public const int TestPairs = 1_000;

    /// <summary>What decides the draws when nothing else is said.</summary>
    public const ulong Seed = 1;

    /// <summary>All of them.</summary>
    public static IReadOnlyList<SyntheticCorpus> All { get; } =
    [
        new("filled-gaps", "letters with gaps ahead of them, and the same with the gaps filled by the alphabet on its way to the letter", 5_000, FilledGapsCorpus.MostPairs, FilledGapsCorpus.MostPairs, FilledGapsCorpus.Generate),
        new("garbled-gaps", "filled-gaps with three wrong letters of ten in the targets to learn from, those to validate and to test with being right", 5_000, FilledGapsCorpus.MostPairs, FilledGapsCorpus.MostPairs, GarbledGapsCorpus.Generate),
        new("noisy-runs", "letters that were each sent five times over a line that garbles three of ten, and what was sent", 1_000, NoisyRunsCorpus.MostPairs, NoisyRunsCorpus.MostPairs, NoisyRunsCorpus.Generate),
        new("numbers", "numbers below a million in digits and in English words", 10_000, NumberCorpus.MostTrainPairs, NumberCorpus.MostHeldOutPairs, (seed, train, test, valid, _) => NumberCorpus.Generate(seed, train, test, valid)),
        new("swapped-words", "words, two thousand different ones, and the same with every two neighbours swapped", 2_000, SwappedWordsCorpus.MostPairs, SwappedWordsCorpus.MostPairs, SwappedWordsCorpus.Generate),
        new("word-partners", "lines of five hundred words in which each is followed, three places on, by its partner, for language models", 8_000, WordPartnersCorpus.MostPairs, WordPartnersCorpus.MostPairs, WordPartnersCorpus.Generate),
    ];

    /// <summary>Writes the parts of a corpus as <c>train.source</c>, <c>train.target</c> and the same of valid and test; a part without pairs has no files.</summary>
    /// <param name="splits">The corpus.</param>
    /// <param name="folder">Where to; made where there is none. A file that is there and the same stays.</param>
    /// <param name="cancellation">Looked at before every file.</param>
    /// <returns>How many files were written.</returns>
    /// <exception cref="InvalidDataException">A file of another content is in the way; nothing is written then.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static int Write(CorpusSplits splits, string folder, CancellationToken cancellation = default)
    {
        var files = new List<(string Path, byte[] Bytes)>();
        foreach (var (part, pairs) in new[] { ("train", splits.Train), ("valid", splits.Valid), ("test", splits.Test) })
        {
            if (pairs.Count == 0)
                continue;
            files.Add((Path.Combine(folder, $"{part}.source"), Text(pairs.Select(p => p.Source))));
            files.Add((Path.Combine(folder, $"{part}.target"), Text(pairs.Select(p => p.Target))));
        }

        var missing = files.Where(f => !File.Exists(f.Path)).ToList();
        foreach (var (path, _) in files.Except(missing).Where(f => !File.ReadAllBytes(f.Path).AsSpan().SequenceEqual(f.Bytes)))
            throw new InvalidDataException($"{path}: is there and not what is made; move it away, or name another folder.");
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"{folder}: cannot be written ({e.Message.TrimEnd('.')}).", e);
        }

        foreach (var (path, bytes) in missing)
        {
            cancellation.ThrowIfCancellationRequested();
            TextFile.WriteWhole(path, stream => stream.Write(bytes));
        }

        return missing.Count;
    }

    private static byte[] Text(IEnumerable<string> lines) => Encoding.UTF8.GetBytes(string.Concat(lines.Select(l => l + "\n")));
}
