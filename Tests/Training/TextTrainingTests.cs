using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Runs on texts in files, from the recipe to the last bit of the checkpoint.</summary>
public sealed class TextTrainingTests : IDisposable
{
    private const string Model =
        """
          "task": "language_modeling",
          "architecture": "lightconv",
          "model": { "model_width": 16, "feed_forward_width": 16, "attention_heads": 2, "decoder_layers": 1, "decoder_kernel_widths": [3], "share_embeddings": "decoder" },
          "training": { "batch_tokens": 128, "learning_rate": 0.01, "warmup_updates": 5, "max_updates": 43, "validate_every": 15, "label_smoothing": 0 },
        """;

    private readonly TemporaryFolder _folder = new();

    public TextTrainingTests()
    {
        var numbers = NumberCorpus.Generate(seed: 3, trainPairs: 200, testPairs: 20, validPairs: 20);
        TextFile.WriteLines(_folder.PathOf("train.txt"), numbers.Train.Select((p, i) => i % 7 == 6 ? "" : p.Target));
        TextFile.WriteLines(_folder.PathOf("valid.txt"), numbers.Valid.Select(p => p.Target));
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(SampleBreak.None, """ "tokens_per_sample": 16, "context_window": 4 """, 200)]
    [InlineData(SampleBreak.Complete, """ "tokens_per_sample": 16, "sample_break_mode": "complete" """, 200)]
    [InlineData(SampleBreak.Eos, """ "max_length": 6, "sample_break_mode": "eos" """, null)]
    public void ATextInAFileIsTrainedOnAsInMemoryAndResumedBitForBit(SampleBreak breaks, string data, int? lines)
    {
        string straight = _folder.PathOf("straight"), stopped = _folder.PathOf("stopped"), path = Path.Combine(straight, "train.corpus");
        string first = Run("straight", data, 43).Out;
        var recipe = Models.Recipe.Load(Path.Combine(straight, "recipe.json"));
        Assert.Equal(breaks, recipe.Data.SampleBreakMode);
        var codec = new TextCodec(new WordTokenizer(), Vocabulary.Build(new WordTokenizer(), TextFile.ReadLines(_folder.PathOf("train.txt"))));
        var train = TokenBlocks.Load(_folder.PathOf("train.txt"), codec, breaks, recipe.Data.TokensPerSample, context: 0, recipe.Data.MaxLength);
        Assert.True(lines is { } all ? train.Measures.Lines == all : train.TooLong is > 10 and < 150, $"{train}");
        Assert.Contains($"{path}: {train.Measures.Lines} lines in ids, made\n", first);
        Assert.Contains($"{_folder.PathOf(".")}{train.ToString()[_folder.PathOf("").Length..]}\n", first);

        using (var device = new CpuDevice(2))
        {
            var random = new RandomSource(recipe.Training.Seed);
            using var model = AutoregressiveModel.Create(recipe.Model with { TargetVocabulary = codec.Vocabulary.Count }, device, random);
            var directory = new RunDirectory(_folder.PathOf("memory"));
            var valid = TokenBlocks.Load(_folder.PathOf("valid.txt"), codec, breaks, recipe.Data.TokensPerSample, recipe.Data.ContextWindow);
            using var trainer = new Trainer(
                model, new TrainingData { Source = codec, Target = codec, Train = train, Valid = valid }, RecipeOptions.Training(recipe, 128, null), random, directory);
            trainer.Run();
            Equal(straight, directory.Path);
        }

        foreach (int updates in (int[])[3, 14, 15, 31, 43])
        {
            string said = Run("stopped", data, updates, updates == 3 ? [] : ["--resume"]).Out;
            Assert.Contains($"{stopped}/train.corpus: {train.Measures.Lines} lines in ids, made{(updates == 3 ? "" : " before")}\n", said);
        }

        Equal(straight, stopped);
        Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(Path.Combine(stopped, "train.corpus")));
        var state = Checkpoint.ReadHeader(Path.Combine(straight, "last.safetensors")).State;
        Assert.True(state is { Epoch: >= 1, Batch: > 0 }, $"{state}");
    }

    [Fact]
    public void ALostOrDamagedFileOfIdsIsMadeAgainWhenARunResumes()
    {
        const string Data = """ "tokens_per_sample": 16 """;
        Run("straight", Data, 43);
        string stopped = _folder.PathOf("stopped"), path = Path.Combine(stopped, "train.corpus"), text = _folder.PathOf("train.txt");
        Run("stopped", Data, 5);
        byte[] whole = File.ReadAllBytes(path);
        File.Delete(path);
        Assert.Contains($"{path}: 200 lines in ids, made\n", Run("stopped", Data, 10, "--resume").Out);
        File.WriteAllBytes(path, whole[..1000]);
        Assert.Contains($"{path}: 200 lines in ids, made anew: what was there must have ", Run("stopped", Data, 20, "--resume").Out);
        Assert.Equal(whole, File.ReadAllBytes(path));

        // As long as it was: a run does not go on with another text.
        string words = File.ReadAllText(text);
        File.WriteAllText(text, words.Replace("one", "six", StringComparison.Ordinal));
        var refused = Try("stopped", Data, 30, "--resume");
        Assert.Contains($"{path}: 200 lines in ids, made anew: what was there was made of another text than {_folder.PathOf(".")}/train.txt\n", refused.Out);
        Assert.Equal(1, refused.ExitCode);
        Assert.StartsWith("cudaseq: last.safetensors: was trained on ", refused.Error);
        File.WriteAllText(text, words);
        Assert.Contains($"{path}: 200 lines in ids, made anew: what was there was made of another text than ", Run("stopped", Data, 43, "--resume").Out);
        Assert.Equal(whole, File.ReadAllBytes(path));
        Equal(_folder.PathOf("straight"), stopped);

        // What is no corpus stays.
        File.WriteAllText(path, "my notes");
        refused = Try("stopped", Data, 43, "--resume");
        Assert.Equal((1, $"cudaseq: {path}: is no corpus of CudaSeq, so it is not overwritten; remove it or name another.\n"), (refused.ExitCode, refused.Error));
        Assert.Equal("my notes", File.ReadAllText(path));
    }

    [Fact]
    public void ATextOfWhichNothingIsLeftIsRefused()
    {
        TextFile.WriteLines(_folder.PathOf("train.txt"), ["one two three four five six seven"]);
        var refused = Try("none", """ "max_length": 6, "sample_break_mode": "eos" """, 5);
        Assert.Equal(
            (1, $"cudaseq: data.train: at least one line must be left, got none ({_folder.PathOf(".")}/train.txt: 0 lines, 1 left out with more pieces than data.max_length, 0 tokens in 0 blocks).\n"),
            (refused.ExitCode, refused.Error));
    }

    private static void Equal(string expected, string actual)
    {
        foreach (string file in (string[])["last.safetensors", "best.safetensors"])
            Assert.True(File.ReadAllBytes(Path.Combine(expected, file)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(actual, file))), $"{actual}/{file}");
    }

    private ToolRun Run(string name, string data, int updates, params string[] more)
    {
        var run = Try(name, data, updates, more);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        return run;
    }

    private ToolRun Try(string name, string data, int updates, params string[] more)
    {
        string recipe = _folder.File($"{name}.json", $$"""{ {{Model}} "data": { "train": ["train.txt"], "valid": ["valid.txt"], "tokenizer": "word", {{data}} } }""");
        return Tool.Run(["train", recipe, "--data", _folder.PathOf("."), "--out", _folder.PathOf(name), "--max-updates", $"{updates}", .. more]);
    }
}
