using System.Globalization;
using System.Text.RegularExpressions;
using CudaSeq.Kernels;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>The size of a batch, measured.</summary>
public sealed class BatchFitTests : IDisposable
{
    private const int Mebibytes = 24;

    private readonly TemporaryFolder _folder = new();
    private readonly string _recipe;
    private readonly string _out;

    public BatchFitTests()
    {
        var numbers = NumberCorpus.Generate(seed: 3, trainPairs: 2000, testPairs: 20, validPairs: 20);
        foreach (var (name, pairs) in new[] { ("train", numbers.Train), ("valid", numbers.Valid) })
        {
            TextFile.WriteLines(_folder.PathOf($"{name}.digits"), Long(pairs.Select(p => p.Source)));
            TextFile.WriteLines(_folder.PathOf($"{name}.words"), Long(pairs.Select(p => p.Target)));
        }

        _recipe = _folder.File(
            "tiny.json",
            """
            {
              "architecture": "lightconv",
              "model": {
                "model_width": 32, "feed_forward_width": 32, "attention_heads": 2, "encoder_layers": 1, "decoder_layers": 1,
                "encoder_kernel_widths": [3], "decoder_kernel_widths": [3]
              },
              "data": { "train": ["train.digits", "train.words"], "valid": ["valid.digits", "valid.words"], "tokenizer": "word", "joint": true, "max_length": 98 },
              "training": { "batch_tokens": "auto", "max_updates": 2 },
              "decoding": { "max_length_b": 12 }
            }
            """);
        _out = _folder.PathOf("run");

        // Ten numbers a line: the emulated GPU computes whole tiles of attention, however short the lines. Few have more than the 98 words that a batch of 99 tokens lets through.
        static IEnumerable<string> Long(IEnumerable<string> numbers) => numbers.Chunk(10).Select(n => string.Join(' ', n));
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>On a GPU of very little memory: a process of its own, for that is decided when the driver is loaded.</summary>
    [Fact]
    public async Task AutoChoosesWhatFitsAndSaysSo()
    {
        var (code, output, error) = await TrainInLittleMemory();
        Assert.Equal((0, ""), (code, error));

        var chosen = Regex.Match(output, @"(?m)^batch_tokens auto: chose ([\d,]+), which takes ([\d,]+) of the ([\d,]+) bytes that were free$");
        Assert.True(chosen.Success, output);
        long tokens = Number(1), taken = Number(2), free = Number(3);
        Assert.InRange(tokens, 192, 20_000);
        Assert.InRange(free, 16 << 20, Mebibytes << 20);
        Assert.InRange(taken, 0.5 * free, 0.9 * free);
        Assert.Equal((int)tokens, Recipe.Load(Path.Combine(_out, "recipe.json")).Training.BatchTokens);

        long Number(int group) => long.Parse(chosen.Groups[group].Value, NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task AModelThatLeavesNoRoomForABatchIsRefused()
    {
        var (code, _, error) = await TrainInLittleMemory("--set", "model.feed_forward_width=10240");
        Assert.Equal(1, code);
        Assert.Matches(@"^cudaseq: Training: a batch of \d+ tokens must fit into nine tenths of the [\d,]+ bytes that are free\. .*", error);
    }

    [Fact]
    public void TheProcessorIsRefused()
    {
        var run = Tool.Run("train", _recipe, "--data", _folder.PathOf(""), "--out", _out);
        Assert.Equal(2, run.ExitCode);
        Assert.Equal("cudaseq train: training.batch_tokens auto measures the memory of a GPU, on cpu it must be a number: --batch-tokens 4096 is the default.\n", run.Error);
    }

    /// <summary>A run goes on with the number that was measured when it began.</summary>
    [Fact]
    public void AResumedRunKeepsItsNumber()
    {
        Assert.Equal(0, Tool.Run("train", _recipe, "--data", _folder.PathOf(""), "--out", _out, "--batch-tokens", "128").ExitCode);
        var resumed = Tool.Run("train", _recipe, "--data", _folder.PathOf(""), "--out", _out, "--batch-tokens", "auto", "--resume");
        Assert.Equal("", resumed.Error);
        Assert.Equal(0, resumed.ExitCode);

        using var device = new CpuDevice();
        using var experiment = Experiment.Prepare(Recipe.Load(_recipe), _folder.PathOf(""), device, new RunDirectory(_out), resume: true, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(2, experiment.Trainer.State.Update);
    }

    // Two sentences of at most nine tokens never make more than 18, whatever batch_tokens allows: larger sizes would be validation's alone.
    [Theory]
    [InlineData(null, 9 + 7 + 3)]
    [InlineData(1, 9)]
    [InlineData(2, 18)]
    [InlineData(4, 9 + 7 + 3)]
    public void NoLargerThanTheLargestBatchThatThereCanBe(int? sentences, long most)
    {
        using var corpus = Corpus.From((((int, int)[])[(9, 4), (2, 7), (3, 3)]).Select(p => new SentencePair(Enumerable.Repeat(Vocabulary.Eos, p.Item1).ToArray(), Enumerable.Repeat(Vocabulary.Eos, p.Item2).ToArray())));
        Assert.Equal(most, BatchFit.MostTokens(corpus, sentences));
    }

    [Fact]
    public void ANumberOrTheWord()
    {
        Assert.Null(Recipe.Load(_recipe).Training.BatchTokens);
        Assert.Equal(99, Recipe.Load(_recipe, ["training.batch_tokens=99"]).Training.BatchTokens);
        Assert.Contains("\"batch_tokens\": \"auto\"", Recipe.Load(_recipe).ToJson());
        var error = Assert.Throws<RecipeException>(() => Recipe.Load(_recipe, ["training.batch_tokens=most"]));
        Assert.Contains("training.batch_tokens must be a whole number of at least 1, or auto, got \"most\".", error.Message);
    }

    private async Task<(int Code, string Output, string Error)> TrainInLittleMemory(params string[] more)
    {
        Assert.SkipUnless(TestDevices.Cuda == TestDevices.Emulated, "the memory of a real GPU is not ours to choose");
        Assert.SkipWhen(TestDevices.Absence(TestDevices.Emulated) is not null, TestDevices.Absence(TestDevices.Emulated) ?? "");
        var environment = new Dictionary<string, string>
        {
            [CudaVariables.DriverLibrary] = Path.Combine(TestDevices.EmulatorFolder, "libcuda.so.1"),
            ["CUDASEQ_EMULATOR_MEMORY"] = Mebibytes.ToString(CultureInfo.InvariantCulture),
        };
        using var process = ProcessTests.Start(["train", _recipe, "--data", _folder.PathOf(""), "--device", "cuda", "--out", _out, .. more], environment);
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, output, await error);
    }
}
