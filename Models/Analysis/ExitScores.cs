namespace CudaSeq.Models;

/// <summary>What a text's translations are worth where a decoder is left in several ways.</summary>
/// <param name="Signature">Of BLEU.</param>
/// <param name="Lines">Pairs of the text.</param>
/// <param name="Rows">For each way BLEU, the words of its translations, and the mean layers of all positions of all hypotheses, ends included.</param>
internal sealed record ExitScores(string Signature, long Lines, IReadOnlyList<(double Bleu, double Words, double Layers)> Rows)
{
    // Translated together; more of them are no faster.
    private const int BlockLines = 512;

    /// <summary>Reads a text once, and translates each block of its lines in every way: what is kept is sums.</summary>
    /// <param name="work">Model and text.</param>
    /// <param name="rules">When positions leave.</param>
    /// <param name="names">What progress calls them.</param>
    /// <param name="options">How to search; exits do not count.</param>
    public static ExitScores Of(AnalysisWork work, IReadOnlyList<ExitRule> rules, Func<int, string> names, DecodingOptions options)
    {
        var run = work.Run;
        var bleu = File.Exists(run.Directory.Recipe) ? RecipeOptions.Bleu(Recipe.Load(run.Directory.Recipe)) : new BleuOptions();
        var (sums, counts) = (new double[rules.Count][], new long[rules.Count][]);
        CorpusStatistics? statistics = null;
        long lines = 0;
        foreach (var block in work.Text.PairBlocks(run, BlockLines))
        {
            string[] sources = [.. block.Select(b => b.Source)], references = [.. block.Select(b => b.Target)];
            for (int i = 0; i < rules.Count; i++)
            {
                work.Report($"lines, {names(i)}", lines);
                string[] translations = [.. run.Translator.Translate(sources, options with { NBest = 1, Exit = rules[i] }, work.Cancellation).Select(t => t[0].Text)];
                statistics = Bleu.Statistics(translations, [references], bleu, work.Cancellation);
                sums[i] = Plus(sums[i], statistics.Sum());
                counts[i] = Plus(counts[i], run.Translator.ExitCounts);
            }

            lines += block.Count;
        }

        return new ExitScores(statistics!.Signature, lines, [.. sums.Select((s, i) => (statistics.ScoreOf(s), s[0], Mean(counts[i])))]);
    }

    private static T[] Plus<T>(T[]? sum, IReadOnlyList<T> more)
        where T : System.Numerics.INumber<T>
        => sum is null ? [.. more] : [.. sum.Zip(more, (a, b) => a + b)];

    // Nothing but empty lines has no positions.
    private static double Mean(long[] counts) => counts.Select((c, n) => (n + 1.0) * c).Sum() / Math.Max(1, counts.Sum());
}
