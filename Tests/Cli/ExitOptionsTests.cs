using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>A trained model with a classifier for each depth, left early on the command line.</summary>
public sealed class ExitOptionsTests : IDisposable
{
    private const string Input = "1 2 3\n4\n7 8 0 1\n";

    private readonly TemporaryFolder _folder = new();
    private readonly string _run;

    public ExitOptionsTests()
    {
        var numbers = NumberCorpus.Generate(seed: 3, trainPairs: 100, testPairs: 5, validPairs: 10);
        foreach (var (name, pairs) in new[] { ("train", numbers.Train), ("valid", numbers.Valid) })
        {
            TextFile.WriteLines(_folder.PathOf($"{name}.digits"), pairs.Select(p => p.Source));
            TextFile.WriteLines(_folder.PathOf($"{name}.words"), pairs.Select(p => p.Target));
        }

        string recipe = _folder.File(
            "tiny.json",
            """
            {
              "architecture": "transformer",
              "model": { "model_width": 16, "feed_forward_width": 16, "attention_heads": 2, "encoder_layers": 1, "decoder_layers": 3, "adaptive_depth": "aligned", "exit_classifiers": "separate", "share_embeddings": "none" },
              "data": { "train": ["train.digits", "train.words"], "valid": ["valid.digits", "valid.words"], "tokenizer": "word", "max_length": 20 },
              "training": { "batch_tokens": 256, "learning_rate": 0.01, "warmup_updates": 5, "max_updates": 30 },
              "decoding": { "beam": 2, "max_length_b": 8 }
            }
            """);
        _run = _folder.PathOf("run");
        var run = Tool.Run("train", recipe, "--data", _folder.PathOf("."), "--out", _run);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WhatABudgetChoosesCanBePasted()
    {
        string valid = _folder.PathOf("valid.digits");
        var tuned = Translate("--exit-budget", "1.8", "--exit-tune-on", valid);
        Assert.Equal(0, tuned.ExitCode);
        string[] said = tuned.Error.TrimEnd('\n').Split('\n');
        Assert.Equal(2, said.Length);
        Assert.Matches(@"^exits: --exit-confidence (0(\.\d{1,6})?|1) takes 1\.\d\d of 3 layers in the mean of .*valid\.digits \(\d+ positions, decoded \d+ times\)$", said[0]);
        var pasted = Translate("--exit-confidence", said[0].Split(' ')[2]);
        Assert.Equal((tuned.Out, said[1] + "\n"), (pasted.Out, pasted.Error));
        var all = Translate("--exit-budget", "3", "--exit-tune-on", valid);
        Assert.Equal(Translate().Out, all.Out);
        Assert.StartsWith("exits: --exit-confidence 1 takes 3.00 of 3 layers ", all.Error);
    }

    [Fact]
    public void ARandomExitRepeatsWithItsSeed()
    {
        var first = Translate("--exit-random", "3");
        Assert.Equal(0, first.ExitCode);
        Assert.Matches(@"^layers: [12]\.\d\d of 3 in the mean \(1: \d+, 2: \d+, 3: \d+ positions\)\n$", first.Error);
        Assert.Equal(first, Translate("--exit-random", "3"));
        Assert.NotEqual(first.Error, Translate("--exit-random", "4").Error);
    }

    [Fact]
    public void ALimitOfLayersIsKept()
    {
        Assert.Equal(Translate().Out, Translate("--exit-limit", "1000").Out);
        Assert.Equal(Translate("--exit-depth", "1").Out, Translate("--exit-limit", "1").Out);
        Assert.Equal(Translate("--exit-depth", "1").Error, Translate("--exit-limit", "1").Error);
        Assert.Equal(Translate("--exit-depth", "2").Out, Translate("--exit-limit", "1000", "--exit-depth", "2").Out);
        Assert.Matches(@"^layers: [12]\.\d\d of 3 in the mean \(", Translate("--exit-limit", "4").Error);
    }

    [Fact]
    public void WhatDoesNotGoTogetherIsRefused()
    {
        string valid = _folder.PathOf("valid.digits"), none = _folder.PathOf("none");
        Says(2, "cudaseq translate: --exit-budget and --exit-tune-on must be given together.\n", "--exit-budget", "2");
        Says(2, "cudaseq translate: --exit-budget and --exit-tune-on must be given together.\n", "--exit-tune-on", valid);
        Says(2, "cudaseq translate: --exit-budget chooses --exit-confidence or --exit-threshold, neither they nor --exit-depth or --exit-random must be given with it.\n", "--exit-budget", "2", "--exit-tune-on", valid, "--exit-depth", "1");
        Says(2, "cudaseq translate: --exit-threshold must be given with --exit-predicted.\n", "--exit-threshold", "0.3");
        Says(2, "cudaseq translate: --exit-threshold must be probabilities with commas between, got 0.3,2.\n", "--exit-predicted", "--exit-threshold", "0.3,2");
        Says(2, "cudaseq translate: --exit-limit must be a whole number of at least 1, got 0.\n", "--exit-limit", "0");
        Says(1, $"cudaseq: {none}: there is no such file.\n", "--exit-budget", "2", "--exit-tune-on", none);
        Says(1, "cudaseq: ExitBudget: the budget must be from 1 to the decoder's 3 layers, got 4.\n", "--exit-budget", "4", "--exit-tune-on", valid);
        Says(1, "cudaseq: decoder_path must name 3 layers, as many as the model has exit_classifiers, got [1, 2]; an exit ends it earlier.\n", "--decoder-path", "1,2");

        void Says(int code, string message, params string[] options)
        {
            var run = Translate(options);
            Assert.Equal((code, message), (run.ExitCode, run.Error));
        }
    }

    private (int ExitCode, string Out, string Error) Translate(params string[] options)
    {
        var run = Tool.Run(["translate", "--model", _run, .. options], Input);
        return (run.ExitCode, run.Out, run.Error);
    }
}
