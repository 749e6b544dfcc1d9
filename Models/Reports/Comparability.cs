using System.Globalization;

namespace CudaSeq.Models;

/// <summary>Whether the scores of several runs may be laid side by side.</summary>
public static class Comparability
{
    /// <summary>
    /// The first run whose test scores are of something else than those of the first that has any: other references, other tokens, or another way to count BLEU. One
    /// sentence; null where all are of the same, or fewer than two runs were tested.
    /// </summary>
    /// <param name="runs">Each with its translations of the test pairs where it has them.</param>
    public static string? Objection(IReadOnlyList<(RunLog Log, IReadOnlyList<TestTranslation>? Translations)> runs)
    {
        var tested = runs.Where(r => r.Log.Test is not null).ToArray();
        foreach (var run in tested.Skip(1))
        {
            if (Difference(tested[0], run) is { } difference)
                return $"The scores of {tested[0].Log.Name} and {run.Log.Name} cannot be compared: {difference}.";
        }

        return null;
    }

    private static string? Difference((RunLog Log, IReadOnlyList<TestTranslation>? Translations) a, (RunLog Log, IReadOnlyList<TestTranslation>? Translations) b)
    {
        if (a.Translations is { } left && b.Translations is { } right && !left.Select(t => t.Reference).SequenceEqual(right.Select(t => t.Reference)))
            return string.Create(CultureInfo.InvariantCulture, $"the references are others ({Source(a.Log)} with {left.Count:N0} and {Source(b.Log)} with {right.Count:N0} lines)");
        if (Fact(a.Log, "signature") != Fact(b.Log, "signature"))
            return $"BLEU is counted as {Fact(a.Log, "signature")} and as {Fact(b.Log, "signature")}";
        if (a.Log.IsOfText && (Source(a.Log) != Source(b.Log) || Fact(a.Log, "tokens") != Fact(b.Log, "tokens")))
            return $"a perplexity is that of a token, and the one has {Fact(a.Log, "tokens")} tokens of {Source(a.Log)}, the other {Fact(b.Log, "tokens")} of {Source(b.Log)}";
        return null;
    }

    private static string Source(RunLog log) => Fact(log, "source");

    private static string Fact(RunLog log, string key) => log.Test?[key]?.ToString() ?? "nothing";
}
