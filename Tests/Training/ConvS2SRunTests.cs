using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Runs of models that are no stacks of layers: what positions, blocks and directions have to do with recipes and files.</summary>
public sealed class ConvS2SRunTests : IDisposable
{
    private const string Long = "a b c d e f";

    private readonly TemporaryFolder _folder = new();
    private readonly string _recipe;
    private readonly string _recurrent;

    public ConvS2SRunTests()
    {
        string[] words = ["a", "b", "c", "d", "e", "f", "g"];
        string[] lines = [.. Enumerable.Range(0, 60).Select(i => string.Join(' ', Enumerable.Range(0, 1 + (i % 5)).Select(j => words[(i + (3 * j)) % 7])))];
        TextFile.WriteLines(_folder.PathOf("train"), [.. lines, Long]);
        TextFile.WriteLines(_folder.PathOf("valid"), lines[..6]);
        TextFile.WriteLines(_folder.PathOf("long"), [.. lines[..2], Long]);
        _recipe = Write("convs2s", """{ "model_width": 8, "encoder_layers": 3, "decoder_layers": 3, "encoder_kernel_widths": [3], "decoder_kernel_widths": [3], "max_positions": 6 }""");
        _recurrent = Write("lstm", """{ "model_width": 8, "encoder_layers": 1, "decoder_layers": 1 }""");

        string Write(string architecture, string model) => _folder.File(
            $"{architecture}.json",
            $$"""
            {
              "architecture": "{{architecture}}",
              "model": {{model}},
              "data": { "train": ["train", "train"], "valid": ["valid", "valid"], "tokenizer": "word", "max_length": 5 },
              "training": { "batch_tokens": 64, "learning_rate": 0.01, "warmup_updates": 5, "max_updates": 2 },
              "decoding": { "beam": 2, "max_length_b": 8 }
            }
            """);
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Before any training, not in the middle of it: the longest training pair, and lines of the other texts, which no length limits.</summary>
    [Fact]
    public void WhatPositionsCannotHoldIsRefusedAtTheDoor()
    {
        Assert.Equal(
            (2, $"{_recipe} with --set: data.max_length must be below model.max_positions, as the end of a sentence takes one too, got 6 and 6.\n"),
            Train(_recipe, "a", "data.max_length=6"));
        foreach (string part in (string[])["valid", "test"])
        {
            Assert.Equal(
                (1, $"cudaseq: {Path.Combine(_folder.PathOf("."), "long")}: a line must have at most model.max_positions, 6, tokens, its end included, got 7 in line 3.\n"),
                Train(_recipe, $"of-{part}", $"data.{part}=long,long"));
        }

        string run = _folder.PathOf("run");
        Assert.Equal((0, ""), Train(_recipe, "run"));
        string[] translate = ["translate", "--model", run];
        var refused = Tool.Run(translate, $"a\nb\n{Long}\nc\n");
        Assert.Equal((1, "", "cudaseq: stdin: line 3: a source must have at most max_positions, 6, tokens, its end included, got 7.\n"), (refused.ExitCode, refused.Out, refused.Error));
        Assert.Equal(0, Tool.Run(translate, "a b c d e\n").ExitCode);
        Assert.Equal(
            "cudaseq: Evaluation: a side of a pair must have at most max_positions, 6, tokens, its end included, got 7 in line 3.\n",
            Tool.Run("evaluate", "--model", run, "--input", _folder.PathOf("long"), "--reference", _folder.PathOf("long")).Error);

        // A teacher reads what its pupil does.
        Assert.Equal((0, ""), Train(_recurrent, "taught", $"training.teacher={run}"));
        Assert.Equal(
            (1, "cudaseq: data.max_length must be below max_positions of training.teacher, as the end of a sentence takes one too, got 6 and 6.\n"),
            Train(_recurrent, "untaught", $"training.teacher={run}", "data.max_length=6"));
    }

    /// <summary>Blocks begin as those that were named, with their attention.</summary>
    [Fact]
    public void BlocksAreThoseThatWereNamed()
    {
        string run = _folder.PathOf("run");
        Assert.Equal((0, ""), Train(_recipe, "run"));
        using var device = new CpuDevice(1);
        var directory = new RunDirectory(run);
        using var trained = SequenceModel.Create(Checkpoint.ReadHeader(directory.BestOrLast).Config, device, new RandomSource(0));
        Checkpoint.Load(directory.BestOrLast, trained);
        using var model = SequenceModel.Create(trained.Config with { EncoderLayers = 2 }, device, new RandomSource(9));
        InitialParameters.Load(model, directory, [3, 1], [3, 3, 2]);
        var theirs = trained.NamedParameters().ToDictionary(p => p.Name, p => p.Tensor.ToArray());
        int[] encoder = [2, 0], decoder = [2, 2, 1];
        foreach (var (name, tensor) in model.NamedParameters())
        {
            string[] parts = name.Split('.');
            if (parts[1] is "convolutions" or "attention")
                parts[2] = $"{(parts[0] == "encoder" ? encoder : decoder)[parts[2][0] - '0']}";
            Assert.Equal(theirs[string.Join('.', parts)], tensor.ToArray());
        }

        Assert.StartsWith(
            $"cudaseq: {directory.BestOrLast}: encoder.convolutions.3.weight_v is missing, the model wants it for encoder.convolutions.0.weight_v as [3, 8, 16].",
            Train(_recipe, "none", $"training.initialize_from={run}", "training.initialize_encoder_layers=4,1,2").Error);
    }

    [Fact]
    public void WhatHasNoBlocksOrReadsTheOtherWayIsRefused()
    {
        const string Recurrent = """{ "architecture": "rnnsearch", "model": { "encoder_layers": 1, "decoder_layers": 1 }, "data": { "train": ["a", "b"], "valid": ["a", "b"] }, "training": { "max_updates": 1, "initialize_from": "x" } }""";
        foreach (string key in (string[])["training.initialize_encoder_layers", "training.initialize_decoder_layers"])
        {
            Assert.Equal(
                $"r.json with --set: {key} needs an architecture of several layers, got rnnsearch.",
                Assert.Throws<RecipeException>(() => Recipe.Parse(Recurrent, "r.json", [$"{key}=1"])).Message);
        }

        Assert.Equal((0, ""), Train(_recurrent, "lstm"));
        Assert.Contains(
            ": reverse_source is true there and false in this model, whose parameters would mean something else.",
            Train(_recurrent, "other", "model.reverse_source=false", $"training.initialize_from={_folder.PathOf("lstm")}").Error);
    }

    private (int ExitCode, string Error) Train(string recipe, string folder, params string[] settings)
    {
        var run = Tool.Run(["train", recipe, "--data", _folder.PathOf("."), "--out", _folder.PathOf(folder), .. settings.Length == 0 ? Array.Empty<string>() : ["--set", .. settings]]);
        return (run.ExitCode, run.Error);
    }
}
