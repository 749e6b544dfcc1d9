using System.Globalization;

namespace CudaSeq.Models;

/// <summary>What the answer of each exit of a depth-adaptive decoder is worth, and what it is worth to stop at a limit of layers.</summary>
internal sealed class AnytimeAnalysis : Analysis
{
    private static readonly AnalysisOption Limits = AnalysisOption.Text("--exit-limits", "N,N,...", "Also let the positions of an output take at most N layers together, then one each (default: no limits).");
    private static readonly AnalysisOption Confidence = AnalysisOption.Number("--exit-confidence", "P", "With these limits, leave after the first layer that gives a token a probability above P too (default: after the last).", 0, 1);
    private static readonly AnalysisOption Beam = AnalysisOption.Whole("--beam", "N", "Hypotheses kept at each step (default: the recipe's).", 1, 1000);

    public override string Name => "anytime";

    public override string Summary => "BLEU of a depth-adaptive decoder that is left after each of its layers, or within limits of them.";

    public override string Origin => "G. Huang, D. Chen, T. Li, F. Wu, L. van der Maaten and K. Weinberger, \"Multi-scale dense networks for resource efficient image classification\", ICLR 2018 (anytime prediction); "
        + "M. Elbayad, J. Gu, E. Grave and M. Auli, \"Depth-adaptive transformer\", ICLR 2020, tables 1 and 2.";

    public override string Reading
        => "The text is read once and translated at every depth of the decoder: whoever stops after n layers has this BLEU. With --exit-limits an output has so many layers for all its positions: they are spent as they come, and what is left of "
        + "it is predicted by the first layer, so that it is worth most where few positions are left. Layers are the mean of all positions of all hypotheses, ends included. Limits count layers and not time: the same command gives the same bits.";

    public override AnalysisReads Reads => AnalysisReads.Pairs;

    public override IReadOnlyList<AnalysisOption> Options => [Limits, Confidence, Beam];

    public override (string Arguments, string What) Example => ("--model runs/adaptive --input test.en --reference test.de --exit-limits 20,40,80 --out analyses", "Every depth, and three limits.");

    public override string? Obstacle(ModelConfig config) => new ExitsAnalysis().Obstacle(config);

    internal override AnalysisFinding Run(AnalysisWork work)
    {
        var run = work.Run;
        int depth = run.Config.DecoderDepth;
        int[] limits = Numbers(work.Settings.Text(Limits));
        var confident = work.Settings.Number(Confidence) is { } p ? ExitRule.Confidence((float)p) : null;
        if (confident is not null && limits.Length == 0)
            throw new ArgumentException("analyze anytime: --exit-confidence is about --exit-limits, which must be given with it.");
        ExitRule[] rules = [.. Enumerable.Range(1, depth).Select(ExitRule.AtDepth), .. limits.Select(l => ExitRule.Within(l, confident))];
        var options = run.Translator.Decoding with { Beam = (int)(work.Settings.Whole(Beam) ?? run.Translator.Decoding.Beam) };
        var scores = ExitScores.Of(work, rules, i => i < depth ? FormattableString.Invariant($"exit {i + 1}") : FormattableString.Invariant($"limit {limits[i - depth]}"), options);
        Row[] rows = [.. scores.Rows.Select((s, i) => new Row(i < depth ? i + 1 : null, i < depth ? null : limits[i - depth], s.Bleu, s.Words, s.Layers))];
        return Found(scores.Signature, rows, depth, scores.Lines);
    }

    private static AnalysisFinding Found(string signature, Row[] rows, int depth, long lines)
    {
        double last = rows[depth - 1].Bleu;
        int enough = Enumerable.Range(1, depth).First(n => rows[n - 1].Bleu >= 0.99 * last);
        var section = new AnalysisSection("Every exit", FormattableString.Invariant($"{lines:N0} lines, {signature}."),
        [
            new Bars("BLEU of each exit", [.. rows.Take(depth).Select(r => r.Name)], [.. rows.Take(depth).Select(r => r.Bleu)], "0.00"),
            new Table("", ["leaves", "BLEU", "mean layers", "words"], [.. rows.Select(r => (string[])[r.Name, Figure.Shown(r.Bleu, "0.00"), Figure.Shown(r.Layers, "0.00"), Figure.Shown(r.Words, "0")])]),
        ]);
        return new AnalysisFinding(
            FormattableString.Invariant($"All {depth} layers have BLEU {last:0.00}; 99 % of it is there after layer {enough}: {rows[enough - 1].Bleu:0.00}."),
            [section],
            json =>
            {
                json.WriteString("signature", signature);
                json.WriteNumber("lines", lines);
                foreach (var (name, part) in new[] { ("exits", rows[..depth]), ("limits", rows[depth..]) })
                {
                    json.WriteStartArray(name);
                    foreach (var row in part)
                    {
                        json.WriteStartObject();
                        json.WriteNumber(row.Limit is null ? "depth" : "limit", row.Limit ?? row.Depth!.Value);
                        json.Number("bleu", row.Bleu);
                        json.Number("words", row.Words);
                        json.Number("mean_layers", row.Layers);
                        json.WriteEndObject();
                    }

                    json.WriteEndArray();
                }
            });
    }

    private static int[] Numbers(string? text)
    {
        if (text is null)
            return [];
        var numbers = new List<int>();
        foreach (string part in text.Split(','))
        {
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int number) || number < 1)
                throw new ArgumentException($"analyze anytime: --exit-limits must be layers from 1 with commas between, got {text}.");
            numbers.Add(number);
        }

        return [.. numbers];
    }

    private sealed record Row(int? Depth, int? Limit, double Bleu, double Words, double Layers)
    {
        public string Name => Limit is null ? FormattableString.Invariant($"after {Depth}") : FormattableString.Invariant($"at most {Limit} in all");
    }
}
