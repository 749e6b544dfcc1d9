using CudaSeq.Kernels;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>A run from recipe to translation, as a user makes it.</summary>
public sealed class TrainVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _recipe;
    private readonly string _out;

    public TrainVerbTests()
    {
        var numbers = NumberCorpus.Generate(seed: 3, trainPairs: 200, testPairs: 20, validPairs: 20);
        foreach (var (name, pairs) in new[] { ("train", numbers.Train), ("valid", numbers.Valid), ("test", numbers.Test) })
        {
            TextFile.WriteLines(_folder.PathOf($"{name}.digits"), pairs.Select(p => p.Source));
            TextFile.WriteLines(_folder.PathOf($"{name}.words"), pairs.Select(p => p.Target));
        }

        _recipe = _folder.File(
            "tiny.json",
            """
            {
              "architecture": "dynamicconv",
              "model": {
                "model_width": 16, "feed_forward_width": 16, "attention_heads": 2, "encoder_layers": 1, "decoder_layers": 1,
                "encoder_kernel_widths": [3], "decoder_kernel_widths": [3], "encoder_glu": true, "decoder_glu": true
              },
              "data": { "train": ["train.digits", "train.words"], "valid": ["valid.digits", "valid.words"], "test": ["test.digits", "test.words"], "tokenizer": "word", "joint": true, "max_length": 20 },
              "training": { "batch_tokens": 256, "learning_rate": 0.01, "warmup_updates": 5, "max_updates": 8, "validate_every": 4 },
              "decoding": { "beam": 2, "max_length_b": 12 }
            }
            """);
        _out = _folder.PathOf("run");
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("--precision", "fp8", "--set: training.precision must be float32 or bf16, got \"fp8\".\n")]
    [InlineData("--precision", "half", "--set: training.precision must be float32 or bf16, got \"half\".\n")]
    [InlineData("--tf32", "maybe", "cudaseq train: --tf32 must be on or off, got maybe.\n")]
    [InlineData("--precision", "bf16", "cudaseq train: --precision bf16 is for a GPU (--device cuda), cpu computes in float32.\n")]
    [InlineData("--tf32", "on", "cudaseq train: --tf32 on is for a GPU (--device cuda), cpu computes in float32.\n")]
    public void PrecisionsThatAreNotThereAreRefused(string option, string value, string message)
    {
        var run = Tool.Run("train", _recipe, "--data", _folder.PathOf("."), "--out", _out, option, value);
        Assert.NotEqual(0, run.ExitCode);
        Assert.Equal(message, run.Error);
        Assert.False(Directory.Exists(_out));
    }

    [Fact]
    public void TranslationRefusesPrecisionsThatAreNotThere()
    {
        Assert.Equal(0, Train().ExitCode);
        Refuses("cudaseq translate: --precision must be one of float32, bf16, half, got fp8.\n", "--precision", "fp8");
        Refuses("cudaseq translate: --tf32 must be on or off, got 1.\n", "--tf32", "1");
        Refuses("cudaseq translate: --precision half is for a GPU (--device cuda), cpu computes in float32.\n", "--precision", "half");
        Refuses("cudaseq translate: --quantize must be int8, got int4.\n", "--quantize", "int4");

        void Refuses(string message, params string[] options)
        {
            var run = Tool.Run(["translate", "--model", _out, .. options], "1 2 3\n");
            Assert.NotEqual(0, run.ExitCode);
            Assert.Equal(message, run.Error);
            Assert.Equal("", run.Out);
        }
    }

    [Fact]
    public void TrainsTestsAndTranslates()
    {
        var run = Train();
        Assert.Equal("", run.Error);
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("valid  update 8", run.Out);
        Assert.Contains("\nBLEU ", run.Out);
        Assert.DoesNotContain('\e', run.Out);
        foreach (string file in (string[])["best.safetensors", "last.safetensors", "recipe.json", "source.vocabulary.txt", "target.vocabulary.txt", "log.jsonl"])
            Assert.True(File.Exists(Path.Combine(_out, file)), file);

        var translated = Tool.Run(["translate", "--model", _out], "1 2 3\n\n4 5\n");
        Assert.Equal("", translated.Error);
        Assert.Equal(4, translated.Out.Split('\n').Length);
        Assert.Equal("", translated.Out.Split('\n')[1]);

        var quantized = Tool.Run(["translate", "--model", _out, "--quantize", "int8"], "1 2 3\n\n4 5\n");
        Assert.Equal("", quantized.Error);
        Assert.Equal(4, quantized.Out.Split('\n').Length);

        var best = Tool.Run(["translate", "--model", _out, "--beam", "4", "--nbest", "3", "--batch-tokens", "64"], "1 2 3\n4 5");
        Assert.Equal(["1", "1", "1", "2", "2", "2"], best.Out.TrimEnd('\n').Split('\n').Select(l => l.Split('\t')[0]));
        Assert.All(best.Out.TrimEnd('\n').Split('\n'), l => Assert.Equal(3, l.Split('\t').Length));

        string output = _folder.PathOf("out.txt");
        Assert.Equal(0, Tool.Run("translate", "--model", _out, "--input", _folder.PathOf("test.digits"), "--output", output).ExitCode);
        Assert.Equal(20, File.ReadLines(output).Count());

        var info = Tool.Run("info", _out);
        Assert.Equal("", info.Error);
        Assert.Contains("dynamicconv", info.Out);
        Assert.Contains("100.0 %", info.Out);

        var report = Tool.Run("report", _out, "--title", "Tiny");
        Assert.Equal("", report.Error);
        Assert.StartsWith("# Tiny\n", report.Out);
    }

    [Fact]
    public void WhatItSaysToTypeCanBeTyped()
    {
        string folder = _folder.PathOf("a 'run'"), quoted = OperatingSystem.IsWindows() ? $"\"{folder}\"" : $"'{folder.Replace("'", @"'\''", StringComparison.Ordinal)}'";
        var run = Tool.Run("train", _recipe, "--data", _folder.PathOf("."), "--out", folder, "--max-updates", "1");
        Assert.EndsWith($"translate with it: cudaseq translate --model {quoted}\n", run.Out);
    }

    [Fact]
    public void ValidationAndTestCutWordsAsTheRecipeSays()
    {
        Assert.Equal(0, Train("--set", "decoding.bleu_tokenize=none").ExitCode);
        var log = RunLog.Read(_out);
        Assert.All([.. log.Validations, log.Test!], e => Assert.Contains("|tok:none|", (string?)e["signature"]));
        Assert.Equal(3, log.Validations.Count() + 1);
    }

    [Fact]
    public void AStoppedAndResumedRunEqualsOneThatWasNot()
    {
        Assert.Equal(0, Train("--max-updates", "8").ExitCode);
        string half = _folder.PathOf("half");
        Assert.Equal(0, Tool.Run("train", _recipe, "--data", _folder.PathOf("."), "--out", half, "--max-updates", "4").ExitCode);
        var resumed = Tool.Run("train", _recipe, "--data", _folder.PathOf("."), "--out", half, "--max-updates", "8", "--resume");
        Assert.Equal("", resumed.Error);
        Assert.Contains("resuming after update 4", resumed.Out);
        Assert.Equal(File.ReadAllBytes(Path.Combine(_out, "last.safetensors")), File.ReadAllBytes(Path.Combine(half, "last.safetensors")));
    }

    [Fact]
    public void ResumingBeforeTheFirstCheckpointStartsFromTheBeginning()
    {
        var run = Train("--resume");
        Assert.Equal(0, run.ExitCode);
        Assert.StartsWith($"{_out} holds no checkpoint yet: starting from the beginning\n", run.Out);
    }

    [Fact]
    public void ARunIsNeitherOverwrittenNorResumedWithAnotherRecipe()
    {
        Assert.Equal(0, Train("--max-updates", "2").ExitCode);
        byte[] before = File.ReadAllBytes(Path.Combine(_out, "last.safetensors"));
        var again = Train();
        Assert.Equal(2, again.ExitCode);
        Assert.Equal($"cudaseq train: {_out} holds a run already: --resume continues it, --out DIR starts another.\n", again.Error);
        var less = Train("--resume", "--max-updates", "1");
        Assert.Equal((2, "cudaseq train: training.max_updates must be at least the 2 updates that the run has made, got 1.\n"), (less.ExitCode, less.Error));
        var other = Train("--resume", "--seed", "5");
        Assert.Equal(2, other.ExitCode);
        Assert.Equal($"cudaseq train: --resume must go on with the run's own recipe, training.seed was 1 and is 5 ({Path.Combine(_out, "recipe.json")}); what was set on the command line must be set again.\n", other.Error);
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(_out, "last.safetensors")));
    }

    [Fact]
    public void AnInterruptedRunIsSavedAndSaysHowToGoOn()
    {
        using var interruption = new CancellationTokenSource();
        interruption.CancelAfter(TimeSpan.FromSeconds(2));
        var run = Tool.Run(
            ["train", _recipe, "--data", _folder.PathOf("."), "--out", _out, "--max-updates", "1000000", "--set", "training.validate_every=1000000"],
            "",
            cancellation: interruption.Token);
        Assert.Equal(0, run.ExitCode);
        Assert.Matches("^cudaseq: interrupted after update [0-9,]+, which is saved; --resume continues.\n$", run.Error);
        Assert.True(File.Exists(Path.Combine(_out, "last.safetensors")));
    }

    [Fact]
    public void ARunOutOfPatienceSaysSo()
    {
        var run = Train("--max-updates", "1000", "--set", "training.patience=2", "training.schedule=fixed", "training.learning_rate=1e-12", "training.validate_every=1");
        Assert.Equal("", run.Error);
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("\ntraining.patience: the last 2 validations were no new best, ended after update 3\n", run.Out);
    }

    [Fact]
    public void AMissingFileOfTheDataIsNamed()
    {
        File.Delete(_folder.PathOf("valid.words"));
        var run = Train();
        Assert.Equal(1, run.ExitCode);
        Assert.Equal($"cudaseq: {_folder.PathOf("./valid.words")}: there is no such file.\n", run.Error);
    }

    [Fact]
    public void DataToTestOnIsLookedAtBeforeAnythingIsLearned()
    {
        File.Delete(_folder.PathOf("test.words"));
        var missing = Train();
        Assert.Equal(1, missing.ExitCode);
        Assert.Equal($"cudaseq: {_folder.PathOf("./test.words")}: there is no such file.\n", missing.Error);
        TextFile.WriteLines(_folder.PathOf("test.digits"), []);
        TextFile.WriteLines(_folder.PathOf("test.words"), []);
        var empty = Train();
        Assert.Equal(1, empty.ExitCode);
        Assert.Equal($"cudaseq: {_folder.PathOf("./test.digits")}: must have at least one line to test with, got none.\n", empty.Error);
        Assert.False(File.Exists(Path.Combine(_out, "last.safetensors")));
    }

    [Theory]
    [InlineData("train", "1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1", "1 pairs, 1 left out with more than 20 pieces on a side, 0 source and 0 target tokens")]
    [InlineData("valid", "", "0 pairs, 0 source and 0 target tokens")]
    public void NothingLeftOfTheDataIsRefused(string name, string line, string report)
    {
        TextFile.WriteLines(_folder.PathOf($"{name}.digits"), line.Length == 0 ? [] : [line]);
        TextFile.WriteLines(_folder.PathOf($"{name}.words"), line.Length == 0 ? [] : [line]);
        var run = Train();
        Assert.Equal(1, run.ExitCode);
        Assert.Equal($"cudaseq: data.{name}: at least one pair must be left, got none ({_folder.PathOf($"./{name}.digits")}: {report}).\n", run.Error);
    }

    [Fact]
    public void ItsInputIsNotOverwritten()
    {
        Assert.Equal(0, Train("--max-updates", "2").ExitCode);
        string text = _folder.File("text.digits", "1 2\n3\n");
        var run = Tool.Run("translate", "--model", _out, "--input", text, "--output", text);
        Assert.Equal(2, run.ExitCode);
        Assert.Equal($"cudaseq translate: --output must be another file than --input, got {text} for both.\n", run.Error);
        Assert.Equal("1 2\n3\n", File.ReadAllText(text));
    }

    [Fact]
    public void WhiteSpaceGivesAnEmptyLine()
    {
        Assert.Equal(0, Train("--max-updates", "2").ExitCode);
        Assert.Equal(["", "", ""], Tool.Run(["translate", "--model", _out], " \n\t\n").Out.Split('\n'));
    }

    [Fact]
    public void AnApplicationSearchesAsTheRecipeSays()
    {
        Assert.Equal(0, Train("--max-updates", "2").ExitCode);
        using var device = Device.Open("cpu");
        using var translator = Translator.Load(_out, device);
        Assert.Equal((2, 12), (translator.Decoding.Beam, translator.Decoding.MaxLengthB));
        Assert.Equal(Tool.Run(["translate", "--model", _out], "1 2 3\n").Out, translator.Translate("1 2 3") + "\n");
    }

    [Fact]
    public async Task AReaderThatLeavesEndsItQuietly()
    {
        Assert.Equal(0, Train("--max-updates", "2").ExitCode);
        using var process = ProcessTests.Start(["translate", "--model", _out, "--beam", "1"]);
        var error = process.StandardError.ReadToEndAsync();
        var feed = Task.Run(() =>
        {
            try
            {
                while (!process.HasExited)
                    process.StandardInput.WriteLine("1 2 3");
            }
            catch (IOException)
            {
            }
        });
        Assert.NotNull(await process.StandardOutput.ReadLineAsync());
        process.StandardOutput.Close();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }

        Assert.Equal((0, ""), (process.ExitCode, await error));
        await feed;
    }

    [Fact]
    public void NBestNeedsABeamAsWide()
    {
        Assert.Equal(0, Train("--max-updates", "2").ExitCode);
        var run = Tool.Run("translate", "--model", _out, "--nbest", "3");
        Assert.Equal(2, run.ExitCode);
        Assert.Equal("cudaseq translate: --nbest must be at most --beam, got 3 and 2.\n", run.Error);
        Assert.Equal("cudaseq translate: --graphs must be on or off, got maybe.\n", Tool.Run("translate", "--model", _out, "--graphs", "maybe").Error);
    }

    [Fact]
    public void TextThatIsNotUtf8IsRefusedByLine()
    {
        Assert.Equal(0, Train("--max-updates", "2").ExitCode);
        var run = Tool.Run("translate", "--model", _out, "--input", _folder.File("bad.txt", [(byte)'1', (byte)'\n', 0xFF, (byte)'\n']));
        Assert.Equal(1, run.ExitCode);
        Assert.Equal(1, run.Out.Count(c => c == '\n'));
        Assert.Equal($"cudaseq: {_folder.PathOf("bad.txt")}: line 2 is not valid UTF-8 (byte 0xFF at column 1).\n", run.Error);
    }

    private ToolRun Train(params string[] more) => Tool.Run(["train", _recipe, "--data", _folder.PathOf("."), "--out", _out, .. more]);
}
