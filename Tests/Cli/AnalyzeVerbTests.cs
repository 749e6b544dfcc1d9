using System.Text.Json.Nodes;
using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Analyses on the command line, of a model that has learned next to nothing.</summary>
public sealed class AnalyzeVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _run;

    public AnalyzeVerbTests()
    {
        var numbers = NumberCorpus.Generate(seed: 3, trainPairs: 100, testPairs: 6, validPairs: 6);
        foreach (var (name, pairs) in new[] { ("train", numbers.Train), ("valid", numbers.Valid), ("test", numbers.Test) })
        {
            TextFile.WriteLines(_folder.PathOf($"{name}.digits"), pairs.Select(p => p.Source));
            TextFile.WriteLines(_folder.PathOf($"{name}.words"), pairs.Select(p => p.Target));
        }

        string recipe = _folder.File(
            "tiny.json",
            """
            {
              "architecture": "transformer",
              "model": { "model_width": 16, "feed_forward_width": 16, "attention_heads": 2, "encoder_layers": 1, "decoder_layers": 2, "encoder_fusion": "fine", "adaptive_depth": "aligned" },
              "data": { "train": ["train.digits", "train.words"], "valid": ["valid.digits", "valid.words"], "test": ["test.digits", "test.words"], "tokenizer": "word", "joint": true, "max_length": 20 },
              "training": { "batch_tokens": 256, "learning_rate": 0.01, "warmup_updates": 5, "max_updates": 2 },
              "decoding": { "beam": 2, "max_length_a": 0, "max_length_b": 12 }
            }
            """);
        _run = _folder.PathOf("run");
        var run = Tool.Run("train", recipe, "--data", _folder.PathOf("."), "--out", _run);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Every analysis runs with nothing but a model: on the pairs that it was tested with, and with its own training pairs.</summary>
    [Fact]
    public void EveryAnalysisLeavesItsNumbersAndItsPage()
    {
        string output = _folder.PathOf("analyses");
        string[] names = ["layer-attention", "lesion", "embeddings", "attention-entropy", "attention", "exits", "anytime", "exit-thresholds", "word-translation"];
        foreach (var analysis in names.Select(Analyses.Of))
        {
            string[] own = analysis.Name switch
            {
                "attention" => ["--source", "1 2"],
                "exit-thresholds" => ["--draws", "3"],
                "word-translation" => ["--updates", "2", "--bleu"],
                _ => [],
            };
            var run = Tool.Run(["analyze", analysis.Name, "--model", _run, "--out", output, .. own]);
            Assert.Equal((0, ""), (run.ExitCode, run.Error));
            string[] files = [Path.Combine(output, $"{analysis.Name}.json"), Path.Combine(output, $"{analysis.Name}.html")];
            string[] lines = run.Out.TrimEnd('\n').Split('\n');
            Assert.Equal(files, lines[1..]);
            var json = JsonNode.Parse(File.ReadAllText(files[0]))!;
            Assert.Equal((analysis.Name, _run, "transformer", 2), ((string)json["analysis"]!, (string)json["model"]!, (string)json["architecture"]!, (int)json["checkpoint_update"]!));
            Assert.Equal(("float32", "cpu"), ((string)json["precision"]!, (string)json["device"]!));
            Assert.Null(json["decoder_path"]);
            Assert.NotEmpty(json["results"]!.AsObject());
            Assert.DoesNotContain("NaN", run.Out);
            if (analysis.Reads != AnalysisReads.Nothing)
                Assert.Equal(("test", 6), ((string)json["text"]!["input"]!, (int)json["text"]!["lines"]!));
            Assert.Contains($"<strong>{HtmlText.Of(lines[0])}</strong>", File.ReadAllText(files[1]));

            // Found again to the last bit.
            string before = File.ReadAllText(files[0]);
            Tool.Run(["analyze", analysis.Name, "--model", _run, "--out", output, .. own]);
            Assert.Equal(before, File.ReadAllText(files[0]));
        }

        Assert.Equal(2 * names.Length, Directory.EnumerateFiles(output).Count());
    }

    [Fact]
    public void ThePathIsWrittenDown()
    {
        string recipe = File.ReadAllText(_folder.PathOf("tiny.json")).Replace("\"encoder_fusion\": \"fine\", \"adaptive_depth\": \"aligned\"", "\"pre_norm\": true", StringComparison.Ordinal);
        Assert.Equal("", Tool.Run("train", _folder.File("plain.json", recipe), "--data", _folder.PathOf("."), "--out", _folder.PathOf("plain")).Error);
        Assert.Equal(0, Tool.Run("analyze", "attention", "--model", _folder.PathOf("plain"), "--source", "1 2", "--decoder-path", "2,1,2", "--out", _folder.PathOf("paths")).ExitCode);
        var json = JsonNode.Parse(File.ReadAllText(_folder.PathOf("paths/attention.json")))!;
        Assert.Equal("[2,1,2]", json["decoder_path"]!.ToJsonString());
        Assert.Null(json["encoder_path"]);
        Assert.Contains("<tr><th>decoder path</th><td><code>2, 1, 2</code></td></tr>\n<tr><th>computed in</th><td><code>float32 on cpu</code></td></tr>", File.ReadAllText(_folder.PathOf("paths/attention.html")));
    }

    /// <summary>A cnn has weights of one kind, the transformer of three: each kind shows those that have it.</summary>
    [Theory]
    [InlineData("run", "cnn")]
    [InlineData("cnn", "run")]
    public void ModelsOfDifferentKindsStandBesideEachOther(string first, string second)
    {
        string recipe = File.ReadAllText(_folder.PathOf("tiny.json")).Replace("transformer", "cnn", StringComparison.Ordinal)
            .Replace("\"encoder_fusion\": \"fine\", \"adaptive_depth\": \"aligned\"", "\"encoder_kernel_widths\": [3], \"decoder_kernel_widths\": [3]", StringComparison.Ordinal);
        Assert.Equal("", Tool.Run("train", _folder.File("cnn.json", recipe), "--data", _folder.PathOf("."), "--out", _folder.PathOf("cnn")).Error);
        string output = _folder.PathOf("out");

        // Both read what the first was tested with, whatever the second was.
        var tested = new RunDirectory(_folder.PathOf(second)).Translations;
        TestTranslation.Save(tested, TestTranslation.Read(tested).Take(1).ToArray());
        long lines = TestTranslation.Read(new RunDirectory(_folder.PathOf(first)).Translations).Count();
        var run = Tool.Run("analyze", "attention-entropy", "--model", _folder.PathOf(first), "--other", _folder.PathOf(second), "--out", output);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("cnn ", run.Out);
        Assert.Contains("; ", run.Out);
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(output, "attention-entropy.json")))!;
        Assert.Equal(lines, (long)json["text"]!["lines"]!);
        var models = json["results"]!["models"]!.AsArray();
        Assert.Equal((long)models[0]!["source"]!["positions"]!, (long)models[1]!["source"]!["positions"]!);
        Assert.Equal([first, second], models.Select(m => Path.GetFileName((string)m!["model"]!)));
        Assert.Equal(["model", "source"], models[first == "cnn" ? 0 : 1]!.AsObject().Select(p => p.Key));
        string page = File.ReadAllText(Path.Combine(output, "attention-entropy.html"));
        foreach (string title in (string[])["Encoder, positions of the source", "Decoder, positions before", "Decoder, attention to the source"])
            Assert.Contains($">{title}</h2>", page);
    }

    [Fact]
    public void AModelWithoutNumbersIsRefused()
    {
        string path = Path.Combine(_run, "best.safetensors");
        var header = Checkpoint.ReadHeader(path);
        using (var device = new CpuDevice(1))
        using (var model = SequenceModel.Create(header.Config, device, new RandomSource(0)))
        {
            Checkpoint.Load(path, model);
            var weight = model.NamedParameters().Single(p => p.Name == "encoder.layers.0.self_attn.q_proj.weight").Tensor;
            float[] values = weight.ToArray();
            values[3] = float.NaN;
            weight.CopyFrom(values);
            Checkpoint.Save(path, header, model, optimizer: null);
        }

        var run = Tool.Run("analyze", "attention-entropy", "--model", _run, "--out", _folder.PathOf("out"));
        Assert.Equal((1, $"cudaseq: analyze: the model in {_run} must have finite parameters, encoder.layers.0.self_attn.q_proj.weight has one that is not, at 3.\n"), (run.ExitCode, run.Error));
    }

    [Fact]
    public void AFolderThatCannotBeWrittenIsRefusedBeforeAnythingIsComputed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs /proc, which even root cannot write");
        foreach (string folder in (string[])["/proc/none/out", "/proc"])
        {
            var run = Tool.Run("analyze", "lesion", "--model", _run, "--out", folder);
            Assert.Equal((1, "", $"cudaseq: {folder}: cannot be written.\n"), (run.ExitCode, run.Out, run.Error));
        }
    }

    [Fact]
    public void WhatIsWrongIsSaidInOneLine()
    {
        string file = _folder.File("file", "1\n"), output = _folder.PathOf("out");
        Assert.StartsWith("analyze: there is no analysis x; they are layer-attention, lesion, ", Assert.Throws<ArgumentException>(() => Analyses.Of("x")).Message);
        Refuses(2, "cudaseq analyze: a verb must be given.\n");
        Refuses(2, "cudaseq analyze: unknown verb lesions, did you mean lesion?\n", "lesions");
        Refuses(2, "cudaseq analyze lesion: --model DIR must be given; cudaseq analyze lesion --help shows how.\n", "lesion", "--out", output);
        Refuses(2, "cudaseq analyze lesion: --out DIR must be given; cudaseq analyze lesion --help shows how.\n", "lesion", "--model", _run);
        Refuses(2, $"cudaseq analyze lesion: --out must be a folder, {file} is a file.\n", "lesion", "--model", _run, "--out", file);
        Directory.CreateDirectory(_folder.PathOf("taken/lesion.html"));
        Refuses(1, $"cudaseq: {_folder.PathOf("taken/lesion.html")}: must be a file, is a folder.\n", "lesion", "--model", _run, "--out", _folder.PathOf("taken"));
        Refuses(1, $"cudaseq: {file}/in/it: cannot be a folder, {file} is a file.\n", "lesion", "--model", _run, "--out", $"{file}/in/it");
        Refuses(1, $"cudaseq: {output}: there is no such folder.\n", "lesion", "--model", output, "--out", output);
        Refuses(1, $"cudaseq: {output}: there is no such file.\n", "lesion", "--model", _run, "--input", output, "--reference", file, "--out", output);
        Refuses(1, "cudaseq: analyze: --input and --reference must be given together.\n", "lesion", "--model", _run, "--input", file, "--out", output);
        Refuses(2, "cudaseq analyze exits: --sentences must be at most 1000, got 1001.\n", "exits", "--model", _run, "--sentences", "1001", "--out", output);
        Refuses(1, "cudaseq: analyze exits: --exit-confidence must be at most 1, got 2.\n", "exits", "--model", _run, "--exit-confidence", "2", "--out", output);
        Refuses(2, "cudaseq analyze layer-attention: unknown option --input; cudaseq analyze layer-attention --help lists the options.\n", "layer-attention", "--model", _run, "--input", file, "--out", output);
        Refuses(2, "cudaseq analyze lesion: unknown option --max-length; cudaseq analyze lesion --help lists the options.\n", "lesion", "--model", _run, "--max-length", "1", "--out", output);
        Refuses(1, "cudaseq: analyze embeddings: --input and --reference are for cosines of pairs, --no-pairs must not be given with them.\n", "embeddings", "--model", _run, "--no-pairs", "--input", file, "--out", output);
        Assert.False(Directory.Exists(output));
        Assert.Equal(["lesion.html"], Directory.EnumerateFileSystemEntries(_folder.PathOf("taken")).Select(e => Path.GetFileName(e)!));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.PathOf("."), ".cudaseq-*"));
        var canceled = Tool.Run(["analyze", "lesion", "--model", _run, "--out", output], "", cancellation: new CancellationToken(canceled: true));
        Assert.Equal((1, "cudaseq: interrupted.\n"), (canceled.ExitCode, canceled.Error));

        void Refuses(int code, string message, params string[] arguments)
        {
            var run = Tool.Run(["analyze", .. arguments]);
            Assert.Equal((code, message), (run.ExitCode, run.Error));
        }
    }

    [Fact]
    public void AScreenShowsHowFarItIs()
    {
        var run = Tool.Run(["analyze", "lesion", "--model", _run, "--out", _folder.PathOf("out")], "", live: true);
        Assert.Contains("lines, whole model: 0", run.Out);
        Assert.Contains("\r\e[K", run.Out);
        Assert.DoesNotContain("\r", run.Out[run.Out.IndexOf("BLEU", StringComparison.Ordinal)..]);
    }
}
