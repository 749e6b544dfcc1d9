using System.Globalization;
using System.Text;
using System.Text.Json;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>Keys and values of feed-forward blocks: <see cref="FeedForwardTriggers"/>, <see cref="FeedForwardPatterns"/>, <see cref="FeedForwardRemoval"/> and <see cref="FeedForwardValues"/>.</summary>
internal sealed class FeedForwardMemoriesAnalysis : FeedForwardAnalysis
{
    // What a page shows; the files have all.
    private const int ShownCells = 5;
    private const int ShownTriggers = 4;
    private const int ShownValues = 25;

    // What the paper's experts were given.
    private const int AnnotatedCells = 10;

    private static readonly AnalysisOption Triggers = AnalysisOption.Whole("--triggers", "N", "Prefixes kept of each cell (default: 50).", 1, 10_000);
    private static readonly AnalysisOption Patterns = AnalysisOption.Whole("--pattern-triggers", "N", "How many of them are compared with each other (default: 25).", 2, 10_000);
    private static readonly AnalysisOption Removal = AnalysisOption.Whole("--removal-cells", "N", "Random cells of each layer whose triggers lose a token (default: 100).", 1);
    private static readonly AnalysisOption Predictive = AnalysisOption.Whole("--predictive-values", "N", "How many of the surest values are listed (default: 100).", 1, 100_000);

    public override string Name => "ffn-memories";

    public override string Summary => "What the cells of the decoder's feed-forward blocks answer to, and what their values predict.";

    public override string Reading
        => "A cell is one inner channel of a feed-forward block: its key is a row of the first matrix, its value a column of the second. Its triggers are the prefixes of the text, at most one of each "
        + "line, at which it is most active; each line is read alone. Triggers that end alike make a shallow pattern, triggers that are about the same a semantic one: both are shown beside triggers "
        + "dealt to cells at random. A coefficient that falls when the last token goes depends on it. A value agrees where its likeliest token is the one that follows the cell's strongest trigger: "
        + "compare that with what chance would give. Values are not calibrated: rankings alone mean something. Text should be what the model was trained on.";

    public override IReadOnlyList<AnalysisOption> Options => [LayersOption, Triggers, Patterns, Removal, Predictive, LongestOption, SeedOption];

    public override (string Arguments, string What) Example
        => ("--model runs/wikitext-2-transformer --input train.txt --out analyses", "The memories of a language model, from its training text.");

    internal override AnalysisFinding Run(AnalysisWork work)
    {
        var usual = new FeedForwardOptions();
        var options = Usual(work) with
        {
            Triggers = (int)(work.Settings.Whole(Triggers) ?? usual.Triggers),
            PatternTriggers = (int)(work.Settings.Whole(Patterns) ?? usual.PatternTriggers),
            RemovalCells = (int)(work.Settings.Whole(Removal) ?? usual.RemovalCells),
            PredictiveValues = (int)(work.Settings.Whole(Predictive) ?? usual.PredictiveValues),
        };
        using var text = FeedForwardText.Open(work.Run, work.Text, work.Cancellation);
        var (model, samples) = (work.Run.Model, text.Samples);
        var triggers = FeedForwardTriggers.Find(model, samples, options, work.Progress, work.Cancellation);
        var counts = TokenCounts.Of(samples, work.Run.Config.TargetVocabulary, work.Cancellation);
        var found = new Findings(
            triggers,
            FeedForwardPatterns.Of(triggers, samples, counts, options, work.Progress, work.Cancellation),
            FeedForwardRemoval.Of(model, triggers, samples, options, work.Progress, work.Cancellation),
            FeedForwardValues.Of(model, triggers, samples, counts, options, work.Progress, work.Cancellation));
        var best = found.Values.Layers.Where(l => l.Cells > 0).MaxBy(l => l.Agreement) ?? found.Values.Layers[0];
        string[] asMuch = [.. found.Values.Layers.Where(l => l.Cells > 0 && l.Layer != best.Layer && l.Agreement == best.Agreement).Select(l => FormattableString.Invariant($"{l.Layer}"))];
        return new AnalysisFinding(
            FormattableString.Invariant($"Values agree most in layer {best.Layer}{(asMuch.Length > 0 ? $", and as much in {string.Join(", ", asMuch)}" : "")}: of {Percent(best.Agreement)} of its cells the likeliest token is what follows the strongest trigger, with triggers dealt at random {Percent(best.Shuffled)}."),
            [
                .. Sections(work.Run, options, found),
                new AnalysisSection("Examples of triggers", $"{ShownCells} random cells of each layer. ▸ marks the token that follows.", Examples(work.Run, samples, options, triggers), Folded: true),
            ],
            json => Write(json, work.Run, found))
        {
            Files = [("ffn-memories.triggers.jsonl", Lines(triggers, samples, work.Run)), ("ffn-memories.annotation.tsv", Annotation(work.Run, samples, options, triggers))],
        };
    }

    private static IEnumerable<AnalysisSection> Sections(AnalysisRun run, FeedForwardOptions options, Findings found)
    {
        var (triggers, patterns, removal, values) = found;
        yield return new AnalysisSection(
            "What keys answer to",
            $"{Count(triggers.Prefixes)} prefixes of {Count(triggers.Sentences)} lines, each line read alone; {Count(triggers.Blank)} blank lines have none, of {Count(triggers.Cut)} longer ones only the beginning was read. "
            + $"Of each cell the strongest {triggers.K} are kept, the strongest {options.PatternTriggers} compared.",
            [
                Compared("share of a cell's triggers that end with one token", patterns, p => p.LastToken),
                Compared("share of a cell's triggers that end with one pair of tokens", patterns, p => p.LastBigram),
                Compared("likeness of two triggers of a cell without their last tokens", patterns, p => p.Similarity),
                new Table(
                    "patterns, and the same of triggers dealt at random", ["layer", "cells", "silent", "last token", "dealt", "last two", "dealt", "likeness", "dealt"],
                    [.. patterns.Select(p => (string[])[$"{p.Layer}", $"{p.Cells}", $"{p.Silent}", Percent(p.Found.LastToken), Percent(p.Shuffled.LastToken), Percent(p.Found.LastBigram), Percent(p.Shuffled.LastBigram), Figure.Shown(p.Found.Similarity, "0.000"), Figure.Shown(p.Shuffled.Similarity, "0.000")])]),
            ]);
        yield return new AnalysisSection(
            "A token less",
            "How much the coefficient changes in the mean when a trigger loses one token.",
            [
                new Curves("change of the coefficient", "layer", [Over("first removed", removal, r => r.Layer, r => r.First), Over("last removed", removal, r => r.Layer, r => r.Last), Over("a random one", removal, r => r.Layer, r => r.Random)]),
                new Table("change of the coefficient", ["layer", "cells", "triggers", "of one token", "first", "last", "random"], [.. removal.Select(r => (string[])[$"{r.Layer}", $"{r.Cells}", Count(r.Triggers), Count(r.Skipped), Percent(r.First), Percent(r.Last), Percent(r.Random)])]),
            ]);
        var shown = values.Predictive.Take(ShownValues).ToArray();
        yield return new AnalysisSection(
            "What values predict",
            $"Tokens are read off by {values.Projection}; <s> and <pad> are left out. A token drawn from all others would agree in {Percent(values.Uniform, "0.0000")} of all cells.",
            [
                new Curves("agreement with what follows the strongest trigger", "layer",
                    [Over("values", values.Layers, l => l.Layer, l => l.Agreement), Over("triggers dealt at random", values.Layers, l => l.Layer, l => l.Shuffled), Over("the most frequent token", values.Layers, l => l.Layer, l => l.MostFrequent), Over("tokens by frequency", values.Layers, l => l.Layer, l => l.Unigram)]),
                new Curves("rank of what follows the strongest trigger", "layer",
                    [Over("third quartile", values.Layers, l => l.Layer, l => l.Ranks.Third), Over("median", values.Layers, l => l.Layer, l => l.Ranks.Median), Over("first quartile", values.Layers, l => l.Layer, l => l.Ranks.First)], Logarithmic: true),
                new Bars("agreement by the largest probability of the value", [.. values.ByProbability.Select(b => FormattableString.Invariant($"{b.From:0.0e0} – {b.To:0.0e0}"))], [.. values.ByProbability.Select(b => b.Agreement)], "0.0 %"),
                new Bars($"layers of the {values.Predictive.Count} surest values", [.. values.Layers.Select(l => $"{l.Layer}")], [.. values.Layers.Select(l => (double)values.Predictive.Count(v => v.Layer == l.Layer))], "0"),
                new Table("agreement and rank", ["layer", "cells", "agree", "dealt", "frequent", "unigram", "rank, quartiles"],
                    [.. values.Layers.Select(l => (string[])[$"{l.Layer}", $"{l.Cells}", Percent(l.Agreement, "0.00"), Percent(l.Shuffled, "0.00"), Percent(l.MostFrequent, "0.00"), Percent(l.Unigram, "0.00"), $"{Figure.Shown(l.Ranks.First, "N0")} / {Figure.Shown(l.Ranks.Median, "N0")} / {Figure.Shown(l.Ranks.Third, "N0")}"])]),
                new Table(
                    $"the surest values; of all {values.Predictive.Count}, {values.Predictive.Count(v => v.Agreeing > 0)} agree with at least one trigger",
                    ["layer / cell", "token", "probability", "agreeing triggers", "precision"],
                    [.. shown.Select(v => (string[])[$"{v.Layer} / {v.Cell}", Piece(run, v.Token), Percent(v.Probability, "0.000"), $"{v.Agreeing} of {v.Triggers}", Percent(v.Precision, "0")])]),
            ]);

        static Curves Compared(string title, IReadOnlyList<FeedForwardPatterns> patterns, Func<PatternShares, double> value)
            => new(title, "layer", [Over("cells", patterns, p => p.Layer, p => value(p.Found)), Over("dealt at random", patterns, p => p.Layer, p => value(p.Shuffled))]);
    }

    // Random cells that have triggers, ascending; those that a page shows are of those that a file has.
    private static Dictionary<int, int[]> Drawn(FeedForwardTriggers triggers, FeedForwardOptions options)
    {
        var random = new RandomSource(options.Seed);
        return triggers.Layers.ToDictionary(layer => layer, layer =>
        {
            int[] cells = [.. Enumerable.Range(0, triggers.Cells).Where(c => !triggers.Of(layer, c).IsEmpty)];
            random.Shuffle<int>(cells);
            return cells[..Math.Min(cells.Length, AnnotatedCells)];
        });
    }

    // Whole prefixes for people who look for patterns, as in section 3.2 of the paper.
    private static Action<Stream> Annotation(AnalysisRun run, ISamples samples, FeedForwardOptions options, FeedForwardTriggers triggers)
    {
        var drawn = Drawn(triggers, options);
        var lines = new StringBuilder("layer\tcell\trank\tcoefficient\tprefix\tnext\n");
        foreach (int layer in triggers.Layers)
        {
            foreach (int cell in drawn[layer].Order())
            {
                int rank = 0;
                foreach (var t in triggers.Of(layer, cell).ToArray().Take(options.PatternTriggers))
                {
                    string prefix = run.Target.Decode(PrefixBatch.Tokens(samples, t.Sentence)[..t.Length]).Replace('\t', ' ');
                    lines.Append(CultureInfo.InvariantCulture, $"{layer}\t{cell}\t{++rank}\t{t.Coefficient}\t{prefix}\t{Piece(run, FeedForwardValues.Next(samples, t)).Replace('\t', ' ')}\n");
                }
            }
        }

        return stream => stream.Write(Encoding.UTF8.GetBytes(lines.ToString()));
    }

    private static IReadOnlyList<Figure> Examples(AnalysisRun run, ISamples samples, FeedForwardOptions options, FeedForwardTriggers triggers)
    {
        var drawn = Drawn(triggers, options);
        return [.. triggers.Layers.Select(layer =>
        {
            var rows = drawn[layer].Take(ShownCells).Order().SelectMany(cell => triggers.Of(layer, cell).ToArray().Take(ShownTriggers).Select(t => (string[])[
                FormattableString.Invariant($"{layer} / {cell}"),
                $"{Tail(run, samples, t.Sentence, t.Length)} ▸ {Piece(run, FeedForwardValues.Next(samples, t))}",
                t.Coefficient.ToString("0.00", CultureInfo.InvariantCulture)]));
            return new Table($"layer {layer}", ["layer / cell", "prefix ▸ next", "coefficient"], [.. rows], Prose: true);
        })];
    }

    private static void Write(Utf8JsonWriter json, AnalysisRun run, Findings found)
    {
        var (triggers, patterns, removal, values) = found;
        json.WriteNumber("sentences", triggers.Sentences);
        json.WriteNumber("prefixes", triggers.Prefixes);
        json.WriteNumber("blank", triggers.Blank);
        json.WriteNumber("cut", triggers.Cut);
        json.WriteNumber("cells", triggers.Cells);
        json.WriteNumber("triggers", triggers.K);
        json.WriteString("projection", values.Projection);
        json.Number("uniform", values.Uniform);
        Objects(json, "layers", Enumerable.Range(0, triggers.Layers.Count), i =>
        {
            var (p, r, v) = (patterns[i], removal[i], values.Layers[i]);
            json.WriteNumber("layer", p.Layer);
            json.WriteNumber("silent", p.Silent);
            foreach (var (name, shares) in new[] { ("patterns", p.Found), ("patterns_shuffled", p.Shuffled) })
            {
                json.WriteStartObject(name);
                json.Number("last_token", shares.LastToken);
                json.Number("last_bigram", shares.LastBigram);
                json.Number("similarity", shares.Similarity);
                json.WriteEndObject();
            }

            json.WriteStartObject("removal");
            json.WriteNumber("cells", r.Cells);
            json.WriteNumber("triggers", r.Triggers);
            json.WriteNumber("skipped", r.Skipped);
            json.Number("first", r.First);
            json.Number("last", r.Last);
            json.Number("random", r.Random);
            json.WriteEndObject();
            json.WriteStartObject("values");
            json.WriteNumber("cells", v.Cells);
            json.Number("agreement", v.Agreement);
            json.Number("unigram", v.Unigram);
            json.Number("most_frequent", v.MostFrequent);
            json.Number("shuffled", v.Shuffled);
            json.Numbers("rank_quartiles", Row(v.Ranks));
            json.WriteEndObject();
        });
        Objects(json, "agreement_by_probability", values.ByProbability, b =>
        {
            json.Number("from", b.From);
            json.Number("to", b.To);
            json.WriteNumber("cells", b.Cells);
            json.Number("agreement", b.Agreement);
        });
        Objects(json, "predictive_values", values.Predictive, v =>
        {
            json.WriteNumber("layer", v.Layer);
            json.WriteNumber("cell", v.Cell);
            json.WriteString("token", Piece(run, v.Token));
            json.Number("probability", v.Probability);
            json.WriteNumber("triggers", v.Triggers);
            json.WriteNumber("agreeing", v.Agreeing);
        });
    }

    // One line for each cell that has triggers, read from the text while it still is there.
    private static Action<Stream> Lines(FeedForwardTriggers triggers, ISamples samples, AnalysisRun run)
    {
        var next = triggers.Layers.SelectMany(l => Enumerable.Range(0, triggers.Cells).SelectMany(c => triggers.Of(l, c).ToArray().Select(t => FeedForwardValues.Next(samples, t)))).ToArray();
        return stream =>
        {
            int i = 0;
            foreach (int layer in triggers.Layers)
            {
                for (int cell = 0; cell < triggers.Cells; cell++)
                {
                    var own = triggers.Of(layer, cell);
                    if (own.IsEmpty)
                        continue;
                    using (var json = new Utf8JsonWriter(stream))
                    {
                        json.WriteStartObject();
                        json.WriteNumber("layer", layer);
                        json.WriteNumber("cell", cell);
                        Objects(json, "triggers", own.ToArray(), t =>
                        {
                            json.WriteNumber("coefficient", t.Coefficient);
                            json.WriteNumber("sentence", t.Sentence);
                            json.WriteNumber("tokens", t.Length);
                            json.WriteString("next", Piece(run, next[i++]));
                        });
                        json.WriteEndObject();
                    }

                    stream.WriteByte((byte)'\n');
                }
            }
        };
    }

    private sealed record Findings(
        FeedForwardTriggers Triggers, IReadOnlyList<FeedForwardPatterns> Patterns, IReadOnlyList<FeedForwardRemoval> Removal, FeedForwardValues Values);
}
