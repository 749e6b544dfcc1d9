using System.Globalization;

namespace CudaSeq.Models;

/// <summary>Whether a claim holds of what was measured.</summary>
/// <param name="Holds">Null while rows that it is about were not run with every seed that they share.</param>
/// <param name="Figures">What was compared, in words; with the seeds where one of the rows has more.</param>
internal sealed record PaperVerdict(bool? Holds, string Figures)
{
    /// <summary>Judges a claim.</summary>
    public static PaperVerdict Of(PaperClaim claim, PaperLog log)
    {
        var seeds = log.Plan.SeedsOf(claim);
        string[] missing = [.. claim.Rows.Concat(claim.Figures.Select(f => log.Plan.RowOf(f).Name)).Distinct()
            .Select(r => Missing(r, seeds, [.. log.Of(r).Select(o => o.Seed)])).OfType<string>()];
        if (missing.Length > 0)
            return new PaperVerdict(null, $"not run: {string.Join(", ", missing)}");
        var verdict = claim.Figures.Any() ? Compared(claim, log, seeds)
            : claim.AtLeast.Count > 0 ? Ordered(claim, log, seeds)
            : claim.Faster.Count > 0 ? Faster(claim, log, seeds)
            : claim.Diverge.Count > 0 ? Diverged(claim, log, seeds)
            : Shallow(claim, log, seeds);
        bool areAll = claim.Rows.Select(log.Plan.Row).Concat(claim.Figures.Select(log.Plan.RowOf)).All(r => log.Plan.SeedsOf(r).Count == seeds.Count);
        return areAll || verdict.Holds is null ? verdict : verdict with { Figures = $"{verdict.Figures}, seeds {string.Join(", ", seeds)}" };
    }

    /// <summary>The mean score of a row over some seeds, negative infinity where one failed.</summary>
    internal static double Mean(PaperLog log, string row, IReadOnlyList<ulong> seeds) => Results(log, row, seeds).Average(r => r.Score ?? double.NegativeInfinity);

    // What there is of some seeds alone is said with the others; null where nothing is missing.
    private static string? Missing(string what, IReadOnlyList<ulong> seeds, IReadOnlyList<ulong> there)
    {
        ulong[] absent = [.. seeds.Except(there)];
        return absent.Length == 0 ? null : there.Count == 0 ? what : $"{what} with seed {string.Join(", ", absent)}";
    }

    private static IEnumerable<PaperResult> Results(PaperLog log, string row, IReadOnlyList<ulong> seeds) => log.Of(row).Where(r => seeds.Contains(r.Seed));

    /// <summary>A figure with each of some seeds for which it was looked for; NaN where it is not defined.</summary>
    internal static IReadOnlyList<double> Numbers(PaperLog log, string figure, IReadOnlyList<ulong> seeds)
    {
        var row = log.Plan.RowOf(figure);
        var wanted = row.Figures.First(f => f.Name == figure);
        return [.. Results(log, row.Name, seeds).SelectMany(r => r.Figures ?? []).Where(n => n.Is(wanted)).Select(n => n.Value ?? double.NaN)];
    }

    // What is not defined is larger than nothing and nothing is larger.
    private static PaperVerdict Compared(PaperClaim claim, PaperLog log, IReadOnlyList<ulong> seeds)
    {
        string[] names = [.. claim.Figures];
        string[] missing = [.. names.Where(n => Numbers(log, n, seeds).Count < seeds.Count)];
        if (missing.Length > 0)
            return new PaperVerdict(null, $"not looked for: {string.Join(", ", missing)}");
        double[] means = [.. names.Select(n => Numbers(log, n, seeds).Average())];
        bool holds = claim.Ascending.Count > 0 ? means.Zip(means.Skip(1), (a, b) => a < b).All(h => h)
            : claim.Highest.Count > 0 ? means.Skip(1).All(m => means[0] > m)
            : means.All(m => m > claim.Bound);
        string bound = claim.Above.Count > 0 ? string.Create(CultureInfo.InvariantCulture, $", above {claim.Bound:0.####}") : "";
        return new PaperVerdict(holds, string.Join("; ", names.Zip(means, (name, mean) => $"{name} {(double.IsNaN(mean) ? "not defined" : mean.ToString("G4", CultureInfo.InvariantCulture))}")) + bound);
    }

    private static PaperVerdict Ordered(PaperClaim claim, PaperLog log, IReadOnlyList<ulong> seeds)
    {
        double[] means = [.. claim.AtLeast.Select(r => Mean(log, r, seeds))];
        bool holds = means.Zip(means.Skip(1), (a, b) => a + claim.Margin >= b && a > double.NegativeInfinity).All(h => h);
        string margin = claim.Margin > 0 ? string.Create(CultureInfo.InvariantCulture, $", each within {claim.Margin:0.##} counts as level") : "";
        return new PaperVerdict(holds, string.Join(", ", claim.AtLeast.Zip(means, (row, mean) => $"{row} {Shown(mean)}")) + margin);
    }

    private static PaperVerdict Faster(PaperClaim claim, PaperLog log, IReadOnlyList<ulong> seeds)
    {
        PaperSpeed[] speeds = [.. log.Speeds.Where(s => s.First == claim.Faster[0] && s.Second == claim.Faster[1] && seeds.Contains(s.Seed)).OrderBy(s => s.Seed)];
        if (claim.Faster.SelectMany(r => Results(log, r, seeds)).FirstOrDefault(r => r.Failure is not null) is { } failed)
            return new PaperVerdict(false, $"not compared: {failed.Row} failed");
        if (Missing($"{claim.Faster[0]} and {claim.Faster[1]}", seeds, [.. speeds.Select(s => s.Seed)]) is { } missing)
            return new PaperVerdict(null, $"not compared: {missing}");
        double least = speeds.Min(s => s.Ratio);
        return new PaperVerdict(
            least > 1,
            $"{claim.Faster[0]} decodes {string.Join(" and ", speeds.Select(s => s.Ratio.ToString("f2", CultureInfo.InvariantCulture)))} times as fast as {claim.Faster[1]}, in turns, median of {speeds[0].FirstSeconds.Count} rounds");
    }

    private static PaperVerdict Diverged(PaperClaim claim, PaperLog log, IReadOnlyList<ulong> seeds)
    {
        double best = log.Plan.Rows.SelectMany(r => Results(log, r.Name, seeds)).Max(r => r.Bleu ?? 0);
        bool holds = claim.Diverge.All(row => Results(log, row, seeds).All(r => r.Failure is not null || r.Bleu < best / 2));
        return new PaperVerdict(holds, string.Join(", ", claim.Diverge.Select(row => $"{row} {string.Join(" and ", Results(log, row, seeds).Select(r => r.Failure ?? Shown(r.Score ?? double.NaN)))}")));
    }

    private static PaperVerdict Shallow(PaperClaim claim, PaperLog log, IReadOnlyList<ulong> seeds)
    {
        var rows = claim.Shallow.Select(row => (row, Depth: Results(log, row, seeds).Average(r => r.Depth ?? double.PositiveInfinity))).ToArray();
        return new PaperVerdict(
            rows.All(r => r.Depth <= claim.MostDepth),
            string.Join(", ", rows.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.row} {r.Depth:f2} layers"))) + string.Create(CultureInfo.InvariantCulture, $", at most {claim.MostDepth:0.##}"));
    }

    private static string Shown(double score) => double.IsNegativeInfinity(score) ? "failed" : ReadableNumber.Of(Math.Abs(score), "f2");
}
