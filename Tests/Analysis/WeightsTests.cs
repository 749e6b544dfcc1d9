using CudaSeq.Kernels;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Attention and taps, one by one and as entropies, against the models written down once more.</summary>
public sealed class WeightsTests
{
    private static readonly string[] Kinds = ["encoder_self", "decoder_self", "source"];
    private static readonly (string Source, string Target)[] Pairs = [("a b c", "d e"), ("f", "g f e d c"), ("b b a c d", "a")];

    public static TheoryData<int> Models => [.. Enumerable.Range(0, Configs.Length)];

    private static ModelConfig[] Configs =>
    [
        TinyModels.Transformer,
        TinyModels.Transformer with { PreNorm = true, ShareEmbeddings = EmbeddingSharing.None, EncoderPath = [2, 1, 2], DecoderPath = [1, 2, 2, 1] },
        TinyModels.Conv(Architecture.LightConv) with { EncoderGlu = true },
        TinyModels.Conv(Architecture.DynamicConv) with { DecoderGlu = true, DecoderPath = [2, 1, 1], PreNorm = true },
        TinyModels.Transformer with { EncoderFusion = EncoderFusion.Fine, SurfaceFusion = SurfaceFusion.Hard },
    ];

    [Theory]
    [MemberData(nameof(Models))]
    public void EveryPlaceAndHeadHasItsWeights(int model)
    {
        using var device = new CpuDevice(2);
        using var run = TinyRuns.Create(Configs[model], device);
        var result = new AttentionAnalysis().Of(run, settings: new AnalysisSettings { ["--source"] = "a b c x", ["--target"] = "d e f" });
        var json = TinyRuns.Results(result);
        Assert.Equal(["a", "b", "c", "<unk>", "</s>"], json["source"]!.AsArray().Select(n => (string?)n));
        Assert.Equal(["d", "e", "f", "</s>"], json["target"]!.AsArray().Select(n => (string?)n));
        Assert.True((bool)json["target_given"]!);
        var expected = Expected(run, run.Source.Encode("a b c x"), run.Target.Encode("d e f"));
        var weights = json["weights"]!.AsArray();
        Assert.Equal(expected.Keys.Select(k => k.Place).Order(), weights.SelectMany(w => w!["heads"]!.AsArray().Select(_ => (int)w["place"]! - 1)).Order());
        foreach (var place in weights)
        {
            string kind = (string)place!["of"]!;
            var heads = place["heads"]!.AsArray();
            for (int h = 0; h < heads.Count; h++)
            {
                double[][] rows = expected[(kind, (int)place["place"]! - 1, h)], found = TinyRuns.Table(heads[h]!["attention"] ?? heads[h]!["taps"]);
                bool isFixed = found.Length == 1;
                Assert.Equal(isFixed, run.Config.Architecture == Architecture.LightConv && kind != "source");
                for (int t = 0; t < rows.Length; t++)
                {
                    // A causal row of the reference ends where it sees no more.
                    double[] row = found[isFixed ? 0 : t];
                    for (int s = 0; s < row.Length; s++)
                        Assert.Equal(s < rows[t].Length ? rows[t][s] : 0, row[s], 1e-5);
                }
            }
        }

        // One map for each head of attention and of a filter that changes; one for each layer of filters that do not; and the mean.
        var page = TinyRuns.Page(result);
        int filters = weights.Count(w => w!["heads"]![0]!["taps"] is { } taps && taps.AsArray().Count == 1);
        Assert.Equal((2 * (weights.Count - filters)) + filters + 1, page.Descendants("figure").Count(f => (string?)f.Attribute("class") == "heat"));
    }

    public static TheoryData<int> OthersThatAttend => [.. Enumerable.Range(0, TinyModels.Others.Count(c => c.Architecture != Architecture.Lstm))];

    // Models that are no stacks of layers have attention to the source alone, one map for each place that pays it.
    [Theory]
    [MemberData(nameof(OthersThatAttend))]
    public void ModelsWithoutLayersShowTheirAttentionToTheSource(int index)
    {
        var config = TinyModels.Others.Where(c => c.Architecture != Architecture.Lstm).ElementAt(index) with { TargetVocabulary = 11 };
        using var device = new CpuDevice(2);
        using var run = TinyRuns.Create(config, device, decoding: new DecodingOptions { Beam = 2, MaxLengthA = 0, MaxLengthB = 5 });
        var reference = (PlainReference)References.Of(config, run.Model.NamedParameters().ToDictionary(p => p.Name, p => Array.ConvertAll(p.Tensor.ToArray(), v => (double)v)));
        var result = new AttentionAnalysis().Of(run, settings: new AnalysisSettings { ["--source"] = "a b c", ["--target"] = "d e" });
        var weights = TinyRuns.Results(result)["weights"]!.AsArray();
        double[][][] expected = Paid("a b c", "d e");
        Assert.Equal(config.DecoderLayers, expected.Length);
        Assert.Equal(Enumerable.Range(1, expected.Length).Select(p => ("source", p)), weights.Select(w => ((string)w!["of"]!, (int)w["place"]!)));
        for (int p = 0; p < expected.Length; p++)
        {
            var head = Assert.Single(weights[p]!["heads"]!.AsArray());
            double[][] rows = TinyRuns.Table(head!["attention"]);
            Assert.Equal((3, 4), (rows.Length, rows[0].Length));
            Assert.All(rows.SelectMany(r => r).Zip(expected[p].SelectMany(r => r)), pair => Assert.Equal(pair.Second, pair.First, 1e-5));
        }

        // One map for each place, and the mean of the last one's only head.
        Assert.Equal(expected.Length + 1, TinyRuns.Page(result).Descendants("figure").Count(f => (string?)f.Attribute("class") == "heat"));
        Assert.StartsWith($"{expected.Length} layer{(expected.Length == 1 ? "'s" : "s'")} weights for 4 pieces", result.Headline);
        Assert.False((bool)TinyRuns.Results(new AttentionAnalysis().Of(run, settings: new AnalysisSettings { ["--source"] = "a b c" }))["target_given"]!);

        using var folder = new TemporaryFolder();
        foreach (int tokens in (int[])[1, 1000])
        {
            var text = new AnalysisText { Input = TinyRuns.Lines(folder, "in", [.. Pairs.Select(p => p.Source)]), Reference = TinyRuns.Lines(folder, "out", [.. Pairs.Select(p => p.Target)]), BatchTokens = tokens };
            var json = TinyRuns.Results(new AttentionEntropyAnalysis().Of(run, text))["models"]![0]!.AsObject();
            Assert.Equal(["model", "source"], json.Select(p => p.Key));
            double[][] found = TinyRuns.Table(json["source"]!["entropy"]);
            double[][][][] all = [.. Pairs.Select(p => Paid(p.Source, p.Target))];
            Assert.Equal((expected.Length, 1), (found.Length, found[0].Length));
            for (int p = 0; p < found.Length; p++)
                Assert.Equal(all.SelectMany(pair => pair[p]).Average(row => -row.Sum(a => a * Math.Log(a))), found[p][0], 1e-5);
            Assert.Equal(all.SelectMany(pair => pair[0]).Average(row => Math.Log(row.Length)), (double)json["source"]!["uniform"]!, 1e-9);
        }

        double[][][] Paid(string source, string target)
        {
            reference.Logits([.. run.Source.Encode(source), Vocabulary.Eos], TinyModels.Shifted([.. run.Target.Encode(target), Vocabulary.Eos]));
            return [.. reference.Attention];
        }
    }

    // Of learned positions there are so many: what is longer is left out and counted.
    [Fact]
    public void LinesBeyondTheLearnedPositionsAreLeftOut()
    {
        using var device = new CpuDevice(1);
        using var run = TinyRuns.Create(TinyModels.ConvS2S with { MaxPositions = 4, TargetVocabulary = 11 }, device);
        using var folder = new TemporaryFolder();
        var text = new AnalysisText { Input = TinyRuns.Lines(folder, "in", "a b c", "a b c d"), Reference = TinyRuns.Lines(folder, "out", "a", "b") };
        var read = TinyRuns.Json(new AttentionEntropyAnalysis().Of(run, text))["text"]!;
        Assert.Equal((2, 1, 1), ((int)read["lines"]!, (int)read["samples"]!, (int)read["too_long"]!));
    }

    [Fact]
    public void WithoutATargetItIsTheModelsOwnTranslation()
    {
        using var device = new CpuDevice(1);
        using var run = TinyRuns.Create(TinyModels.Transformer, device, decoding: new DecodingOptions { Beam = 2, MaxLengthA = 0, MaxLengthB = 5 });
        string translation = run.Translator.Translate("a b");
        var json = TinyRuns.Results(new AttentionAnalysis().Of(run, settings: new AnalysisSettings { ["--source"] = "a b" }));
        string[] pieces = [.. json["target"]!.AsArray().Select(n => (string)n!)];
        Assert.Equal(translation, string.Join(' ', pieces[..^1]).Replace("<unk>", TextCodec.UnknownText, StringComparison.Ordinal));
        Assert.False((bool)json["target_given"]!);
        Refuses("analyze attention: --source TEXT must be given, with a piece at least.", []);
        Refuses("analyze attention: --target TEXT must be given, with a piece at least.", new() { ["--source"] = "a", ["--target"] = " " });
        Refuses("analyze attention: --source must have fewer than 200 pieces, got 200.", new() { ["--source"] = string.Join(' ', Enumerable.Repeat("a", 200)) });
        using var text = TinyRuns.CreateLanguageModel(TinyModels.Transformer, device);
        var own = TinyRuns.Results(new AttentionAnalysis().Of(text, settings: new AnalysisSettings { ["--target"] = "a b" }));
        Assert.Equal(["decoder_self", "decoder_self"], own["weights"]!.AsArray().Select(w => (string?)w!["of"]));
        Assert.Equal(
            "analyze attention: --source is for a model that translates, runs/tiny holds a language model; --target is its text.",
            Assert.Throws<ArgumentException>(() => new AttentionAnalysis().Of(text, settings: new AnalysisSettings { ["--source"] = "a" })).Message);

        void Refuses(string message, Dictionary<string, string> values)
        {
            var settings = new AnalysisSettings();
            foreach (var (name, value) in values)
                settings[name] = value;
            Assert.Equal(message, Assert.Throws<ArgumentException>(() => new AttentionAnalysis().Of(run, settings: settings)).Message);
        }
    }

    // The pieces as they were cut: what stands for an unknown one would be cut otherwise.
    [Fact]
    public void ATextIsLookedAtInItsOwnPieces()
    {
        using var device = new CpuDevice(1);
        var codec = new TextCodec(new Stutter(), TinyRuns.Codec.Vocabulary);
        using var run = new AnalysisRun("runs/tiny", new TextGenerator(TinyModels.CreateLanguageModel(TinyModels.Transformer.AsLanguageModel(), device), codec, throughLines: true));
        var json = TinyRuns.Results(new AttentionAnalysis().Of(run, settings: new AnalysisSettings { ["--target"] = "axb" }));
        Assert.Equal(["a", "<unk>", "b", "</s>"], json["target"]!.AsArray().Select(n => (string?)n));
        var expected = Expected(run, source: null, run.Target.Encode("axb"));
        Assert.Equal(4, expected.Count);
        foreach (var place in json["weights"]!.AsArray())
        {
            for (int h = 0; h < 2; h++)
            {
                double[][] rows = expected[("decoder_self", (int)place!["place"]! - 1, h)], found = TinyRuns.Table(place["heads"]![h]!["attention"]);
                Assert.Equal(4, found.Length);
                for (int t = 0; t < 4; t++)
                {
                    for (int s = 0; s < 4; s++)
                        Assert.Equal(s < rows[t].Length ? rows[t][s] : 0, found[t][s], 1e-5);
                }
            }
        }
    }

    [Fact]
    public void ATranslationTooLongToDrawIsRefused()
    {
        using var device = new CpuDevice(1);
        using var run = TinyRuns.Create(TinyModels.Transformer, device, decoding: new DecodingOptions { Beam = 1, MaxLengthA = 0, MinLength = 200, MaxLengthB = 200 });
        Assert.Equal(
            "analyze attention: the model's translation must have fewer than 200 pieces, got 200; --target gives another.",
            Assert.Throws<ArgumentException>(() => new AttentionAnalysis().Of(run, settings: new AnalysisSettings { ["--source"] = "a" })).Message);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void EntropiesAreMeansOverPositions(int model)
    {
        using var device = new CpuDevice(2);
        using var run = TinyRuns.Create(Configs[model], device);
        using var folder = new TemporaryFolder();

        // An empty pair, and batches of one pair and of several.
        foreach (int tokens in (int[])[1, 1000])
        {
            var text = new AnalysisText
            {
                Input = TinyRuns.Lines(folder, "in", [.. Pairs.Select(p => p.Source), "", "a"]),
                Reference = TinyRuns.Lines(folder, "out", [.. Pairs.Select(p => p.Target), "a", " "]),
                BatchTokens = tokens,
            };
            var result = new AttentionEntropyAnalysis().Of(run, text);
            var json = TinyRuns.Results(result)["models"]![0]!.AsObject();
            foreach (string kind in Kinds)
            {
                var all = Pairs.Select(p => Expected(run, run.Source.Encode(p.Source), run.Target.Encode(p.Target))).ToArray();
                double[][] found = TinyRuns.Table(json[kind]!["entropy"]);
                int places = all[0].Keys.Where(k => k.Kind == kind).Max(k => k.Place) + 1;
                Assert.Equal((places, 2), (found.Length, found[0].Length));
                for (int p = 0; p < places; p++)
                {
                    for (int h = 0; h < 2; h++)
                        Assert.Equal(all.SelectMany(pair => pair[(kind, p, h)]).Average(row => -row.Sum(a => a * Math.Log(a))), found[p][h], 1e-5);
                }

                var rows = all.SelectMany(pair => Enumerable.Range(0, places).SelectMany(p => pair[(kind, p, 0)]));
                Assert.Equal(rows.Average(r => Math.Log(r.Length)), (double)json[kind]!["uniform"]!, 1e-9);
                Assert.Equal(kind == "encoder_self" ? 12 : 11, (int)json[kind]!["positions"]!);
            }

            var read = TinyRuns.Json(result)["text"]!;
            Assert.Equal((5, 3, 2, 0), ((int)read["lines"]!, (int)read["samples"]!, (int)read["empty"]!, (int)read["too_long"]!));
            Assert.Equal(3, TinyRuns.Page(result).Descendants("figure").Count());
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void WhatAWindowHidesIsNotCountedAsSeen(int window)
    {
        using var device = new CpuDevice(1);
        using var run = TinyRuns.Create(TinyModels.Transformer with { AttentionWindows = [window] }, device);
        using var folder = new TemporaryFolder();
        var text = new AnalysisText { Input = TinyRuns.Lines(folder, "in", "a b c d"), Reference = TinyRuns.Lines(folder, "out", "e f g") };
        var json = TinyRuns.Results(new AttentionEntropyAnalysis().Of(run, text))["models"]![0]!.AsObject();

        // Five positions of the source with its end; four of the target with its beginning.
        double Mean(int positions, Func<int, int> seen) => Enumerable.Range(0, positions).Average(t => Math.Log(seen(t)));
        Assert.Equal(Mean(5, t => window == 1 ? 1 : t is 0 or 4 ? 2 : 3), (double)json["encoder_self"]!["uniform"]!, 1e-12);
        Assert.Equal(Mean(4, t => Math.Min(t + 1, window)), (double)json["decoder_self"]!["uniform"]!, 1e-12);
        Assert.Equal(Math.Log(5), (double)json["source"]!["uniform"]!, 1e-12);
    }

    [Fact]
    public void ALanguageModelHasOneKindOfWeightsAndWhatIsMissingIsSaid()
    {
        using var device = new CpuDevice(1);
        using var run = TinyRuns.CreateLanguageModel(TinyModels.Transformer, device);
        using var folder = new TemporaryFolder();
        string input = TinyRuns.Lines(folder, "in", "a b c", "d");
        var json = TinyRuns.Results(new AttentionEntropyAnalysis().Of(run, new AnalysisText { Input = input }))["models"]![0]!.AsObject();
        Assert.Equal(["model", "decoder_self"], json.Select(p => p.Key));
        Assert.Equal("analyze: --input FILE must be given for a language model.", Assert.Throws<InvalidDataException>(() => new AttentionEntropyAnalysis().Of(run)).Message);
        string none = folder.PathOf("none");
        Assert.Equal($"{none}: there is no such folder.", Assert.Throws<DirectoryNotFoundException>(() => new AttentionEntropyAnalysis().Of(run, new AnalysisText { Input = input }, new AnalysisSettings { ["--other"] = none })).Message);
        Assert.Equal(0, EntropyMap.Entropy([0, 1, 0]));
        Assert.Equal(Math.Log(4), EntropyMap.Entropy([0.25f, 0.25f, 0.25f, 0.25f]), 1e-12);
        string empty = TinyRuns.Lines(folder, "empty");
        using var pairs = TinyRuns.Create(TinyModels.Transformer, device);
        Refuses("analyze: there must be at least one pair without an empty side, got none.", new AnalysisText { Input = empty, Reference = empty });
        Refuses("analyze: there must be at least one pair without an empty side, got none of at most 2 pieces.", new AnalysisText { Input = TinyRuns.Lines(folder, "long", "a b c"), Reference = TinyRuns.Lines(folder, "short", "a"), MaxLength = 2 });
        Refuses("analyze: --input and --reference must be given together.", new AnalysisText { Input = input });
        Refuses("analyze: --input FILE and --reference FILE must be given, the run in runs/tiny was not tested on pairs.", new AnalysisText());
        Assert.Throws<OperationCanceledException>(() => new AttentionEntropyAnalysis().Of(pairs, new AnalysisText { Input = input, Reference = input }, cancellation: new CancellationToken(canceled: true)));

        void Refuses(string message, AnalysisText text) => Assert.Equal(message, Assert.Throws<InvalidDataException>(() => new AttentionEntropyAnalysis().Of(pairs, text)).Message);
    }

    /// <summary>Rows of weights for every kind, place and head.</summary>
    private static Dictionary<(string Kind, int Place, int Head), double[][]> Expected(AnalysisRun run, int[]? source, int[] target)
    {
        var rows = new Dictionary<(string Kind, int Place, int Head), List<double[]>>();
        var places = new Dictionary<string, int>();
        var reference = TinyRuns.Reference(run);
        reference.Weighs = (name, head, position, weights) =>
        {
            if (name.Contains("surface", StringComparison.Ordinal))
                return;
            string kind = name.EndsWith("encoder_attn.", StringComparison.Ordinal) ? "source" : name.StartsWith("encoder", StringComparison.Ordinal) ? "encoder_self" : "decoder_self";
            if (head == 0 && position == 0)
                places[kind] = places.GetValueOrDefault(kind, -1) + 1;
            var key = (kind, places[kind], head);
            if (!rows.TryGetValue(key, out var list))
                rows.Add(key, list = []);
            list.Add(weights);
        };
        reference.Features(TinyModels.Shifted([.. target, Vocabulary.Eos]), source is null ? null : reference.Encode([.. source, Vocabulary.Eos]));
        return rows.ToDictionary(r => r.Key, r => r.Value.ToArray());
    }

    // A piece for each letter, and two for what an unknown one is shown as.
    private sealed class Stutter : ITokenizer
    {
        public string Name => "stutter";

        public IReadOnlyList<string> Pieces => [];

        public string[] Encode(string line) => [.. line.Select(c => $"{c}").SelectMany(p => p == TextCodec.UnknownText ? new[] { p, p } : [p])];

        public string Decode(params ReadOnlySpan<string> pieces) => string.Concat(pieces);
    }
}
