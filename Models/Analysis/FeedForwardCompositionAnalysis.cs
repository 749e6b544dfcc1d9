using System.Text.Json;

namespace CudaSeq.Models;

/// <summary>How memories add up: <see cref="FeedForwardComposition"/>.</summary>
internal sealed class FeedForwardCompositionAnalysis : FeedForwardAnalysis
{
    private const int ShownExamples = 20;

    private static readonly AnalysisOption Prefixes = AnalysisOption.Whole("--prefixes", "N", "Random lines of which one random prefix each is looked at (default: 4000).", 1);
    private static readonly AnalysisOption Train = AnalysisOption.Text("--train", "FILE", "The text whose most frequent tokens are stop words, for a model that translates its target side (default: the text itself).");
    private static readonly AnalysisOption StopWords = AnalysisOption.Number("--stop-word-share", "P", "Stop words are its most frequent tokens that make up this share of it (default: 0.4).", 0, 1);

    public override string Name => "ffn-composition";

    public override string Summary => "How feed-forward blocks combine their memories, and what they change in the residual stream.";

    public override string Reading
        => "r is the residual stream in front of a layer's feed-forward block, y what the block adds, o = r + y; each stands for its likeliest token. A cell is active where its coefficient is above 0. "
        + "A block's output is composed where y stands for a token that no active cell's value stands for. A layer's token comes from the residual where only r stands for it too, from the block where only y does, "
        + "from both where all agree, and is a composition where neither does: every prefix is in one of the four. Attention writes to r, in models that translate attention to the source too. "
        + "The text should be one that the model was not trained on; each line is read alone.";

    public override IReadOnlyList<AnalysisOption> Options => [LayersOption, Prefixes, Train, StopWords, LongestOption, SeedOption];

    public override (string Arguments, string What) Example
        => ("--model runs/wikitext-2-transformer --input valid.txt --train train.txt --out analyses", "How the memories of a language model add up, on text it has not seen.");

    public override string? Obstacle(ModelConfig config) => base.Obstacle(config)
        ?? (config.PreNorm ? null : "is a post-norm one: it normalises the stream after every block, so that what is in front of a block and what it adds have no common scale.");

    internal override AnalysisFinding Run(AnalysisWork work)
    {
        var usual = new FeedForwardOptions();
        var options = Usual(work) with
        {
            Prefixes = (int)(work.Settings.Whole(Prefixes) ?? usual.Prefixes),
            StopWordShare = work.Settings.Number(StopWords) ?? usual.StopWordShare,
        };
        using var text = FeedForwardText.Open(work.Run, work.Text, work.Cancellation);
        var counts = work.Settings.Text(Train) is { } train
            ? TokenCounts.Of(TextFile.ReadLines(train), work.Run.Target, train, work.Cancellation)
            : TokenCounts.Of(text.Samples, work.Run.Config.TargetVocabulary, work.Cancellation);
        var stopWords = counts.StopWords(options.StopWordShare);
        var found = FeedForwardComposition.Of(work.Run.Model, text.Samples, stopWords, options, work.Progress, work.Cancellation);
        var last = found.Layers[^1];
        return new AnalysisFinding(
            FormattableString.Invariant($"In layer {last.Layer}, {Percent(last.Decided)} of {found.Prefixes:N0} prefixes already stand for the output's token in front of the feed-forward block, and {Percent((double)last.FeedForward / found.Prefixes)} take it from the block alone."),
            [.. Sections(found, stopWords.Count, options), Examples(work.Run, text.Samples, found)],
            json => Write(json, work.Run, found, stopWords.Count));
    }

    private static IEnumerable<AnalysisSection> Sections(FeedForwardComposition found, int stopWords, FeedForwardOptions options)
    {
        var layers = found.Layers;
        yield return new AnalysisSection(
            "Active memories",
            $"One random prefix of each of {Count(found.Prefixes)} random lines, the same for all layers.",
            [
                new Curves("share of a layer's cells with a coefficient above 0", "layer",
                    [Over("third quartile", layers, l => l.Layer, l => l.ActiveQuartiles.Third), Over("mean", layers, l => l.Layer, l => l.Active), Over("first quartile", layers, l => l.Layer, l => l.ActiveQuartiles.First)]),
            ]);
        yield return new AnalysisSection(
            "Within a layer",
            $"Tokens are read off by {found.Projection}; <s> and <pad> are left out. y has the block's bias in it. Stop words are the {stopWords} most frequent tokens that make up {Percent(options.StopWordShare, "0.#")} of a text; of all prefixes, {Percent(found.Short)} have fewer than {FeedForwardComposition.ShortPrefix} tokens.",
            [
                new Curves("share of prefixes whose y stands for a token of no active cell", "layer", [Over("", layers, l => l.Layer, l => l.Composed)]),
                new Table("where an active cell agrees with the block", ["layer", "prefixes", "stop words", $"prefixes below {FeedForwardComposition.ShortPrefix} tokens"],
                    [.. layers.Select(l => (string[])[$"{l.Layer}", $"{Count(l.Agreeing)} ({Percent((double)l.Agreeing / found.Prefixes)})", Percent(l.AgreeingStopWords), Percent(l.AgreeingShort)])]),
            ]);
        string[] cases = ["residual", "agreement", "feed-forward", "composition"];
        yield return new AnalysisSection(
            "From layer to layer",
            $"Where o stands for neither the token of r nor that of y it is a composition: {Count(layers.Sum(l => (long)l.Composition))} in all layers. In {Count(layers.Sum(l => (long)l.Overruled))} of them r and y even stand for "
            + "one and the same token, which only rounding can do in a model that has no layer norm behind its last layer and one table of all tokens.",
            [
                new Curves("share of prefixes where r stands for the token of the last o", "layer", [Over("", layers, l => l.Layer, l => l.Decided)]),
                new Curves("probability that r gives to the token of the last o", "layer",
                    [Over("third quartile", layers, l => l.Layer, l => l.Confidence.Third), Over("median", layers, l => l.Layer, l => l.Confidence.Median), Over("first quartile", layers, l => l.Layer, l => l.Confidence.First)]),
                new HeatMap("where the token of a layer's output comes from", "layer", "", [.. layers.Select(l => $"{l.Layer}")], cases,
                    [.. layers.Select(l => Updates(l).Select(n => (double)n / found.Prefixes).ToArray())]) { Format = "%", Low = 0, High = 1 },
            ]);
    }

    private static AnalysisSection Examples(AnalysisRun run, ISamples samples, FeedForwardComposition found) => new(
        "Compositions of the last layer",
        "Random prefixes where o stands for another token than both r and y.",
        [
            new Table("", ["prefix", "r", "y", "o"],
                [.. found.Examples.Take(ShownExamples).Select(e => (string[])[Tail(run, samples, e.Sentence, e.Length), Piece(run, e.Before), Piece(run, e.Added), Piece(run, e.After)])], Prose: true),
        ],
        Folded: true);

    private static int[] Updates(LayerComposition layer) => [layer.Residual, layer.Agreement, layer.FeedForward, layer.Composition];

    private static void Write(Utf8JsonWriter json, AnalysisRun run, FeedForwardComposition found, int stopWords)
    {
        json.WriteNumber("prefixes", found.Prefixes);
        json.Number("short_prefixes", found.Short);
        json.WriteNumber("stop_words", stopWords);
        json.WriteString("projection", found.Projection);
        Objects(json, "layers", found.Layers, l =>
        {
            json.WriteNumber("layer", l.Layer);
            json.Number("active", l.Active);
            json.Numbers("active_quartiles", Row(l.ActiveQuartiles));
            json.Number("composed", l.Composed);
            json.WriteNumber("agreeing", l.Agreeing);
            json.Number("agreeing_stop_words", l.AgreeingStopWords);
            json.Number("agreeing_short", l.AgreeingShort);
            json.Number("decided", l.Decided);
            json.Numbers("confidence_quartiles", Row(l.Confidence));
            json.WriteNumber("residual", l.Residual);
            json.WriteNumber("agreement", l.Agreement);
            json.WriteNumber("feed_forward", l.FeedForward);
            json.WriteNumber("composition", l.Composition);
            json.WriteNumber("overruled", l.Overruled);
        });
        Objects(json, "examples", found.Examples, e =>
        {
            json.WriteNumber("sentence", e.Sentence);
            json.WriteNumber("tokens", e.Length);
            json.WriteString("before", Piece(run, e.Before));
            json.WriteString("added", Piece(run, e.Added));
            json.WriteString("after", Piece(run, e.After));
        });
    }
}
