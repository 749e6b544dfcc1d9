using System.Diagnostics;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>A run on text that its memory could not hold.</summary>
public sealed class CorpusMemoryTests : IDisposable
{
    private const int Lines = 400_000;
    private const int Words = 12;

    private readonly TemporaryFolder _folder = new();
    private readonly Random _random = new(3);

    public void Dispose() => _folder.Dispose();

    // The ids alone have 400,000 * 2 * 13 * 4 = 42 MB and the lines 54 MB as strings; what an epoch needs is 400,000 * 12 = 5 MB.
    [Fact]
    public async Task ManagedMemoryDoesNotGrowWithTheText()
    {
        foreach (string side in (string[])["a", "b"])
            Write(side, Lines);
        await TrainAndResume(
            "400,000 pairs",
            """
              "architecture": "lightconv",
              "model": {
                "model_width": 8, "feed_forward_width": 8, "attention_heads": 2, "encoder_layers": 1, "decoder_layers": 1,
                "encoder_kernel_widths": [3], "decoder_kernel_widths": [3]
              },
              "data": { "train": ["train.a", "train.b"], "valid": ["valid.a", "valid.b"], "tokenizer": "subword_nmt", "merges": 100, "max_length": 40 },
              "decoding": { "beam": 1, "max_length_b": 5 },
            """);
    }

    // The ids alone have 800,000 * 13 * 4 = 42 MB; what an epoch needs is 800,000 * 12 = 10 MB where every line is a block, and 200,000 * (8 + 12) = 4 MB with blocks of four lines.
    [Theory]
    [InlineData(""" "tokens_per_sample": 64 """)]
    [InlineData(""" "tokens_per_sample": 64, "sample_break_mode": "complete" """)]
    [InlineData(""" "max_length": 40, "sample_break_mode": "eos" """)]
    public async Task ManagedMemoryDoesNotGrowWithTheTextOfALanguageModel(string data)
    {
        Write("a", 2 * Lines);
        await TrainAndResume(
            "800,000 lines",
            $$"""
              "task": "language_modeling",
              "architecture": "lightconv",
              "model": { "model_width": 8, "feed_forward_width": 8, "attention_heads": 2, "decoder_layers": 1, "decoder_kernel_widths": [3], "share_embeddings": "decoder" },
              "data": { "train": ["train.a"], "valid": ["valid.a"], "tokenizer": "word", {{data}} },
            """);
    }

    private void Write(string side, int lines)
    {
        TextFile.WriteLines(
            _folder.PathOf($"train.{side}"), Enumerable.Range(0, lines).Select(_ => string.Join(' ', Enumerable.Range(0, Words).Select(_ => $"w{_random.Next(1000)}"))));
        TextFile.WriteLines(_folder.PathOf($"valid.{side}"), Enumerable.Repeat("w1 w2 w3", 5));
    }

    // The runtime ends a process whose heap would exceed the limit.
    private async Task TrainAndResume(string amount, string keys)
    {
        const int LimitBytes = 32 << 20;
        string recipe = _folder.File("large.json", $$"""{ {{keys}} "training": { "batch_tokens": 200, "max_updates": 3 } }""");
        foreach (int run in (int[])[0, 1])
        {
            var start = Tool.StartInfo("train", recipe, "--data", _folder.PathOf("."), "--out", _folder.PathOf("run"), "--max-updates", run == 0 ? "3" : "5", run == 0 ? "--seed=1" : "--resume");
            start.Environment["DOTNET_GCHeapHardLimit"] = $"{LimitBytes:X}";
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync();
            string output = await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            Assert.Equal("", await error);
            Assert.Equal(0, process.ExitCode);
            Assert.Contains($"/train.corpus: {amount} in ids, made{(run == 0 ? "" : " before")}\n", output);
        }
    }
}
