using System.Text.Json;

namespace CudaSeq.Models;

/// <summary>Where every head of every layer looks in one sentence: attention's probabilities, or the taps of convolutions.</summary>
internal sealed class AttentionAnalysis : Analysis
{
    // A row of a map is a pixel's work for a browser, and nobody reads more.
    private const int MostPieces = 200;

    private static readonly AnalysisOption SourceText = AnalysisOption.Text("--source", "TEXT", "The sentence to read; must be given for a model that translates.");
    private static readonly AnalysisOption TargetText = AnalysisOption.Text("--target", "TEXT", "What it becomes (default: the model's own translation); for a language model the text, which must be given.");

    public override string Name => "attention";

    public override string Summary => "Where every head of every layer looks in one sentence.";

    public override string Origin
        => "R. Dabre and A. Fujita, \"Recurrent stacking of layers in neural networks: an application to neural machine translation\", 2021 (arXiv 2106.10002), supplement; F. Wu, A. Fan, A. Baevski, Y. Dauphin and M. Auli, \"Pay less attention with lightweight and dynamic convolutions\", ICLR 2019.";

    public override string Reading
        => "Each row is a position that looks, each column one that is looked at, in percent; rows sum to 100, and an empty cell is less than half a percent. Rows of the decoder bear the token that is "
        + "predicted there, columns of its self-attention the token that was read. A convolution's columns are its taps, by their distance from the position; beyond the ends of the sentence a tap sees zeros. "
        + "Taps that are normalised by no softmax need not sum to 100 and may be below 0; their shade is that of their size, beside the largest of the map where that is above 100.";

    public override bool TakesPaths => true;

    public override string? Obstacle(ModelConfig config) => AttentionEntropyAnalysis.Weightless(config);

    internal override bool LooksIntoLayers => false;

    public override IReadOnlyList<AnalysisOption> Options => [SourceText, TargetText];

    public override (string Arguments, string What) Example => ("--model runs/multi30k-transformer --source \"a man rides a bicycle .\" --out analyses", "The model's own translation, and where it looked for it.");

    internal override AnalysisFinding Run(AnalysisWork work)
    {
        var run = work.Run;
        var (source, target, given) = Pieces(work);
        string[] reads = Names(run.Source, source), writes = Names(run.Target, target), previous = ["</s>", .. writes[..^1]];
        var places = new List<(WeightKind Kind, int Place, int? LeftPadding, double[][][] Heads)>();
        new WeightsObserver(weights =>
        {
            work.Report("layers", places.Count);
            places.Add((weights.Kind, weights.Place, weights.LeftPadding, Of(weights, weights.Kind == WeightKind.EncoderSelf ? source.Length : target.Length)));
        }).Look(run, Batch.Of(Corpus.From([new SentencePair(run.Config.IsLanguageModel ? [Vocabulary.Eos] : source, target)]), 0));
        var sections = new List<AnalysisSection> { Sentences(run, source, target, given) };
        if (places.LastOrDefault(p => p.Kind == WeightKind.Source) is { Heads: { } last })
            sections.Add(new AnalysisSection("What the last layer takes from the source", "The mean over its heads.", [Map("all heads", WeightKind.Source, null, Mean(last), writes, reads)]));
        foreach (var kind in (WeightKind[])[WeightKind.Source, WeightKind.EncoderSelf, WeightKind.DecoderSelf])
        {
            foreach (var (_, place, padding, heads) in places.Where(p => p.Kind == kind))
            {
                string[] rows = kind == WeightKind.EncoderSelf ? reads : writes, columns = kind == WeightKind.DecoderSelf ? previous : reads;
                string title = FormattableString.Invariant($"{Title(kind)}, place {place + 1}");
                sections.Add(heads[0].Length == 1 && rows.Length > 1 && padding is not null
                    ? new AnalysisSection(title, "The same at every position.", [Taps("taps", "head", [.. heads.Select((_, h) => FormattableString.Invariant($"{h + 1}"))], [.. heads.Select(h => h[0])], padding.Value)], Folded: true)
                    : new AnalysisSection(title, "", [.. heads.Select((h, i) => Map(FormattableString.Invariant($"head {i + 1}"), kind, padding, h, rows, columns))], Folded: true));
            }
        }

        return new AnalysisFinding(
            FormattableString.Invariant($"{places.Count} {(places.Count == 1 ? "layer's" : "layers'")} weights for {(run.Config.IsLanguageModel ? "" : $"{source.Length} pieces of the source and ")}{target.Length} of the {(run.Config.IsLanguageModel ? "text" : "target")}, ends included."),
            sections,
            json => Write(json, run, reads, writes, given, places));
    }

    // Ids that end in end-of-sentence, and whether the target was given.
    private (int[] Source, int[] Target, bool Given) Pieces(AnalysisWork work)
    {
        var run = work.Run;
        string? source = work.Settings.Text(SourceText), target = work.Settings.Text(TargetText);
        if (run.Config.IsLanguageModel)
        {
            if (source is not null)
                throw new ArgumentException($"analyze {Name}: --source is for a model that translates, {run.Folder} holds a language model; --target is its text.");
            return ([], Ids(run.Target, target, "--target"), true);
        }

        int[] ids = Ids(run.Source, source, "--source");
        if (target is not null)
            return (ids, Ids(run.Target, target, "--target"), true);
        var found = new SequenceGenerator(run.Model).Generate([ids], run.Translator.Decoding with { NBest = 1 }, work.Cancellation)[0][0];
        return found.Tokens.Length < MostPieces
            ? (ids, [.. found.Tokens, Vocabulary.Eos], false)
            : throw new ArgumentException(FormattableString.Invariant($"analyze {Name}: the model's translation must have fewer than {MostPieces} pieces, got {found.Tokens.Length}; --target gives another."));
    }

    private int[] Ids(TextCodec codec, string? text, string option)
    {
        int[] ids = text is null ? [] : codec.Encode(text);
        if (ids.Length == 0)
            throw new ArgumentException($"analyze {Name}: {option} TEXT must be given, with a piece at least.");
        return ids.Length < MostPieces ? [.. ids, Vocabulary.Eos] : throw new ArgumentException(FormattableString.Invariant($"analyze {Name}: {option} must have fewer than {MostPieces} pieces, got {ids.Length}."));
    }

    private static AnalysisSection Sentences(AnalysisRun run, int[] source, int[] target, bool given)
    {
        var rows = new List<string[]>();
        if (!run.Config.IsLanguageModel)
            rows.Add(["source", string.Join(' ', Names(run.Source, source))]);
        rows.Add([run.Config.IsLanguageModel ? "text" : given ? "target, given" : "the model's translation", string.Join(' ', Names(run.Target, target))]);
        return new AnalysisSection("The sentence", "", [new Table("", ["", "pieces"], rows, Prose: true)]);
    }

    private static string[] Names(TextCodec codec, int[] ids) => [.. ids.Select(id => codec.Vocabulary[id])];

    private static double[][][] Of(PositionWeights weights, int length)
    {
        var rows = weights.Rows();
        return [.. Enumerable.Range(0, weights.Heads).Select(h => Enumerable.Range(0, weights.IsFixed ? 1 : length).Select(t => Array.ConvertAll(rows(0, h, t).ToArray(), v => (double)v)).ToArray())];
    }

    private static double[][] Mean(double[][][] heads) => [.. heads[0].Select((row, t) => row.Select((_, s) => heads.Average(h => h[t][s])).ToArray())];

    private static HeatMap Map(string title, WeightKind kind, int? padding, double[][] values, string[] rows, string[] columns) => padding is { } left
        ? Taps(title, "position", rows, values, left)
        : new HeatMap(title, kind == WeightKind.EncoderSelf ? "looks" : "writes", kind == WeightKind.DecoderSelf ? "was read" : "of the source", rows, columns, values) { Format = "%", High = 1, Sparse = true };

    private static HeatMap Taps(string title, string rowTitle, string[] rows, double[][] values, int left)
        => new(title, rowTitle, "distance", rows, [.. values[0].Select((_, k) => (k - left).ToString("+0;-0;0", System.Globalization.CultureInfo.InvariantCulture))], values) { Format = "%", High = Math.Max(1, values.SelectMany(v => v).Max(Math.Abs)), Signed = true, Sparse = true };

    private static string Title(WeightKind kind) => kind switch
    {
        WeightKind.EncoderSelf => "Encoder",
        WeightKind.DecoderSelf => "Decoder, before itself",
        _ => "Decoder, the source",
    };

    private static void Write(Utf8JsonWriter json, AnalysisRun run, string[] source, string[] target, bool given, List<(WeightKind Kind, int Place, int? LeftPadding, double[][][] Heads)> places)
    {
        if (!run.Config.IsLanguageModel)
            json.Texts("source", source);
        json.Texts("target", target);
        json.WriteBoolean("target_given", given);
        json.WriteStartArray("weights");
        foreach (var (kind, place, padding, heads) in places)
        {
            json.WriteStartObject();
            json.WriteString("of", kind switch { WeightKind.EncoderSelf => "encoder_self", WeightKind.DecoderSelf => "decoder_self", _ => "source" });
            json.WriteNumber("place", place + 1);
            if (padding is { } left)
                json.WriteNumber("left_padding", left);
            json.WriteStartArray("heads");
            foreach (double[][] head in heads)
            {
                json.WriteStartObject();
                json.Table(padding is null ? "attention" : "taps", head);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
