using System.Globalization;

namespace CudaSeq.Models;

/// <summary>Whether the scores of several runs may be laid side by side.</summary>
public static class Comparability
{
    /// <summary>
    /// The first two runs whose test scores are of different things: other references, other tokens, or another way to count BLEU. One sentence; null where all are of
    /// the same, or fewer than two runs were tested.
    /// </summary>
    /// <param name="runs">Each with its translations of the test pairs where it has them.</param>
    public static string? Objection(IReadOnlyList<(RunLog Log, IReadOnlyList<TestTranslation>? Translations)> runs)
    {
        var tested = runs.Where(r => r.Log.Test is not null).ToArray();
        return (from i in Enumerable.Range(0, tested.Length)
                from j in Enumerable.Range(i + 1, tested.Length - i - 1)
                let difference = Difference(tested[i], tested[j])
                where difference is not null
                select $"The scores of {tested[i].Log.Name} and {tested[j].Log.Name} cannot be compared: {difference}.").FirstOrDefault();
    }

    /// <summary>Whose perplexities and losses, on validation too, mean something else than those of the others. One sentence; null where all mean the same.</summary>
    /// <param name="logs">The runs.</param>
    public static string? Caution(IReadOnlyList<RunLog> logs)
        => logs.Any(l => l.IsNormalized) && logs.Any(l => !l.IsNormalized)
            ? $"Perplexities and losses of {string.Join(", ", logs.Where(l => !l.IsNormalized).Select(l => l.Name))} cannot be compared with the others': the probabilities of hard surface fusion sum to less than 1."
            : null;

    private static string? Difference((RunLog Log, IReadOnlyList<TestTranslation>? Translations) a, (RunLog Log, IReadOnlyList<TestTranslation>? Translations) b)
    {
        if (a.Translations is { } left && b.Translations is { } right && !left.Select(t => t.Reference).SequenceEqual(right.Select(t => t.Reference)))
            return string.Create(CultureInfo.InvariantCulture, $"the references are others ({Source(a.Log)} with {left.Count:N0} and {Source(b.Log)} with {right.Count:N0} lines)");
        if ((a.Translations is null || b.Translations is null) && Source(a.Log) != Source(b.Log))
            return $"one is of {Source(a.Log)}, the other of {Source(b.Log)}";
        if (Fact(a.Log, "signature") != Fact(b.Log, "signature"))
            return $"BLEU is counted as {Fact(a.Log, "signature")} and as {Fact(b.Log, "signature")}";
        return a.Log.IsOfText && Tokens(a.Log) != Tokens(b.Log) ? $"a perplexity is that of a token, and one is of {Tokens(a.Log)}, the other of {Tokens(b.Log)}" : null;
    }

    // An unknown token costs less than writing what it stands for would.
    private static string Tokens(RunLog log) => $"{Fact(log, "tokens")} tokens, {(log.Test?["unknown"] is null ? "0" : Fact(log, "unknown"))} of them unknown";

    private static string Source(RunLog log) => Fact(log, "source");

    private static string Fact(RunLog log, string key) => log.Test?[key]?.ToString() ?? "nothing";
}
