using System.Runtime.InteropServices;

namespace CudaSeq.Models;

/// <summary>
/// Looks for what is wrong with a corpus before a model learns it. Files are read once, line by line; what stays in memory is about 40 bytes for each
/// different line and as many for each different pair.
/// </summary>
public static class CorpusCheck
{
    // How often a long file asks whether to stop.
    private const int LinesBetweenQuestions = 1 << 12;

    /// <summary>Checks the parts of a corpus.</summary>
    /// <param name="parts">The parts, in the order of the report.</param>
    /// <param name="options">What counts as worth telling; null for the defaults.</param>
    /// <param name="progress">Hears of each file when it is begun.</param>
    /// <param name="cancellation">Ends it soon.</param>
    /// <exception cref="FileNotFoundException">A file is not there.</exception>
    /// <exception cref="InvalidDataException">A line is longer than 64 MiB. Lines that are not UTF-8 are findings.</exception>
    public static CorpusReport Run(IReadOnlyList<CorpusToCheck> parts, CorpusCheckOptions? options = null, IProgress<string>? progress = null, CancellationToken cancellation = default)
    {
        options ??= new CorpusCheckOptions();
        var texts = new List<TextReport>();
        var pairs = new List<PairReport>();
        var leaks = new List<LeakReport>();
        foreach (var family in parts.GroupBy(p => p.Split == CorpusSplit.Other ? null : p.Family))
        {
            // What one family has seen is forgotten before the next one begins.
            var earlier = new List<Lines>();
            foreach (var part in family.OrderBy(p => p.Split))
            {
                var before = earlier.Where(e => e.Part.Split < part.Split && family.Key is not null).ToList();
                var lines = Run(part, before, options, texts, pairs, leaks, progress, cancellation);
                if (part.Split is CorpusSplit.Train or CorpusSplit.Valid)
                    earlier.Add(lines);
            }
        }

        // In the order of the parts, not in that of their splits.
        var order = parts.SelectMany(p => new[] { p.Source, p.Target }).Distinct().ToList();
        return new(
            [.. texts.OrderBy(t => order.IndexOf(t.Path))],
            [.. pairs.OrderBy(p => order.IndexOf(p.Source))],
            leaks);
    }

    private static Lines Run(
        CorpusToCheck part, List<Lines> earlier, CorpusCheckOptions options, List<TextReport> texts, List<PairReport> pairs, List<LeakReport> leaks,
        IProgress<string>? progress, CancellationToken cancellation)
    {
        progress?.Report(part.Target is null ? part.Source : $"{part.Source} and {part.Target}");
        using var source = new TextCheck(part.Source, options);
        using var target = part.Target is null ? null : new TextCheck(part.Target, options);
        var seen = new Dictionary<ulong, int>();
        var findings = new FindingList(options.Examples);
        var leaked = earlier.ConvertAll(_ => new FindingList(options.Examples));
        bool moreSource = source.Next(), moreTarget = target?.Next() ?? false;
        while (moreSource || moreTarget)
        {
            if (Math.Max(source.Number, target?.Number ?? 0) % LinesBetweenQuestions == 0)
                cancellation.ThrowIfCancellationRequested();
            ulong pair = 0;
            if (moreSource && moreTarget)
                pair = Look(source, target!, seen, findings, options);
            for (int i = 0; i < earlier.Count; i++)
            {
                if (pair != 0)
                    leaked[i].AddLeaked(CorpusFault.LeakedPair, earlier[i].Pairs, pair, source.Number);
                if (moreSource)
                    leaked[i].AddLeaked(target is null ? CorpusFault.LeakedLine : CorpusFault.LeakedSource, earlier[i].Sources, source.Value, source.Number);
                if (moreTarget)
                    leaked[i].AddLeaked(CorpusFault.LeakedTarget, earlier[i].Targets, target!.Value, target.Number);
            }

            moreSource = moreSource && source.Next();
            moreTarget = moreTarget && target!.Next();
        }

        texts.Add(source.Report());
        if (target is not null)
        {
            texts.Add(target.Report());
            long shorter = Math.Min(source.Number, target.Number), longer = Math.Max(source.Number, target.Number);
            if (longer > shorter)
                findings.Add(CorpusFault.NoPartner, longer - shorter, new CorpusPlace(shorter + 1));
            pairs.Add(new PairReport(part.Name, part.Source, part.Target!, shorter, findings.ToArray()));
        }

        for (int i = 0; i < earlier.Count; i++)
            leaks.Add(new LeakReport(part.Name, earlier[i].Part.Name, leaked[i].ToArray()));
        return new Lines(part, source.Seen, target?.Seen ?? new Dictionary<ulong, int>(), seen);
    }

    // Gives what stands for the pair; 0 where a side is empty.
    private static ulong Look(TextCheck source, TextCheck target, Dictionary<ulong, int> seen, FindingList findings, CorpusCheckOptions options)
    {
        var place = new CorpusPlace(source.Number);
        if (source.Value == 0 || target.Value == 0)
        {
            if (source.Value != target.Value)
                findings.Add(CorpusFault.OneSideEmpty, place);
            return 0;
        }

        if (Math.Max(source.Words, target.Words) > options.Ratio * Math.Min(source.Words, target.Words))
            findings.Add(CorpusFault.WordRatio, place);
        if (Math.Max(source.Characters, target.Characters) > options.Ratio * Math.Min(source.Characters, target.Characters))
            findings.Add(CorpusFault.CharacterRatio, place);
        if (source.Value == target.Value)
            findings.Add(CorpusFault.SameSides, place);
        ulong pair = TextCheck.ValueOf(MemoryMarshal.AsBytes((ReadOnlySpan<ulong>)[source.Value, target.Value]));
        findings.AddRepeated(CorpusFault.RepeatedPair, seen, pair, source.Number);
        return pair;
    }

    /// <summary>What later splits are compared with.</summary>
    private sealed record Lines(CorpusToCheck Part, IReadOnlyDictionary<ulong, int> Sources, IReadOnlyDictionary<ulong, int> Targets, IReadOnlyDictionary<ulong, int> Pairs);
}
