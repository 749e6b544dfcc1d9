namespace CudaSeq.Models;

/// <summary>
/// TER, the translation edit rate (Snover, Dorr, Schwartz, Micciulla and Makhoul, "A study of translation edit rate with targeted human annotation", AMTA 2006), equal
/// to sacreBLEU's, which follows the program Tercom.
/// </summary>
public static class Ter
{
    /// <summary>Scores translations against one reference each.</summary>
    /// <param name="hypotheses">The translations, detokenised.</param>
    /// <param name="references">Line n is the reference of hypothesis n.</param>
    /// <param name="options">The variant; null is sacreBLEU's default.</param>
    /// <exception cref="ArgumentException">There are no lines, or not as many references as hypotheses.</exception>
    public static TerScore Corpus(IReadOnlyList<string> hypotheses, IReadOnlyList<string> references, TerOptions? options = null)
        => Corpus(hypotheses, [references], options);

    /// <summary>
    /// Scores translations against several references each: TER = edits / words in percent. An edit inserts, deletes or substitutes a word or shifts a sequence of up to
    /// 10 words by up to 50; of several references a line counts the one that needs least edits, and the mean of their words.
    /// </summary>
    /// <param name="hypotheses">The translations, detokenised.</param>
    /// <param name="references">One list for each set of references. A null is a reference that is missing, an empty line a reference without words.</param>
    /// <param name="options">The variant; null is sacreBLEU's default.</param>
    /// <param name="cancellation">Asks to stop.</param>
    /// <exception cref="ArgumentException">There are no lines or references, not as many references as hypotheses, or a line has none.</exception>
    /// <exception cref="OperationCanceledException">It was asked to stop.</exception>
    public static TerScore Corpus(
        IReadOnlyList<string> hypotheses, IReadOnlyList<IReadOnlyList<string?>> references, TerOptions? options = null, CancellationToken cancellation = default)
    {
        var statistics = Statistics(hypotheses, references, options, cancellation);
        double[] sum = statistics.Sum();
        return new TerScore(statistics.Score, (long)sum[0], sum[1], statistics.Signature);
    }

    /// <summary>Scores one sentence, as <see cref="Corpus(IReadOnlyList{string}, IReadOnlyList{IReadOnlyList{string}}, TerOptions, CancellationToken)"/> a corpus of it alone.</summary>
    /// <param name="hypothesis">The translation, detokenised.</param>
    /// <param name="references">Its references; a null is one that is missing.</param>
    /// <param name="options">The variant; null is sacreBLEU's default.</param>
    /// <exception cref="ArgumentException">There is no reference.</exception>
    public static TerScore Sentence(string hypothesis, IReadOnlyList<string?> references, TerOptions? options = null)
        => Corpus([hypothesis], [.. references.Select(r => new[] { r })], options);

    /// <summary>What TER is computed from, line by line: edits, and words of the references.</summary>
    /// <param name="hypotheses">The translations, detokenised.</param>
    /// <param name="references">One list for each set of references.</param>
    /// <param name="options">The variant; null is sacreBLEU's default.</param>
    /// <param name="cancellation">Asks to stop.</param>
    /// <exception cref="ArgumentException">There are no lines or references, not as many references as hypotheses, or a line has none.</exception>
    /// <exception cref="OperationCanceledException">It was asked to stop.</exception>
    public static CorpusStatistics Statistics(
        IReadOnlyList<string> hypotheses, IReadOnlyList<IReadOnlyList<string?>> references, TerOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new TerOptions();
        string[][] wanted = ReferenceLines.Of("Ter", hypotheses.Count, references);
        var lines = new double[wanted.Length][];
        for (int i = 0; i < lines.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            string[] words = TercomWords.Of(hypotheses[i], options);
            string[][] others = [.. wanted[i].Select(line => TercomWords.OfReference(line, options))];
            lines[i] = [others.Min(other => TercomShifts.Edits(words, other)), (double)others.Sum(other => other.Length) / others.Length];
        }

        string signature = options.Signature(wanted.Min(l => l.Length), wanted.Max(l => l.Length));
        return new CorpusStatistics("TER", signature, lines, Score);
    }

    // Words where none are wanted are all wrong.
    private static double Score(ReadOnlySpan<double> sum) => sum[1] > 0 ? 100 * (sum[0] / sum[1]) : sum[0] > 0 ? 100 : 0;
}
