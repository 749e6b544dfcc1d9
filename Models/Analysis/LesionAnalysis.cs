namespace CudaSeq.Models;

/// <summary>What each layer of the encoder is worth to a decoder with layer attention: how translations change when its weight is zero.</summary>
internal sealed class LesionAnalysis : Analysis
{
    // Translated together; more of them are no faster.
    private const int BlockLines = 512;

    private static readonly AnalysisOption Renormalize = AnalysisOption.Flag("--renormalize", "Let the weights that are left sum to 1 again (default: they stay as they are).");
    private static readonly AnalysisOption Beam = AnalysisOption.Whole("--beam", "N", "Hypotheses kept at each step (default: the recipe's).", 1, 1000);

    public override string Name => "lesion";

    public override string Summary => "What each layer of the encoder is worth: BLEU and length of the output when the decoder does not see it.";

    public override string Origin
        => "X. Liu, L. Wang, D. F. Wong, L. Ding, L. S. Chao and Z. Tu, \"Understanding and improving encoder layer fusion in sequence-to-sequence learning\", ICLR 2021, figure 2.";

    public override string Reading
        => "The layer attention's weight of one layer of the encoder is set to zero for all of the decoder; the layer still feeds the next one of the encoder. Changes are relative to the whole model. "
        + "The layer norm behind the mean takes away most of what renormalizing changes, all of it where a layer has one weight (coarse). The paper's figure does not say whether it renormalizes.";

    public override AnalysisReads Reads => AnalysisReads.Pairs;

    public override IReadOnlyList<AnalysisOption> Options => [Renormalize, Beam];

    public override (string Arguments, string What) Example => ("--model runs/fine-fusion --input test.en --reference test.de --out analyses", "On a test set.");

    public override string? Obstacle(ModelConfig config) => new LayerAttentionAnalysis().Obstacle(config);

    public override bool TakesBatches => false;

    internal override AnalysisFinding Run(AnalysisWork work)
    {
        var run = work.Run;
        var attention = run.Layers.Decoder.LayerAttention!;
        int layers = run.Config.EncoderDepth + 1;
        var options = run.Translator.Decoding with { NBest = 1, Beam = (int)(work.Settings.Whole(Beam) ?? run.Translator.Decoding.Beam) };
        var bleu = File.Exists(run.Directory.Recipe) ? RecipeOptions.Bleu(Recipe.Load(run.Directory.Recipe)) : new BleuOptions();

        // Of the whole model, then without each layer.
        var sums = new double[layers + 1][];
        CorpusStatistics? statistics = null;
        long lines = 0;
        try
        {
            attention.Renormalizes = work.Settings.Has(Renormalize);
            foreach (var block in work.Text.Pairs(run).Chunk(BlockLines))
            {
                for (int i = 0; i <= layers; i++)
                {
                    work.Report(i == 0 ? "lines, whole model" : $"lines, without {LayerAttentionAnalysis.Names(layers)[i - 1]}", lines);
                    attention.Lesion = i == 0 ? null : i - 1;
                    string[] translations = [.. run.Translator.Translate([.. block.Select(p => p.Source)], options, work.Cancellation).Select(t => t[0].Text)];
                    statistics = Bleu.Statistics(translations, [[.. block.Select(p => p.Target)]], bleu, work.Cancellation);
                    double[] sum = statistics.Sum();
                    sums[i] = sums[i] is null ? sum : [.. sums[i].Zip(sum, (a, b) => a + b)];
                }

                lines += block.Length;
            }
        }
        finally
        {
            (attention.Lesion, attention.Renormalizes) = (null, false);
        }

        work.Text.Report = new LoadReport(work.Text.Input ?? run.Folder, lines, lines, 0, 0, work.Text.MaxLength, 0, 0, 0, 0);
        if (statistics is null)
            throw new InvalidDataException("analyze: there must be at least one pair, got none.");
        double[] scores = Array.ConvertAll(sums, s => statistics.ScoreOf(s)), words = Array.ConvertAll(sums, s => s[0]);
        return Found(statistics.Signature, LayerAttentionAnalysis.Names(layers), scores, words, lines);
    }

    private static AnalysisFinding Found(string signature, string[] names, double[] scores, double[] words, long lines)
    {
        double[] changes = [.. scores.Skip(1).Select(s => 100 * ((s / scores[0]) - 1))], lengths = [.. words.Skip(1).Select(w => 100 * ((w / words[0]) - 1))];
        int worst = scores[0] == 0 ? -1 : Array.IndexOf(changes, changes.Min());
        string[] rows = [.. names.Reverse()];
        var section = new AnalysisSection("Without one layer", FormattableString.Invariant($"The whole model: BLEU {scores[0]:0.00} ({signature}), {words[0]:N0} words in {lines:N0} lines."),
        [
            new Bars("BLEU, change in percent", rows, [.. changes.Reverse()], "0.0"),
            new Bars("words of the output, change in percent", rows, [.. lengths.Reverse()], "0.0"),
            new Table("", ["without", "BLEU", "change %", "words", "change %"], [.. names.Select((n, i) => (string[])[n, Figure.Shown(scores[i + 1], "0.00"), Figure.Shown(changes[i], "0.00"), Figure.Shown(words[i + 1], "0"), Figure.Shown(lengths[i], "0.00")])]),
        ]);
        string headline = worst < 0
            ? "BLEU of the whole model is 0: nothing can be said of what its layers are worth."
            : FormattableString.Invariant($"BLEU suffers most without {names[worst]}: {changes[worst]:+0.0;-0.0;0.0} %, and outputs change by {lengths[worst]:+0.0;-0.0;0.0} % in length.");
        return new AnalysisFinding(headline, [section], json =>
        {
            json.WriteString("signature", signature);
            json.WriteNumber("lines", lines);
            json.Number("bleu", scores[0]);
            json.Number("words", words[0]);
            json.WriteStartArray("lesions");
            for (int n = 0; n < names.Length; n++)
            {
                json.WriteStartObject();
                json.WriteString("encoder_layer", names[n]);
                json.Number("bleu", scores[n + 1]);
                json.Number("bleu_change", changes[n] / 100);
                json.Number("words", words[n + 1]);
                json.Number("words_change", lengths[n] / 100);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        });
    }
}
