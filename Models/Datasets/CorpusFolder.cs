namespace CudaSeq.Models;

/// <summary>What a folder holds of a corpus.</summary>
/// <param name="Parts">Its texts and pairs of texts, by splits and then in the order of their names.</param>
/// <param name="Undecided">Names with more than two sides, none of which were chosen to be a pair: each file is a part of its own.</param>
/// <param name="Skipped">Files that by their names are no text.</param>
public sealed record CorpusFolderContent(IReadOnlyList<CorpusToCheck> Parts, IReadOnlyList<(string Name, IReadOnlyList<string> Sides)> Undecided, IReadOnlyList<string> Skipped);

/// <summary>
/// Finds the parts of a corpus in a folder by its files' names. A name ends in its side, <c>train.en</c> and <c>train.de</c>, and files that are called the same up
/// to there are a pair; <c>src.train</c> and <c>tgt.train</c> are one too. A split is what its name begins with: train; valid, val or dev; test.
/// </summary>
public static class CorpusFolder
{
    private static readonly string[] NotText = [".bin", ".bz2", ".gz", ".html", ".json", ".jsonl", ".m2", ".md", ".npz", ".part", ".pdf", ".pt", ".safetensors", ".tar", ".tmp", ".xz", ".zip", ".zst"];
    private static readonly string[] Sources = ["src", "source"], Targets = ["tgt", "target", "trg"];
    private static readonly Comparer<string> SideOrder = Comparer<string>.Create((a, b) => Rank(a) != Rank(b) ? Rank(a).CompareTo(Rank(b)) : string.CompareOrdinal(a, b));

    /// <summary>The parts of a folder's corpus; folders inside it are not looked into.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="sides">The sides, source first, that are pairs where a name has more than two; null where none has.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    public static CorpusFolderContent Find(string folder, (string Source, string Target)? sides = null)
    {
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"{folder}: there is no such folder.");
        var parts = new List<CorpusToCheck>();
        var undecided = new List<(string, IReadOnlyList<string>)>();
        var skipped = new List<string>();
        var texts = new List<(string Stem, string Side, string Path)>();
        foreach (string path in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileName(path);
            if (name.StartsWith('.') || name.StartsWith("README", StringComparison.Ordinal) || name.StartsWith("LICEN", StringComparison.Ordinal) || NotText.Contains(Path.GetExtension(name)))
                skipped.Add(name);
            else
                texts.Add(Cut(name, path));
        }

        foreach (var group in texts.GroupBy(t => t.Stem))
        {
            var two = group.OrderBy(t => t.Side, SideOrder).ToList();
            if (sides is { } chosen && group.Any(t => t.Side == chosen.Source) && group.Any(t => t.Side == chosen.Target))
                two = [group.First(t => t.Side == chosen.Source), group.First(t => t.Side == chosen.Target)];
            if (two.Count > 2)
                undecided.Add((group.Key, [.. two.Select(t => t.Side)]));
            if (two.Count == 2)
                parts.Add(new($"{group.Key} {two[0].Side}-{two[1].Side}", SplitOf(group.Key), $"{Rest(group.Key)} {two[0].Side} {two[1].Side}", two[0].Path, two[1].Path));
            foreach (var (_, side, path) in group.Where(t => two.Count != 2 || !two.Contains(t)))
                parts.Add(new(Path.GetFileName(path), SplitOf(group.Key), $"{Rest(group.Key)} {side}", path));
        }

        return new([.. parts.OrderBy(p => p.Split)], undecided, skipped);
    }

    /// <summary>What a split is for, by the beginning of its name.</summary>
    /// <param name="name">As <c>train</c>, <c>val.lc.norm.tok</c> or <c>newstest2014</c>.</param>
    public static CorpusSplit SplitOf(string name) => name switch
    {
        _ when name.StartsWith("train", StringComparison.Ordinal) => CorpusSplit.Train,
        _ when name.StartsWith("val", StringComparison.Ordinal) || name.StartsWith("dev", StringComparison.Ordinal) => CorpusSplit.Valid,
        _ when name.StartsWith("test", StringComparison.Ordinal) || name.StartsWith("newstest", StringComparison.Ordinal) => CorpusSplit.Test,
        _ => CorpusSplit.Other,
    };

    private static int Rank(string side) => Sources.Contains(side) ? -1 : Targets.Contains(side) ? 1 : 0;

    private static (string Stem, string Side, string Path) Cut(string name, string path)
    {
        int first = name.IndexOf('.', StringComparison.Ordinal), last = name.LastIndexOf('.');
        if (last <= 0)
            return (name, "", path);
        string side = name[..first], split = name[(last + 1)..];
        return first == last && SplitOf(split) != CorpusSplit.Other && SplitOf(side) == CorpusSplit.Other ? (split, side, path) : (name[..last], split, path);
    }

    // What a name has behind its split: val.lc.norm.tok belongs to train.lc.norm.tok.
    private static string Rest(string stem) => stem.IndexOf('.', StringComparison.Ordinal) is var dot and >= 0 ? stem[dot..] : "";
}
