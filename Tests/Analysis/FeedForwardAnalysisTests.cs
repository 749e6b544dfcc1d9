using System.Text.Json.Nodes;
using CudaSeq.Kernels;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>The two analyses of feed-forward blocks as programs and people see them.</summary>
public sealed class FeedForwardAnalysisTests : IDisposable
{
    private static readonly string[] Lines = ["a b c a", "", "b c", "a a b d e f g", "g f e", "c a b", "d d", "e a g"];

    private readonly TemporaryFolder _folder = new();
    private readonly Device _device = new CpuDevice(1);

    public void Dispose()
    {
        _device.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void MemoriesOfALanguageModel()
    {
        using var run = TinyRuns.CreateLanguageModel(TinyModels.Transformer with { PreNorm = true }, _device);
        string input = TinyRuns.Lines(_folder, "train.txt", Lines);
        var heard = new List<string>();
        var result = new FeedForwardMemoriesAnalysis().Of(
            run, new AnalysisText { Input = input }, new AnalysisSettings { ["--triggers"] = 3L, ["--predictive-values"] = 5L }, new Heard(p => heard.Add(p.What)));
        var results = TinyRuns.Results(result);
        using var text = TokenBlocks.Load(input, TinyRuns.Codec, SampleBreak.Eos, tokensPerSample: 1);
        var triggers = FeedForwardTriggers.Find(run.Model, text, new FeedForwardOptions { Triggers = 3 });
        var values = FeedForwardValues.Of(run.Model, triggers, text, TokenCounts.Of(text, 11), new FeedForwardOptions { PredictiveValues = 5 });
        Assert.Equal((7, 1, 0, 24, 3, 12), ((int)results["sentences"]!, (int)results["blank"]!, (int)results["cut"]!, (int)results["prefixes"]!, (int)results["triggers"]!, (int)results["cells"]!));
        var layers = results["layers"]!.AsArray();
        Assert.Equal([1, 2], layers.Select(l => (int)l!["layer"]!));
        Assert.Equal(values.Layers.Select(l => l.Agreement), layers.Select(l => (double)l!["values"]!["agreement"]!));
        Assert.Equal(values.Layers.Select(l => l.Ranks.Median), layers.Select(l => (double)l!["values"]!["rank_quartiles"]![1]!));
        Assert.Equal(FeedForwardRemoval.Of(run.Model, triggers, text).Select(r => r.Last), layers.Select(l => (double)l!["removal"]!["last"]!));
        Assert.Equal(FeedForwardPatterns.Of(triggers, text, TokenCounts.Of(text, 11)).Select(p => p.Shuffled.LastToken), layers.Select(l => (double)l!["patterns_shuffled"]!["last_token"]!));
        Assert.Equal(values.Predictive.Select(v => (v.Cell, TinyRuns.Codec.Vocabulary[v.Token])), results["predictive_values"]!.AsArray().Select(v => ((int)v!["cell"]!, (string)v["token"]!)));
        Assert.Equal(10, results["agreement_by_probability"]!.AsArray().Count);
        Assert.Contains("triggers", heard);
        Assert.Contains("values of layer 2", heard);
        string page = TinyRuns.Page(result).ToString();
        Assert.Contains("7 lines", page);
        Assert.Contains("▸", page);
        Assert.StartsWith("Values agree most in layer ", result.Headline);

        // The file has the triggers of every cell that has some.
        result.Save(_folder.PathOf("out"));
        var cells = File.ReadLines(_folder.PathOf("out/ffn-memories.triggers.jsonl")).Select(l => JsonNode.Parse(l)!).ToArray();
        Assert.Equal(Enumerable.Range(1, 2).Sum(l => Enumerable.Range(0, 12).Count(c => !triggers.Of(l, c).IsEmpty)), cells.Length);
        foreach (var cell in cells)
        {
            var own = triggers.Of((int)cell["layer"]!, (int)cell["cell"]!).ToArray();
            Assert.Equal(
                own.Select(t => (t.Coefficient, t.Sentence, t.Length, TinyRuns.Codec.Vocabulary[FeedForwardValues.Next(text, t)])),
                cell["triggers"]!.AsArray().Select(t => ((float)t!["coefficient"]!, (int)t["sentence"]!, (int)t["tokens"]!, (string)t["next"]!)));
        }
    }

    [Fact]
    public void PeopleGetTheWholePrefixesOfTenCellsOfEachLayer()
    {
        using var run = TinyRuns.CreateLanguageModel(TinyModels.Transformer with { PreNorm = true, FeedForwardWidth = 40 }, _device);
        string input = TinyRuns.Lines(_folder, "train.txt", Lines);
        new FeedForwardMemoriesAnalysis().Of(run, new AnalysisText { Input = input }, new AnalysisSettings { ["--pattern-triggers"] = 2L }).Save(_folder.PathOf("out"));
        using var text = TokenBlocks.Load(input, TinyRuns.Codec, SampleBreak.Eos, tokensPerSample: 1);
        var triggers = FeedForwardTriggers.Find(run.Model, text);
        string[][] rows = [.. File.ReadLines(_folder.PathOf("out/ffn-memories.annotation.tsv")).Select(l => l.Split('\t'))];
        Assert.Equal(["layer", "cell", "rank", "coefficient", "prefix", "next"], rows[0]);
        var cells = rows.Skip(1).GroupBy(r => (int.Parse(r[0]), int.Parse(r[1]))).ToArray();
        Assert.Equal([10, 10], cells.CountBy(c => c.Key.Item1).Select(c => c.Value));
        foreach (var cell in cells)
        {
            var own = triggers.Of(cell.Key.Item1, cell.Key.Item2).ToArray().Take(2).ToArray();
            Assert.Equal(own.Select((_, i) => $"{i + 1}"), cell.Select(r => r[2]));
            Assert.Equal(own.Select(t => TinyRuns.Codec.Decode(text.Block(t.Sentence)[..t.Length])), cell.Select(r => r[4]));
            Assert.Equal(own.Select(t => TinyRuns.Codec.Vocabulary[text.Block(t.Sentence)[t.Length]]), cell.Select(r => r[5]));
        }
    }

    [Fact]
    public void CompositionOfALanguageModelWithStopWordsOfAnotherText()
    {
        using var run = TinyRuns.CreateLanguageModel(TinyModels.Conv(Architecture.LightConv) with { PreNorm = true }, _device);
        string input = TinyRuns.Lines(_folder, "valid.txt", Lines), train = TinyRuns.Lines(_folder, "train.txt", "c c c", "b");
        var settings = new AnalysisSettings { ["--train"] = train, ["--stop-word-share"] = 0.5, ["--prefixes"] = 5L, ["--layers"] = "2", ["--seed"] = 4L };
        var result = new FeedForwardCompositionAnalysis().Of(run, new AnalysisText { Input = input }, settings);
        var results = TinyRuns.Results(result);
        using var text = TokenBlocks.Load(input, TinyRuns.Codec, SampleBreak.Eos, tokensPerSample: 1);
        var found = FeedForwardComposition.Of(run.Model, text, new HashSet<int> { 6 }, new FeedForwardOptions { Prefixes = 5, Layers = [2], Seed = 4 });
        Assert.Equal((8, 8), ((int)TinyRuns.Json(result)["text"]!["lines"]!, (int)TinyRuns.Json(result)["text"]!["samples"]!));
        Assert.Equal((5, 1, found.Projection), ((int)results["prefixes"]!, (int)results["stop_words"]!, (string)results["projection"]!));
        var layer = Assert.Single(results["layers"]!.AsArray())!;
        var expected = found.Layers[0];
        Assert.Equal((expected.Residual, expected.Agreement, expected.FeedForward, expected.Composition, expected.Overruled),
            ((int)layer["residual"]!, (int)layer["agreement"]!, (int)layer["feed_forward"]!, (int)layer["composition"]!, (int)layer["overruled"]!));
        Assert.Equal((expected.Active, expected.Composed, expected.Decided), ((double)layer["active"]!, (double)layer["composed"]!, (double)layer["decided"]!));
        Assert.Equal(expected.Confidence.Third, (double)layer["confidence_quartiles"]![2]!);
        Assert.Equal(expected.AgreeingStopWords, TinyRuns.Numbers(new JsonArray(layer["agreeing_stop_words"]?.DeepClone()))[0]);
        Assert.Equal(found.Examples.Count, results["examples"]!.AsArray().Count);
        Assert.Contains("no layer norm follows the last layer", TinyRuns.Page(result).ToString());
        Assert.StartsWith("In layer 2, ", result.Headline);
    }

    [Fact]
    public void TheFirstLinesAndPairsOfAModelThatTranslates()
    {
        using var run = TinyRuns.Create(TinyModels.Transformer with { PreNorm = true }, _device);
        string source = TinyRuns.Lines(_folder, "a.txt", "a", "b c", "d", "e"), target = TinyRuns.Lines(_folder, "b.txt", "b a", "c", "d e f", "g");
        var text = new AnalysisText { Input = source, Reference = target };
        Assert.Equal(7, (int)TinyRuns.Results(new FeedForwardMemoriesAnalysis().Of(run, text))["prefixes"]!);
        Assert.Equal(3, (int)TinyRuns.Results(new FeedForwardMemoriesAnalysis().Of(run, new AnalysisText { Input = source, Reference = target, Lines = 2 }))["prefixes"]!);
        Assert.Equal(4, (int)TinyRuns.Results(new FeedForwardCompositionAnalysis().Of(run, text))["prefixes"]!);
    }

    [Fact]
    public void TheMappedTextIsGoneAfterwards()
    {
        using var run = TinyRuns.CreateLanguageModel(TinyModels.Transformer, _device);
        string input = TinyRuns.Lines(_folder, "train.txt", Lines);
        var text = FeedForwardText.Open(run, new AnalysisText { Input = input, MaxLength = 6 }, CancellationToken.None);
        Assert.Equal(7, text.Samples.Count);
        Assert.True(File.Exists(Path.Combine(text.Folder, "text.corpus")));
        text.Dispose();
        Assert.False(Directory.Exists(text.Folder));

        // The beginning of a text is mapped as all of it is, and named as it is.
        using (var some = FeedForwardText.Open(run, new AnalysisText { Input = input, Lines = 3 }, CancellationToken.None))
        {
            using var expected = TokenBlocks.Encode(Lines[..3], TinyRuns.Codec, SampleBreak.Eos, tokensPerSample: 1, name: input);
            Assert.Equal((3, input, expected.Fingerprint(), expected.Measures), (some.Samples.Count, some.Samples.Name, some.Samples.Fingerprint(), ((TokenBlocks)some.Samples).Measures));
            Assert.True(File.Exists(Path.Combine(some.Folder, "text.corpus")));
        }

        // Blocks that go over lines are as long as the positions that were trained.
        using var saved = new AnalysisRun(_folder.PathOf("run"), new TextGenerator(TinyModels.CreateLanguageModel(TinyModels.Transformer.AsLanguageModel(), _device), TinyRuns.Codec, throughLines: true));
        Assert.Equal(int.MaxValue, FeedForwardText.LongestPrefix(saved));
        Directory.CreateDirectory(_folder.PathOf("run"));
        foreach (var (mode, longest) in new[] { ("none", 39), ("complete", 39), ("eos", int.MaxValue) })
        {
            File.WriteAllText(
                _folder.PathOf("run/recipe.json"),
                $$"""{ "name": "recipe", "task": "language_modeling", "architecture": "transformer", "data": { "train": ["t"], "valid": ["v"], "tokens_per_sample": 40, "sample_break_mode": "{{mode}}" }, "training": { "max_updates": 1 } }""");
            Assert.Equal(longest, FeedForwardText.LongestPrefix(saved));
        }
    }

    [Fact]
    public void RefusalsAreOneLine()
    {
        using var post = TinyRuns.CreateLanguageModel(TinyModels.Transformer, _device);
        Assert.Equal(
            "analyze ffn-composition: the model in runs/tiny is a post-norm one: it normalises the stream after every block, so that what is in front of a block and what it adds have no common scale.",
            Assert.Throws<InvalidDataException>(() => new FeedForwardCompositionAnalysis().Of(post)).Message);
        Assert.Equal(
            "analyze: --input FILE must be given for a language model.", Assert.Throws<InvalidDataException>(() => new FeedForwardMemoriesAnalysis().Of(post)).Message);
        string input = TinyRuns.Lines(_folder, "train.txt", Lines);
        Assert.Equal(
            "analyze: --reference is for a model that translates, this is a language model.",
            Assert.Throws<InvalidDataException>(() => new FeedForwardMemoriesAnalysis().Of(post, new AnalysisText { Input = input, Reference = input })).Message);
        Assert.Equal(
            "--layers must be numbers with commas between them, got '1;2'.",
            Assert.Throws<ArgumentException>(() => new FeedForwardMemoriesAnalysis().Of(post, new AnalysisText { Input = input }, new AnalysisSettings { ["--layers"] = "1;2" })).Message);
        Assert.Equal(
            "--layers must be numbers with commas between them, got ','.",
            Assert.Throws<ArgumentException>(() => new FeedForwardMemoriesAnalysis().Of(post, new AnalysisText { Input = input }, new AnalysisSettings { ["--layers"] = "," })).Message);
        Assert.Equal(
            "layers must be from 1 to 2, got [3].",
            Assert.Throws<ArgumentException>(() => new FeedForwardMemoriesAnalysis().Of(post, new AnalysisText { Input = input }, new AnalysisSettings { ["--layers"] = "3" })).Message);
        using var pairs = TinyRuns.Create(TinyModels.Transformer, _device);
        Assert.Equal(
            "analyze: --input and --reference must be given together.",
            Assert.Throws<InvalidDataException>(() => new FeedForwardMemoriesAnalysis().Of(pairs, new AnalysisText { Input = input })).Message);
        using var surface = TinyRuns.Create(SurfaceFusion2021.Hard(TinyModels.Transformer), _device);
        Assert.Equal(
            "analyze ffn-memories: the model in runs/tiny has surface_fusion: another stream joins the decoder's before the output, and no layer's token is to be read off it.",
            Assert.Throws<InvalidDataException>(() => new FeedForwardMemoriesAnalysis().Of(surface)).Message);
    }

    private sealed class Heard(Action<AnalysisProgress> heard) : IProgress<AnalysisProgress>
    {
        public void Report(AnalysisProgress value) => heard(value);
    }
}
