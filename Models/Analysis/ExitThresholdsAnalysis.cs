using System.Globalization;
using System.Text.Json;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>Thresholds of exits, one for each layer, drawn at random and kept where no others of their cost translate a text better.</summary>
internal sealed class ExitThresholdsAnalysis : Analysis
{
    // Drawn in whole ones of these: an option types them exactly.
    private const int Steps = 10_000;

    private const long UsualDraws = 100;
    private const double UsualBucket = 0.25;

    private static readonly AnalysisOption Draws = AnalysisOption.Whole("--draws", "N", "Thresholds to try, the text being translated with each (default: 100; the paper: 10,000).", 1, 100_000);
    private static readonly AnalysisOption Seed = AnalysisOption.Whole("--seed", "N", "Draws the thresholds (default: 1).", 0, long.MaxValue);
    private static readonly AnalysisOption Bucket = AnalysisOption.Number("--bucket", "L", "Keep the best BLEU of every L layers of mean depth (default: 0.25).", 0.001, 1000);
    private static readonly AnalysisOption Predicted = AnalysisOption.Flag("--exit-predicted", "Thresholds of a geometric predictor's probability of leaving (default: of the likeliest token's probability).");
    private static readonly AnalysisOption Beam = AnalysisOption.Whole("--beam", "N", "Hypotheses kept at each step (default: the recipe's).", 1, 1000);

    public override string Name => "exit-thresholds";

    public override string Summary => "Random thresholds of a depth-adaptive decoder: those with the best BLEU at their depth.";

    public override string Origin => "M. Elbayad, J. Gu, E. Grave and M. Auli, \"Depth-adaptive transformer\", ICLR 2020 (confidence thresholding: 10,000 draws).";

    public override string Reading
        => "A position leaves after the first layer n that is surer than threshold n. Thresholds are drawn from 0 to 1, each by itself, and the text is translated with each draw; of all draws with about the same mean depth the one with the best BLEU is kept. "
        + "It is the best of many on this text: choose on a validation text, and score another one with an option of the table. Layers are the mean of all positions of all hypotheses, ends included.";

    public override AnalysisReads Reads => AnalysisReads.Pairs;

    public override IReadOnlyList<AnalysisOption> Options => [Draws, Seed, Bucket, Predicted, Beam];

    public override (string Arguments, string What) Example => ("--model runs/adaptive --input valid.en --reference valid.de --draws 500 --out analyses", "Chooses thresholds on a validation text.");

    public override string? Obstacle(ModelConfig config) => new ExitsAnalysis().Obstacle(config)
        ?? (config.DecoderDepth < 2 ? "has one layer in its decoder: there is none to leave before the last." : null);

    internal override AnalysisFinding Run(AnalysisWork work)
    {
        var run = work.Run;
        bool predicted = work.Settings.Has(Predicted);
        if (predicted && run.Config.ExitPredictor != ExitPredictor.Geometric)
            throw new ArgumentException("analyze exit-thresholds: --exit-predicted is of a geometric exit_predictor alone.");
        int depth = run.Config.DecoderDepth;
        float[][] thresholds = Drawn(work.Settings.Whole(Draws) ?? UsualDraws, depth - 1, new RandomSource((ulong)(work.Settings.Whole(Seed) ?? 1)));
        ExitRule[] rules = [.. thresholds.Select(t => predicted ? ExitRule.Predicted(t) : ExitRule.Confidence(t)), ExitRule.AtDepth(depth)];
        var options = run.Translator.Decoding with { Beam = (int)(work.Settings.Whole(Beam) ?? run.Translator.Decoding.Beam) };
        var scores = ExitScores.Of(work, rules, i => i < thresholds.Length ? FormattableString.Invariant($"draw {i + 1} of {thresholds.Length}") : "all layers", options);
        Draw[] draws = [.. thresholds.Select((t, i) => new Draw(t, scores.Rows[i].Bleu, scores.Rows[i].Words, scores.Rows[i].Layers))];
        var best = BestOf(draws, work.Settings.Number(Bucket) ?? UsualBucket);
        return Found(scores, draws, best, depth, predicted ? "--exit-predicted --exit-threshold " : "--exit-confidence ");
    }

    /// <summary>The best BLEU of every so many layers of mean depth, from the first layer on; of equal ones that of fewer layers.</summary>
    internal static Draw[] BestOf(IEnumerable<Draw> draws, double bucket)
        => [.. draws.GroupBy(d => (long)Math.Floor((d.Layers - 1) / bucket)).Select(g => g.OrderByDescending(d => d.Bleu).ThenBy(d => d.Layers).First()).OrderBy(d => d.Layers)];

    private static float[][] Drawn(long draws, int layers, RandomSource random)
        => [.. Enumerable.Range(0, (int)draws).Select(_ => Enumerable.Range(0, layers).Select(_ => random.Below(Steps + 1) / (float)Steps).ToArray())];

    private static AnalysisFinding Found(ExitScores scores, Draw[] draws, Draw[] best, int depth, string option)
    {
        var (whole, words, _) = scores.Rows[^1];

        // The fewest layers that lose nothing; where all lose, the best there is.
        var chosen = best.FirstOrDefault(d => d.Bleu >= whole) ?? best.MaxBy(d => d.Bleu)!;
        var section = new AnalysisSection("The best of each depth", FormattableString.Invariant($"{scores.Lines:N0} lines, {draws.Length:N0} draws, {scores.Signature}."),
        [
            new Curves("BLEU", "mean layers", [new Series("best draws", [.. best.Select(d => (d.Layers, d.Bleu))]), new Series("all layers", [(best[0].Layers, whole), (depth, whole)])]),
            new Table(
                "",
                ["option", "BLEU", "mean layers", "words"],
                [.. best.Select(d => (string[])[option + d.Typed, Figure.Shown(d.Bleu, "0.00"), Figure.Shown(d.Layers, "0.00"), Figure.Shown(d.Words, "0")]), ["all layers", Figure.Shown(whole, "0.00"), Figure.Shown(depth, "0.00"), Figure.Shown(words, "0")]]),
        ]);
        return new AnalysisFinding(
            FormattableString.Invariant($"All {depth} layers have BLEU {whole:0.00}; {option}{chosen.Typed} has {chosen.Bleu:0.00} at {chosen.Layers:0.00} layers in the mean."),
            [section],
            json =>
            {
                json.WriteString("signature", scores.Signature);
                json.WriteNumber("lines", scores.Lines);
                json.WriteStartObject("all_layers");
                json.Number("bleu", whole);
                json.Number("words", words);
                json.Number("mean_layers", depth);
                json.WriteEndObject();
                Write(json, "best", best);
                Write(json, "draws", draws);
            });
    }

    private static void Write(Utf8JsonWriter json, string name, IEnumerable<Draw> draws)
    {
        json.WriteStartArray(name);
        foreach (var draw in draws)
        {
            json.WriteStartObject();
            json.WriteString("thresholds", draw.Typed);
            json.Number("bleu", draw.Bleu);
            json.Number("words", draw.Words);
            json.Number("mean_layers", draw.Layers);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>Thresholds, and what they are worth.</summary>
    /// <param name="Thresholds">Of each layer before the last.</param>
    /// <param name="Bleu">Of the translations.</param>
    /// <param name="Words">Of the translations.</param>
    /// <param name="Layers">Mean depth of a position.</param>
    internal sealed record Draw(float[] Thresholds, double Bleu, double Words, double Layers)
    {
        /// <summary>As an option takes them.</summary>
        public string Typed => string.Join(',', Thresholds.Select(t => t.ToString("0.####", CultureInfo.InvariantCulture)));
    }
}
