using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Runs that begin where others ended, and trained models of which not all layers are applied.</summary>
public sealed class InitialParametersTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _recipe;
    private readonly string _trained;

    public InitialParametersTests()
    {
        var numbers = NumberCorpus.Generate(seed: 3, trainPairs: 100, testPairs: 5, validPairs: 10);
        foreach (var (name, pairs) in new[] { ("train", numbers.Train), ("valid", numbers.Valid) })
        {
            TextFile.WriteLines(_folder.PathOf($"{name}.digits"), pairs.Select(p => p.Source));
            TextFile.WriteLines(_folder.PathOf($"{name}.words"), pairs.Select(p => p.Target));
        }

        _recipe = _folder.File(
            "tiny.json",
            """
            {
              "architecture": "transformer",
              "model": { "model_width": 16, "feed_forward_width": 16, "attention_heads": 2, "encoder_layers": 2, "decoder_layers": 2 },
              "data": { "train": ["train.digits", "train.words"], "valid": ["valid.digits", "valid.words"], "tokenizer": "word", "max_length": 20 },
              "training": { "batch_tokens": 256, "learning_rate": 0.01, "warmup_updates": 5, "max_updates": 3 },
              "decoding": { "beam": 2, "max_length_b": 8 }
            }
            """);
        _trained = _folder.PathOf("trained");
        Assert.Equal((0, ""), Run(_trained));
    }

    private string[] Stacked => ["model.encoder_layers=1", "model.encoder_path=1,1", "model.decoder_layers=1", "model.decoder_path=1,1,1", $"training.initialize_from={_trained}", "training.initialize_encoder_layers=2", "training.initialize_decoder_layers=1"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void LayersAreThoseThatWereNamed()
    {
        using var device = new CpuDevice(1);
        var header = Checkpoint.ReadHeader(Path.Combine(_trained, "best.safetensors"));
        using var trained = SequenceModel.Create(header.Config, device, new RandomSource(0));
        Checkpoint.Load(Path.Combine(_trained, "best.safetensors"), trained);
        using var model = SequenceModel.Create(RecurrentStacking2019.Of(header.Config, 2, 3), device, new RandomSource(9));
        InitialParameters.Load(model, new RunDirectory(_trained), [2], [1]);
        var theirs = trained.NamedParameters().ToDictionary(p => p.Name, p => p.Tensor.ToArray());
        foreach (var (name, tensor) in model.NamedParameters())
            Assert.Equal(theirs[name.Replace("encoder.layers.0.", "encoder.layers.1.", StringComparison.Ordinal)], tensor.ToArray());
    }

    // The second phase of depth-adaptive training: a predictor is what the first has not.
    [Fact]
    public void APredictorOfExitsStartsAsItIsDrawn()
    {
        using var device = new CpuDevice(1);
        var header = Checkpoint.ReadHeader(Path.Combine(_trained, "best.safetensors"));
        using var trained = SequenceModel.Create(header.Config, device, new RandomSource(0));
        Checkpoint.Load(Path.Combine(_trained, "best.safetensors"), trained);
        using var model = SequenceModel.Create(DepthAdaptive2020.Aligned(header.Config) with { ExitPredictor = ExitPredictor.Geometric }, device, new RandomSource(9));
        var drawn = model.NamedParameters().ToDictionary(p => p.Name, p => p.Tensor.ToArray());
        InitialParameters.Load(model, new RunDirectory(_trained), [], []);
        var theirs = trained.NamedParameters().ToDictionary(p => p.Name, p => p.Tensor.ToArray());
        Assert.Equal(2, model.NamedParameters().Count(p => !theirs.ContainsKey(p.Name)));
        foreach (var (name, tensor) in model.NamedParameters())
            Assert.Equal(theirs.GetValueOrDefault(name, drawn[name]), tensor.ToArray());
    }

    [Fact]
    public void ARunGoesOnFromAnotherOnesParametersAndWords()
    {
        string stacked = _folder.PathOf("stacked");
        Assert.Equal((0, ""), Run(stacked, Stacked));
        foreach (string file in (string[])["source.vocabulary.txt", "target.vocabulary.txt"])
            Assert.Equal(File.ReadAllText(Path.Combine(_trained, file)), File.ReadAllText(Path.Combine(stacked, file)));
        Assert.Equal(
            Tool.Run(["translate", "--model", stacked, "--token-scores", "--encoder-path", "1,1", "--decoder-path", "1,1,1"], "1 2 3\n").Out,
            Tool.Run(["translate", "--model", stacked, "--token-scores"], "1 2 3\n").Out);
        Assert.Matches(@"decoder path\s+1 1 1 \(3 applications\)", Tool.Run("info", stacked).Out);

        // Whether it did begin there: after three updates of 1e-7, where warm-ups begin, it is still the model of that layer.
        string still = _folder.PathOf("still");
        Assert.Equal((0, ""), Run(still, [.. Stacked, "training.learning_rate=1e-30"]));
        using var device = new CpuDevice(1);
        using var translator = Translator.Load(still, device);
        using var expected = SequenceModel.Create(translator.Model.Config, device, new RandomSource(9));
        InitialParameters.Load(expected, new RunDirectory(_trained), [2], [1]);
        float[] first = [.. expected.NamedParameters().SelectMany(p => p.Tensor.ToArray())], last = [.. translator.Model.NamedParameters().SelectMany(p => p.Tensor.ToArray())];
        Assert.Equal(first.Length, last.Length);
        Assert.All(first.Zip(last), p => Assert.Equal(p.First, p.Second, 1e-6f));

        // Resumed it goes on from itself.
        Assert.Equal((0, ""), Run(stacked, Stacked, "--resume", "--max-updates", "5"));
    }

    [Fact]
    public void ARunLearnsFromATeacherAndResumesBitForBit()
    {
        string[] settings = [$"training.teacher={_trained}", "training.teacher_temperature=2", "model.decoder_layers=1", "training.max_updates=6", "training.validate_every=2"];
        string straight = _folder.PathOf("student"), stopped = _folder.PathOf("stopped"), alone = _folder.PathOf("alone");
        Assert.Equal((0, ""), Run(straight, settings));
        Assert.Equal((0, ""), Run(stopped, [.. settings.Where(s => !s.Contains("max_updates", StringComparison.Ordinal))]));
        Assert.Equal((0, ""), Run(stopped, settings, "--resume"));
        Assert.Equal((0, ""), Run(alone, settings[2..]));
        byte[] last = File.ReadAllBytes(Path.Combine(straight, "last.safetensors"));
        Assert.Equal(last, File.ReadAllBytes(Path.Combine(stopped, "last.safetensors")));
        Assert.NotEqual(last, File.ReadAllBytes(Path.Combine(alone, "last.safetensors")));
        Assert.Equal((2, $"{_recipe} with --set: training.teacher_weight needs training.teacher, got 0.5 alone.\n"), Run(_folder.PathOf("x"), ["training.teacher_weight=0.5"]));
        Assert.Equal((1, $"cudaseq: training.teacher must have this run's vocabularies, that of {_trained} has another for the source; training.initialize_from takes them over.\n"), Run(_folder.PathOf("y"), [settings[0], "data.vocabulary_size=10"]));
    }

    [Fact]
    public void WhatDoesNotFitIsRefused()
    {
        string path = Path.Combine(_trained, "best.safetensors");
        Assert.StartsWith($"cudaseq: {path}: decoder.layers.2.self_attn.k_proj.weight is missing, the model wants it for decoder.layers.0.self_attn.k_proj.weight as [16, 16].", Run(_folder.PathOf("none"), [.. Stacked[..^1], "training.initialize_decoder_layers=3"]).Error);
        Assert.Matches(@": encoder\.embed_tokens\.weight is \[\d+, 16\], the model wants \[\d+, 32\]\.", Run(_folder.PathOf("wide"), [.. Stacked, "model.model_width=32"]).Error);
        Assert.Contains(": attention_heads is 2 there and 4 in this model, whose parameters would mean something else.", Run(_folder.PathOf("heads"), [.. Stacked, "model.attention_heads=4"]).Error);
        Assert.Contains(": pre_norm is false there and true in this model, ", Run(_folder.PathOf("norm"), [.. Stacked, "model.pre_norm=true"]).Error);
        Assert.Equal((2, $"{_recipe} with --set: training.initialize_decoder_layers needs training.initialize_from, got [1,2] alone.\n"), Run(_folder.PathOf("x"), ["training.initialize_decoder_layers=1,2"]));
        Assert.Equal((2, $"{_recipe} with --set: training.initialize_decoder_layers must name a layer for each of the 1, got [1,2].\n"), Run(_folder.PathOf("x"), [.. Stacked[..^1], "training.initialize_decoder_layers=1,2"]));
        Assert.Equal((2, $"{_recipe} with --set: model.decoder_path must name each layer, or it would never learn: 2 is not in [1, 1].\n"), Run(_folder.PathOf("x"), ["model.decoder_path=1,1"]));
    }

    [Fact]
    public void FusedModelsKeepTheirNumberOfLayers()
    {
        string fused = _folder.PathOf("fused");
        Assert.Equal((0, ""), Run(fused, ["model.encoder_fusion=coarse"]));
        Assert.Equal(Tool.Run(["translate", "--model", fused], "1\n"), Tool.Run(["translate", "--model", fused, "--decoder-path", "1,2"], "1\n"));
        Assert.Equal(
            "cudaseq: decoder_path must keep the 2 layers that the weights of encoder_fusion are for, got 1.\n",
            Tool.Run(["translate", "--model", fused, "--decoder-path", "2"], "1\n").Error);
        Assert.Equal(
            "cudaseq: encoder_path must keep the 2 layers that the weights of encoder_fusion are for, got 3.\n",
            Tool.Run(["translate", "--model", fused, "--encoder-path", "1,2,2"], "1\n").Error);
    }

    // A model without the fusion would be another one, of whose layers nobody trained the sum.
    [Fact]
    public void WhatAModelHasNoPlaceForIsRefused()
    {
        string fused = _folder.PathOf("fused"), path = Path.Combine(fused, "best.safetensors");
        Assert.Equal((0, ""), Run(fused, ["model.encoder_fusion=coarse", "model.surface_fusion=hard"]));
        Assert.False(RunLog.Read(fused).IsNormalized);
        string pairs = _folder.File("pairs", "1\n");
        Assert.Matches(
            "(?m)^read as +probabilities of hard surface fusion, which sum to less than 1: not comparable with other models'$",
            Tool.Run("evaluate", "--model", fused, "--input", pairs, "--reference", pairs).Out);
        Assert.Contains("\"normalized\": false", Tool.Run("evaluate", "--model", fused, "--input", pairs, "--reference", pairs, "--json").Out);
        var (code, error) = Run(_folder.PathOf("plain"), [$"training.initialize_from={fused}"]);
        Assert.Equal(1, code);
        string[] lines = error.TrimEnd('\n').Split('\n');
        Assert.Contains($"cudaseq: {path}: decoder.layer_attention.weight is no parameter of this model, which would be another one without it.", lines);
        Assert.Contains(lines, l => l.Contains(": decoder.surface", StringComparison.Ordinal));
        string[] same = [$"training.initialize_from={fused}", "model.encoder_fusion=coarse", "model.surface_fusion=hard"];
        Assert.Contains(": surface_attention_heads is 1 there and 2 in this model, ", Run(_folder.PathOf("heads"), [.. same, "model.surface_attention_heads=2"]).Error);
        Assert.Equal((0, ""), Run(_folder.PathOf("same"), same));
    }

    [Fact]
    public void AModelDecodesThroughOtherLayersWhereItIsTold()
    {
        string whole = Translate();
        Assert.Equal(whole, Translate("--encoder-path", "1,2", "--decoder-path", "1,2"));
        Assert.NotEqual(Scores(), Scores("--decoder-path", "2"));
        Assert.NotEqual(Scores(), Scores("--encoder-path", "1,2,2"));
        Assert.Equal("cudaseq: decoder_path must name layers from 1 to 2, got [3].\n", Tool.Run(["translate", "--model", _trained, "--decoder-path", "3"], "1\n").Error);
        Assert.Equal("cudaseq translate: --decoder-path must be layers from 1 with commas between, got 1,,2.\n", Tool.Run(["translate", "--model", _trained, "--decoder-path", "1,,2"], "1\n").Error);
        var left = Tool.Run(["translate", "--model", _trained, "--exit-depth", "1"], "1 2 3\n4\n");
        Assert.Equal(Translate("--decoder-path", "1"), left.Out);
        Assert.Matches(@"^layers: 1\.00 of 2 in the mean \(1: \d+, 2: 0 positions\)\n$", left.Error);
        Assert.Equal("cudaseq translate: --exit-confidence must be probabilities with commas between, got 2.\n", Tool.Run(["translate", "--model", _trained, "--exit-confidence", "2"], "1\n").Error);
        Assert.Equal("cudaseq translate: --exit-depth, --exit-confidence, --exit-predicted and --exit-random must be given alone.\n", Tool.Run(["translate", "--model", _trained, "--exit-depth", "1", "--exit-confidence", "0.5"], "1\n").Error);
        string[] evaluate = ["evaluate", "--model", _trained, "--input", _folder.PathOf("valid.digits"), "--reference", _folder.PathOf("valid.words")];
        Assert.NotEqual(Tool.Run(evaluate).Out, Tool.Run([.. evaluate, "--decoder-path", "1"]).Out);

        string Translate(params string[] options)
        {
            var run = Tool.Run(["translate", "--model", _trained, .. options], "1 2 3\n4\n");
            Assert.Equal((0, ""), (run.ExitCode, run.Error));
            return run.Out;
        }

        string Scores(params string[] options) => Translate(["--token-scores", .. options]);
    }

    private (int ExitCode, string Error) Run(string folder, string[]? settings = null, params string[] more)
    {
        var run = Tool.Run(["train", _recipe, "--data", _folder.PathOf("."), "--out", folder, .. more, .. settings is null ? Array.Empty<string>() : ["--set", .. settings]]);
        return (run.ExitCode, run.Error);
    }
}
