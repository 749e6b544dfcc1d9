using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>A plan from its file to its table.</summary>
public sealed class ReproduceVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _plan;

    public ReproduceVerbTests()
    {
        var numbers = NumberCorpus.Generate(seed: 3, trainPairs: 60, testPairs: 6, validPairs: 6);
        foreach (var (name, pairs) in new[] { ("train", numbers.Train), ("valid", numbers.Valid), ("test", numbers.Test) })
        {
            TextFile.WriteLines(_folder.PathOf($"{name}.digits"), pairs.Select(p => p.Source));
            TextFile.WriteLines(_folder.PathOf($"{name}.words"), pairs.Select(p => p.Target));
        }

        _folder.File(
            "tiny.json",
            """
            {
              "architecture": "transformer",
              "model": { "model_width": 16, "feed_forward_width": 16, "attention_heads": 2, "encoder_layers": 1, "decoder_layers": 2 },
              "data": { "train": ["train.digits", "train.words"], "valid": ["valid.digits", "valid.words"], "test": ["test.digits", "test.words"], "tokenizer": "word", "joint": true, "max_length": 20 },
              "training": { "batch_tokens": 256, "learning_rate": 0.01, "warmup_updates": 5, "max_updates": 4, "validate_every": 2 },
              "decoding": { "beam": 2, "max_length_b": 12 }
            }
            """);
        _plan = _folder.File(
            "plan.json",
            """
            {
              "title": "Tiny", "paper": "Nobody", "recipe": "tiny.json", "seeds": [1, 2], "rounds": 2,
              "rows": [
                { "name": "all layers", "set": ["model.adaptive_depth=aligned"] },
                { "name": "on", "from": "all layers", "set": ["training.max_updates=2"] },
                { "name": "taught", "teacher": "on" },
                { "name": "distilled", "distilled": "taught" },
                { "name": "first layer", "of": "all layers", "decode": ["--exit-depth", "1"] }
              ],
              "claims": [{ "text": "Less is faster", "faster": ["first layer", "all layers"] }, { "text": "One layer", "shallow": ["first layer"], "most_depth": 1 }]
            }
            """);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void EveryRowIsRunOnceAndTheTableIsMadeOfTheLog()
    {
        var run = Reproduce();
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var log = PaperLog.Read(_folder.PathOf("out/plan.jsonl"));
        Assert.Equal(10, log.Results.Count);
        Assert.All(log.Results, r => Assert.InRange(r.Bleu!.Value, 0, 100));
        Assert.All(log.Results, r => Assert.True(r.LayerParameters > 0 && r.Parameters > r.LayerParameters));
        Assert.All(log.Of("all layers"), r => Assert.Equal((4, (double?)null), (r.Updates, r.Depth)));
        Assert.All(log.Of("on"), r => Assert.Equal(2, r.Updates));
        Assert.All(log.Of("first layer"), r => Assert.Equal((0, (double?)1), (r.Updates, r.Depth)));
        Assert.Equal([2, 2], log.Speeds.Select(s => s.SecondSeconds.Count));
        Assert.Contains("holds          One layer (first layer 1.00 layers, at most 1)\n", run.Out);

        // What was learned from whom is in the run's own recipe.
        Assert.EndsWith("all-layers-2", Recipe.Load(_folder.PathOf("out/on-2/recipe.json")).Training.InitializeFrom);
        Assert.EndsWith("on-1", Recipe.Load(_folder.PathOf("out/taught-1/recipe.json")).Training.Teacher);
        string distilled = Recipe.Load(_folder.PathOf("out/distilled-1/recipe.json")).Data.Train![0].Files.Target;
        Assert.Equal(60, File.ReadAllLines(distilled).Length);
        Assert.Contains("$PWD", log.Of("distilled")[0].Origin.Command);

        // Again nothing is run; with another row that one alone is.
        var times = Directory.EnumerateFiles(_folder.PathOf("out"), "best.safetensors", SearchOption.AllDirectories).ToDictionary(f => f, File.GetLastWriteTimeUtc);
        string text = File.ReadAllText(_folder.PathOf("out/plan.jsonl"));
        Assert.Equal(0, Reproduce().ExitCode);
        Assert.Equal(text, File.ReadAllText(_folder.PathOf("out/plan.jsonl")));
        File.WriteAllText(_plan, File.ReadAllText(_plan).Replace("\"rows\": [", "\"rows\": [ { \"name\": \"more\", \"set\": [\"training.max_updates=3\"] },"));
        Assert.Equal(0, Reproduce("--row", "more").ExitCode);
        Assert.Equal(12, PaperLog.Read(_folder.PathOf("out/plan.jsonl")).Results.Count);
        Assert.All(times, t => Assert.Equal(t.Value, File.GetLastWriteTimeUtc(t.Key)));

        var keep = Reproduce("--keep", _folder.PathOf("results/papers"));
        Assert.Equal(new ToolRun(0, _folder.PathOf("results/papers/plan.jsonl") + "\n", ""), keep);
        Assert.Equal(new ToolRun(0, _folder.PathOf("results/papers.md") + "\n", ""), Tool.Run("report", "--pages", _folder.PathOf("results")));
    }

    [Fact]
    public void AnAnalysisIsRunOnceAndItsFiguresAreKept()
    {
        File.WriteAllText(
            _plan,
            """
            {
              "title": "Tiny", "paper": "Nobody", "recipe": "tiny.json", "seeds": [1, 2],
              "rows": [
                { "name": "fused", "set": ["model.encoder_fusion=fine", "training.max_updates=2"] },
                {
                  "name": "weights", "of": "fused", "analyze": ["layer-attention"],
                  "figures": [
                    { "name": "Emb in 1", "at": ["/results/weights/0/0"], "published": "0.13" }, { "name": "Emb in 2", "at": ["/results/weights/1/0"] },
                    { "name": "both", "at": ["/results/weights/0/0", "/results/weights/0/1"] }
                  ]
                },
                { "name": "lesions", "of": "fused", "analyze": ["lesion", "--input", "$DATA/valid.digits", "--reference", "$DATA/valid.words"], "figures": [{ "name": "lines", "at": ["/results/lines"] }] }
              ],
              "claims": [{ "text": "Half", "above": ["both"], "bound": 0.49 }, { "text": "All lines", "highest": ["lines", "both"] }]
            }
            """);
        var run = Reproduce();
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var log = PaperLog.Read(_folder.PathOf("out/plan.jsonl"));
        Assert.Equal(6, log.Results.Count);
        Assert.All(log.Of("weights"), r => Assert.Equal(0.5, r.Figures![2].Value!.Value, 6));
        Assert.All(log.Of("weights"), r => Assert.InRange(r.Figures![0].Value!.Value, 0.01, 0.99));
        Assert.All(log.Of("weights"), r => Assert.Equal((0, (double?)null), (r.Updates, r.Bleu)));
        Assert.All(log.Of("lesions"), r => Assert.Equal(6, r.Figures![0].Value));
        Assert.Null(log.Of("fused")[0].Figures);
        Assert.Equal($"cudaseq analyze lesion --model {_folder.PathOf("out")}/fused-2 --input $CUDASEQ_DATA/valid.digits --reference $CUDASEQ_DATA/valid.words --out {_folder.PathOf("out")}/lesions-2", log.Of("lesions")[1].Origin.Command);
        Assert.Contains("holds          Half (both 0.5, above 0.49)\n", run.Out);
        Assert.Matches(@"\nanalysis +figure +here +published\n(.*\n)?weights +Emb in 1 +0\.\d+ ± [\d.E-]+ +0\.13\n", run.Out);

        // Again nothing is run; what is asked for anew is looked for, and that alone.
        string json = _folder.PathOf("out/weights-1/layer-attention.json"), text = File.ReadAllText(_folder.PathOf("out/plan.jsonl"));
        var times = Directory.EnumerateFiles(_folder.PathOf("out"), "*", SearchOption.AllDirectories).Where(f => !f.EndsWith(".jsonl", StringComparison.Ordinal)).ToDictionary(f => f, File.GetLastWriteTimeUtc);
        Assert.Contains(json, times.Keys);
        Assert.Equal(0, Reproduce().ExitCode);
        Assert.Equal(text, File.ReadAllText(_folder.PathOf("out/plan.jsonl")));
        Assert.All(times, t => Assert.Equal(t.Value, File.GetLastWriteTimeUtc(t.Key)));
        File.WriteAllText(_plan, File.ReadAllText(_plan).Replace("/weights/0/1\"", "/weights/1/0\"").Replace("0.49", "0"));
        Assert.Equal(0, Reproduce().ExitCode);
        var again = PaperLog.Read(_folder.PathOf("out/plan.jsonl")).Of("weights")[0].Figures!;
        Assert.Equal((again[0].Value + again[1].Value) / 2, again[2].Value);
        Assert.Equal([.. times.Keys.Where(f => f.Contains("weights-", StringComparison.Ordinal)).Order()], times.Where(t => t.Value != File.GetLastWriteTimeUtc(t.Key)).Select(t => t.Key).Order());
    }

    [Fact]
    public void AnAnalysisThatCannotBeRunIsSaidBeforeAnyTraining()
    {
        File.WriteAllText(
            _plan,
            """{ "title": "T", "paper": "P", "recipe": "tiny.json", "rows": [{ "name": "a" }, { "name": "b", "of": "a", "analyze": ["lesion", "--beams", "1"], "figures": [{ "name": "f", "at": ["/x"] }] }] }""");
        Assert.StartsWith("cudaseq reproduce: unknown option --beams", Reproduce().Error);
        Assert.False(Directory.Exists(_folder.PathOf("out")));
    }

    [Fact]
    public void WhatDependsOnAChangedRowIsRunAgain()
    {
        Plan("""{ "name": "a", "set": ["training.max_updates=2"] }, { "name": "b", "of": "a", "decode": ["--beam", "1"] }, { "name": "c", "set": ["training.max_updates=2", "training.learning_rate=0.02"] }""", """{ "text": "f", "faster": ["b", "c"] }""");
        var first = Reproduce();
        Assert.Equal((0, ""), (first.ExitCode, first.Error));
        string log = File.ReadAllText(_folder.PathOf("out/plan.jsonl"));

        Plan("""{ "name": "a", "set": ["training.max_updates=3"] }, { "name": "b", "of": "a", "decode": ["--beam", "1"] }, { "name": "c", "set": ["training.max_updates=2", "training.learning_rate=0.02"] }""", """{ "text": "f", "faster": ["b", "c"] }""");
        var refused = Reproduce();
        Assert.Equal(2, refused.ExitCode);
        Assert.StartsWith($"note: 3 results in {_folder.PathOf("out")}", refused.Error);
        Assert.Matches(@"a-1 must hold nothing or a run of this plan and recipe \([0-9a-f]{16}\), it holds one of another \([0-9a-f]{16}\): delete it, or choose another folder with --out\.\n$", refused.Error);
        Assert.Equal(log, File.ReadAllText(_folder.PathOf("out/plan.jsonl")));
        Assert.StartsWith("note: 3 results", Reproduce("--keep", _folder.PathOf("kept")).Error);
        Assert.Equal("c", Assert.Single(PaperLog.Read(_folder.PathOf("kept/plan.jsonl")).Results).Row);

        Directory.Delete(_folder.PathOf("out/a-1"), recursive: true);
        var again = Reproduce();
        Assert.Equal(0, again.ExitCode);
        Assert.Contains("b beside c, seed 1", again.Out);
        Assert.DoesNotContain("c, seed 1\n", again.Out.Replace("b beside c, seed 1\n", "", StringComparison.Ordinal));
        Assert.Equal([3L], PaperLog.Read(_folder.PathOf("out/plan.jsonl")).Of("a").Select(r => r.Updates));
        var last = Reproduce();
        Assert.Equal((0, ""), (last.ExitCode, last.Error));

        // The recipe itself, too.
        File.WriteAllText(_folder.PathOf("tiny.json"), File.ReadAllText(_folder.PathOf("tiny.json")).Replace("\"warmup_updates\": 5", "\"warmup_updates\": 4", StringComparison.Ordinal));
        Assert.StartsWith("note: 4 results", Reproduce().Error);

        void Plan(string rows, string claim) => File.WriteAllText(_plan, $$"""{ "title": "T", "paper": "P", "recipe": "tiny.json", "rounds": 1, "rows": [{{rows}}], "claims": [{{claim}}] }""");
    }

    /// <summary>A log goes on where its models are not: what is still to do decides which are trained again.</summary>
    [Fact]
    public void ALogGoesOnOnAnotherMachine()
    {
        File.WriteAllText(
            _plan,
            """
            { "title": "T", "paper": "P", "recipe": "tiny.json", "rounds": 1,
              "rows": [{ "name": "a", "set": ["training.max_updates=2"] }, { "name": "b", "of": "a", "decode": ["--beam", "1"] }, { "name": "c", "set": ["training.max_updates=2", "model.dropout=0.2"] }],
              "claims": [{ "text": "f", "faster": ["b", "a"] }] }
            """);
        Assert.Equal(0, Reproduce().ExitCode);
        string path = _folder.PathOf("out/plan.jsonl"), whole = File.ReadAllText(path);
        Directory.Delete(_folder.PathOf("out/a-1"), recursive: true);
        Directory.Delete(_folder.PathOf("out/c-1"), recursive: true);
        Assert.DoesNotContain("seed 1\n", Reproduce().Out);
        Assert.Equal(whole, File.ReadAllText(path));

        // Only the comparison is missing, then only the row that decodes.
        foreach (string lost in (string[])["{\"speed\":", "{\"result\":{\"row\":\"b\""])
        {
            string[] left = [.. whole.Split('\n').Where(l => !l.StartsWith(lost, StringComparison.Ordinal))];
            Assert.NotEqual(whole.Split('\n').Length, left.Length);
            File.WriteAllText(path, string.Join('\n', left));
            var run = Reproduce();
            Assert.Equal((0, ""), (run.ExitCode, run.Error));
            Assert.Contains("a, seed 1\n", run.Out);
            Assert.DoesNotContain("c, seed 1\n", run.Out);
            Assert.True(File.Exists(_folder.PathOf("out/a-1/best.safetensors")));
            var log = PaperLog.Read(path);
            Assert.Equal((3, 1), (log.Results.Count, log.Speeds.Count));
            Directory.Delete(_folder.PathOf("out/a-1"), recursive: true);
        }
    }

    [Fact]
    public void RowsThatNeedAFailedOneFailWithItAndTheOthersGoOn()
    {
        File.WriteAllText(
            _plan,
            """
            { "title": "T", "paper": "P", "recipe": "tiny.json",
              "rows": [{ "name": "a", "set": ["training.learning_rate=1e30"] }, { "name": "decoded", "of": "a" }, { "name": "on", "from": "a" }, { "name": "alone", "set": ["training.max_updates=2"] }],
              "claims": [{ "text": "f", "faster": ["decoded", "alone"] }] }
            """);
        var run = Reproduce();
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var log = PaperLog.Read(_folder.PathOf("out/plan.jsonl"));
        Assert.Equal(["a failed", "a failed"], new[] { "decoded", "on" }.Select(r => Assert.Single(log.Of(r)).Failure));
        Assert.NotNull(Assert.Single(log.Of("alone")).Bleu);
        Assert.Contains("does not show  f (not compared: decoded failed)\n", run.Out);
    }

    [Fact]
    public void ATrainingWhoseLossIsNotFiniteIsAResult()
    {
        File.WriteAllText(_plan, """{ "title": "T", "paper": "P", "recipe": "tiny.json", "rows": [{ "name": "a", "set": ["training.learning_rate=1e30"] }], "claims": [{ "text": "fails", "diverge": ["a"] }] }""");
        var run = Reproduce();
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var result = Assert.Single(PaperLog.Read(_folder.PathOf("out/plan.jsonl")).Results);
        Assert.StartsWith("loss not finite at update ", result.Failure);
        Assert.Null(result.Bleu);
        Assert.Contains("holds          fails (a loss not finite at update ", run.Out);
    }

    [Fact]
    public void ARowMayHaveSeedsOfItsOwn()
    {
        File.WriteAllText(_plan, """{ "title": "T", "paper": "P", "recipe": "tiny.json", "seeds": [1], "rows": [{ "name": "a", "set": ["training.max_updates=1"], "seeds": [2, 1] }, { "name": "b", "of": "a", "decode": ["--beam", "1"] }] }""");
        Assert.Equal((0, ""), (Reproduce().ExitCode, Reproduce().Error));
        Assert.Equal([("a", 1UL), ("b", 1UL), ("a", 2UL)], PaperLog.Read(_folder.PathOf("out/plan.jsonl")).Results.OrderBy(r => r.Seed).ThenBy(r => r.Row).Select(r => (r.Row, r.Seed)));
        Assert.Equal("2", Recipe.Load(_folder.PathOf("out/a-2/recipe.json")).Training.Seed.ToString());
    }

    [Fact]
    public void ARowMayHaveItsExitsChosenOnAText()
    {
        string plan = """{ "title": "T", "paper": "P", "recipe": "tiny.json", "seeds": [1], "rows": [{ "name": "a", "set": ["model.adaptive_depth=aligned"] }, { "name": "b", "of": "a", "decode": ["--exit-budget", "1.5", "--exit-tune-on", "TEXT"] }] }""";
        File.WriteAllText(_plan, plan.Replace("TEXT", _folder.PathOf("valid.digits").Replace('\\', '/'), StringComparison.Ordinal));
        var run = Reproduce();
        Assert.Equal(0, run.ExitCode);
        Assert.Matches(@"^exits: --exit-confidence [01]\S* takes 1\.[0-5]\d of 2 layers in the mean of [^\n]*valid\.digits \(\d+ positions, decoded \d+ times\)\n$", run.Error);
        Assert.InRange(Assert.Single(PaperLog.Read(_folder.PathOf("out/plan.jsonl")).Of("b")).Depth!.Value, 1, 2);
    }

    [Fact]
    public void AnInterruptedRunGoesOnWithTheSameCommand()
    {
        using var soon = new CancellationTokenSource();
        soon.Cancel();
        var run = Tool.Run(["reproduce", _plan, "--data", _folder.PathOf("."), "--out", _folder.PathOf("out")], "", cancellation: soon.Token);
        Assert.Equal(0, run.ExitCode);
        Assert.StartsWith("cudaseq: interrupted; 0 results are in", run.Error);
        Assert.Single(run.Error.TrimEnd('\n').Split('\n'));
        Assert.Equal(0, Reproduce("--row", "all layers").ExitCode);
        Assert.Equal(2, PaperLog.Read(_folder.PathOf("out/plan.jsonl")).Results.Count);
    }

    // In the middle of a training: one line says so, the training's own does not, and what is gone on with is what would have been.
    [Fact]
    public void InterruptedWhileItTrainsItGoesOnToTheSameResult()
    {
        File.WriteAllText(_plan, """{ "title": "T", "paper": "P", "recipe": "tiny.json", "rows": [{ "name": "a", "set": ["training.max_updates=6"] }, { "name": "b" }] }""");
        using var stop = new CancellationTokenSource();
        using var output = new Watched("valid  update 2 ", stop.Cancel);
        var run = Tool.Run(["reproduce", _plan, "--data", _folder.PathOf("."), "--out", _folder.PathOf("out")], "", cancellation: stop.Token, output: output);
        Assert.Equal($"cudaseq: interrupted; 0 results are in {_folder.PathOf("out/plan.jsonl")}, the same command goes on.\n", run.Error);
        Assert.Equal(0, run.ExitCode);
        Assert.InRange(Checkpoint.ReadHeader(_folder.PathOf("out/a-1/last.safetensors")).State.Update, 2, 5);
        Assert.Equal((0, ""), (Reproduce().ExitCode, Reproduce().Error));
        var straight = Tool.Run("reproduce", _plan, "--data", _folder.PathOf("."), "--out", _folder.PathOf("straight"));
        Assert.Equal(0, straight.ExitCode);
        Assert.Equal(File.ReadAllBytes(_folder.PathOf("straight/a-1/last.safetensors")), File.ReadAllBytes(_folder.PathOf("out/a-1/last.safetensors")));
        var results = PaperLog.Read(_folder.PathOf("out/plan.jsonl")).Results;
        Assert.Equal(["a", "b"], results.Select(r => r.Row));
        Assert.Equal(PaperLog.Read(_folder.PathOf("straight/plan.jsonl")).Results.Select(r => (r.Bleu, r.ValidationLoss, r.Updates)), results.Select(r => (r.Bleu, r.ValidationLoss, r.Updates)));
    }

    [Fact]
    public void TheTextsOfAMadeTaskAreMadeWhereTheyAreNot()
    {
        _folder.File(
            "made.json",
            """
            {
              "architecture": "transformer",
              "model": { "model_width": 8, "feed_forward_width": 8, "attention_heads": 1, "encoder_layers": 1, "decoder_layers": 1 },
              "data": { "folder": "noisy-runs", "train": ["train.source", "train.target"], "valid": ["valid.source", "valid.target"], "test": ["test.source", "test.target"], "tokenizer": "word", "joint": true },
              "training": { "batch_tokens": 256, "learning_rate": 0.01, "warmup_updates": 1, "max_updates": 1 },
              "decoding": { "beam": 1, "max_length_a": 0, "max_length_b": 1 }
            }
            """);
        string plan = _folder.File("made-plan.json", """{ "title": "Made", "paper": "Nobody", "recipe": "made.json", "rows": [{ "name": "one" }], "claims": [] }""");
        var run = Tool.Run("reproduce", plan, "--out", _folder.PathOf("made"));
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains($"made noisy-runs in {_folder.PathOf("made/data")}\n", run.Out);
        Assert.Equal(SyntheticCorpora.All.Single(c => c.Name == "noisy-runs").TrainPairs, File.ReadLines(_folder.PathOf("made/data/train.source")).Count());
        Assert.Single(PaperLog.Read(_folder.PathOf("made/made-plan.jsonl")).Results);
        Assert.Equal(0, Tool.Run("data", "make", "noisy-runs", "--folder", _folder.PathOf("there")).ExitCode);
        Assert.Equal(File.ReadAllText(_folder.PathOf("there/noisy-runs/train.source")), File.ReadAllText(_folder.PathOf("made/data/train.source")));
    }

    [Fact]
    public void WhatCannotBeRunIsSaid()
    {
        Assert.Equal("cudaseq reproduce: --row must be a row of the plan, got most; the rows are all layers; on; taught; distilled; first layer.\n", Reproduce("--row", "most").Error);
        Assert.Equal("cudaseq reproduce: row \"on\" needs row \"all layers\" with seed 1, which was not run.\n", Reproduce("--row", "on").Error);
        Assert.StartsWith("cudaseq reproduce: --keep needs results, ", Reproduce("--keep", _folder.PathOf("results")).Error);
        Assert.StartsWith("cudaseq: nothing: must be a plan or the name of one in recipes/papers", Tool.Run("reproduce", "nothing").Error);
        File.WriteAllText(_plan, """{ "title": "T", "paper": "P", "recipe": "tiny.json", "rows": [{ "name": "a", "set": ["model.dropout=2"] }] }""");
        Assert.Equal("--set: model.dropout must be a number of at least 0 and below 1, got 2.\n", Reproduce().Error);
        File.WriteAllText(_plan, """{ "title": "T", "paper": "P", "recipe": "tiny.json", "rows": [{ "name": "a" }, { "name": "b", "of": "a", "decode": ["--beem", "2"] }] }""");
        Assert.StartsWith("cudaseq reproduce: unknown option --beem, did you mean --beam?", Reproduce().Error);
        Assert.False(Directory.Exists(_folder.PathOf("out")));
    }

    private ToolRun Reproduce(params string[] more) => Tool.Run(["reproduce", _plan, "--data", _folder.PathOf("."), "--out", _folder.PathOf("out"), .. more]);

    // Hears a text once it is written.
    private sealed class Watched(string text, Action hear) : StringWriter
    {
        public override void Write(string? value)
        {
            base.Write(value);
            Look();
        }

        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            Look();
        }

        private void Look()
        {
            if (ToString().Contains(text, StringComparison.Ordinal))
                hear();
        }
    }
}
