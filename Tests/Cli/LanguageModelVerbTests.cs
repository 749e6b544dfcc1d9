using System.Globalization;
using System.Text.Json.Nodes;
using CudaSeq.Kernels;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>train, info, evaluate and generate with language models of characters that have learned next to nothing.</summary>
public sealed class LanguageModelVerbTests : IDisposable
{
    private const string Recipe =
        """
        {
          "task": "language_modeling",
          "architecture": "dynamicconv",
          "model": { "model_width": 16, "feed_forward_width": 16, "attention_heads": 2, "decoder_layers": 2, "decoder_kernel_widths": [3, 5], "pre_norm": true, "share_embeddings": "decoder" },
          "data": { "train": ["train.txt"], "valid": ["valid.txt"], "test": ["valid.txt"], "tokenizer": "character", "tokens_per_sample": 16, "context_window": 4 },
          "training": { "batch_tokens": 256, "label_smoothing": 0, "learning_rate": 0.01, "warmup_updates": 5, "max_updates": 12 }
        }
        """;

    private readonly TemporaryFolder _folder = new();
    private readonly string _out;
    private readonly ToolRun _run;

    public LanguageModelVerbTests()
    {
        TextFile.WriteLines(_folder.PathOf("train.txt"), Enumerable.Range(0, 60).Select(i => i % 6 == 5 ? "" : NumberCorpus.Words(i)));
        TextFile.WriteLines(_folder.PathOf("valid.txt"), ["twenty one", "", "six hundred", "two"]);
        _out = _folder.PathOf("run");
        _run = Tool.Run("train", _folder.File("tiny.json", Recipe), "--data", _folder.PathOf("."), "--out", _out);
        Assert.Equal((0, ""), (_run.ExitCode, _run.Error));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void TrainingSaysWhatItReadAndScoresTheTestText()
    {
        Assert.Contains("text vocabulary: ", _run.Out);
        Assert.Contains("train.txt: 60 lines, ", _run.Out);
        Assert.Contains("scoring valid.txt", _run.Out);
        Assert.Contains($"write with it: cudaseq generate --model {_out}", _run.Out);
        var test = TrainingLog.Read(Path.Combine(_out, "log.jsonl")).Single(e => (string?)e["event"] == "test");
        var evaluated = Evaluate();
        Assert.Equal((double)evaluated["loss"]!, (double)test["loss"]!, 1e-5);
        Assert.Equal(28, (long)test["tokens"]!);
        var start = TrainingLog.Read(Path.Combine(_out, "log.jsonl")).First();
        Assert.True((int)start["train_blocks"]! > 10);
        string info = Tool.Run("info", _out).Out;
        Assert.Contains("language modeling", info);
        Assert.Contains("2 decoder, norms before the sub-layers", info);
        Assert.DoesNotContain("encoder,", info);
        string report = Tool.Run("report", _out).Out;
        Assert.Contains("* test: perplexity **", report);
        Assert.Contains("test perplexity <strong>", File.ReadAllText(Path.Combine(_out, "report.html")));
        Assert.Equal(0, Tool.Run("train", _folder.PathOf("tiny.json"), "--data", _folder.PathOf("."), "--out", _out, "--resume", "--max-updates", "14").ExitCode);
    }

    [Fact]
    public void TheSizeOfABatchOfBlocksIsMeasuredOnAGpu()
    {
        using var anchor = TestDevices.OpenCuda();
        string folder = _folder.PathOf("measured");
        var run = Tool.Run("train", _folder.PathOf("tiny.json"), "--data", _folder.PathOf("."), "--out", folder, "--device", "cuda", "--batch-tokens", "auto");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("batch_tokens auto: chose ", run.Out);
        Assert.InRange(CudaSeq.Models.Recipe.Load(Path.Combine(folder, "recipe.json")).Training.BatchTokens!.Value, 64, 1024);
        Assert.Equal(
            Tool.Run("generate", "--model", folder, "--prompt", "two", "--beam", "2", "--device", "cuda").Out,
            Tool.Run("generate", "--model", folder, "--prompt", "two", "--beam", "2", "--device", "cuda", "--graphs", "off").Out);
    }

    [Fact]
    public void CheckpointsAreAveraged()
    {
        string mean = _folder.PathOf("mean");
        var run = Tool.Run("average", Path.Combine(_out, "best.safetensors"), Path.Combine(_out, "last.safetensors"), "--out", mean);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains($"write with it: cudaseq generate --model {mean}", run.Out);
        Assert.Equal(Generate("--prompt", "two", "--max-length", "9"), Tool.Run("generate", "--model", mean, "--prompt", "two", "--max-length", "9").Out);
    }

    [Fact]
    public void EvaluationIsTheSumOfWhatEachTokenCosts()
    {
        using var device = new CpuDevice(1);
        using var generator = TextGenerator.Load(_out, device);
        var reference = new ReferenceModel(
            generator.Model.Config, generator.Model.NamedParameters().ToDictionary(p => p.Name, p => Array.ConvertAll(p.Tensor.ToArray(), v => (double)v)));
        int[] text = [.. TextFile.ReadLines(_folder.PathOf("valid.txt")).SelectMany(l => generator.Codec.Encode(l).Append(Vocabulary.Eos))];
        foreach (int context in new[] { 0, 4, 15 })
        {
            double expected = 0;
            for (int i = 0; i < text.Length; i++)
            {
                int size = 16 - context, first = Math.Max(0, (i / size * size) - context);
                expected += reference.LanguageLoss(
                    [first == 0 ? Vocabulary.Eos : text[first - 1], .. text[first..i]], [.. Enumerable.Repeat(Vocabulary.Pad, i - first), text[i]], smoothing: 0);
            }

            var json = Evaluate("--context-window", context.ToString(CultureInfo.InvariantCulture));
            Assert.Equal(expected / 28, (double)json["loss"]!, 1e-4);
            Assert.Equal(Math.Exp(expected / 28), (double)json["ppl"]!, 1e-2);
            Assert.Equal(expected / 28 / Math.Log(2), (double)json["bits_per_character"]!, 1e-4);
            Assert.Equal(expected / 9 / Math.Log(2), (double)json["bits_per_word"]!, 1e-3);
            Assert.True((bool)json["normalized"]!);
            Assert.Equal((28, 2, 9, 28, 4), ((int)json["tokens"]!, (int)json["unknown"]!, (int)json["words"]!, (int)json["characters"]!, (int)json["lines"]!));
        }

        string plain = Tool.Run("evaluate", "--model", _out, "--input", _folder.PathOf("valid.txt")).Out;
        Assert.Contains("28, 2 unknown", plain);
        Assert.Contains("blocks of 16 tokens, 4 of them read again", plain);
    }

    [Fact]
    public void TextsGoOnOverLinesAndRepeatWithTheirSeed()
    {
        string one = Generate("--prompt", "twenty\none", "--max-length", "40", "--seed", "3");
        Assert.StartsWith("twenty\none", one);
        Assert.Equal(one, Generate("--prompt", "twenty\none", "--max-length", "40", "--seed", "3"));
        Assert.NotEqual(one, Generate("--prompt", "twenty\none", "--max-length", "40", "--seed", "4"));

        // An end of line is one piece and one character: nothing stops before the length is reached, and nothing goes on after it.
        Assert.All((int[])[1, 7, 40], length => Assert.Equal(3 + length + 1, Generate("--prompt", "two", "--max-length", length.ToString(CultureInfo.InvariantCulture), "--temperature", "3", "--sampling-topp", "1").Length));

        string likeliest = Generate("--prompt", "two", "--max-length", "20", "--beam", "1");
        Assert.Equal(likeliest, Generate("--prompt", "two", "--max-length", "20", "--sampling", "--sampling-topk", "1", "--seed", "9"));
        string[] prompts = ["two", "", "six"];
        TextFile.WriteLines(_folder.PathOf("prompts.txt"), prompts);
        var texts = Generate("--input", _folder.PathOf("prompts.txt"), "--max-length", "9", "--nbest", "2", "--json").TrimEnd('\n').Split('\n').Select(l => JsonNode.Parse(l)!).ToArray();
        Assert.Equal([1, 1, 2, 2, 3, 3], texts.Select(t => (int)t["prompt"]!));
        Assert.All(texts, t => Assert.StartsWith(prompts[(int)t["prompt"]! - 1], (string)t["text"]!));
        Assert.Equal([12, 12, 9, 9, 12, 12], texts.Select(t => (int)t["pieces"]!));
        Assert.Contains("== prompt 1, text 2, score -", Generate("--prompt", "two", "--nbest", "2", "--max-length", "5"));
    }

    [Fact]
    public void TextsLongerThanWhatTrainingSawAreWrittenAndSaidSo()
    {
        var run = Tool.Run("generate", "--model", _out, "--prompt", "two", "--max-length", "300");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal("warning: a text may have 303 pieces, training saw 16 at once (data.tokens_per_sample): what lies beyond may be worse.\n", run.Error);
        Assert.Equal(304, run.Out.Length);

        // Where nothing is said, training's length is enough.
        var usual = Tool.Run("generate", "--model", _out, "--prompt", "two");
        Assert.Equal((0, "", 17), (usual.ExitCode, usual.Error, usual.Out.Length));

        // Of several prompts each has its own room, whatever the others take; one that fills it is followed by one piece.
        TextFile.WriteLines(_folder.PathOf("prompts.txt"), ["two", "six six six si", "six six six six six"]);
        var several = Tool.Run("generate", "--model", _out, "--input", _folder.PathOf("prompts.txt"), "--json");
        Assert.Equal("warning: a text may have 20 pieces, training saw 16 at once (data.tokens_per_sample): what lies beyond may be worse.\n", several.Error);
        Assert.Equal([20, 20, 20], several.Out.TrimEnd('\n').Split('\n').Select(l => (int)JsonNode.Parse(l)!["pieces"]!));
        TextFile.WriteLines(_folder.PathOf("prompts.txt"), ["two", "six six six si"]);
        several = Tool.Run("generate", "--model", _out, "--input", _folder.PathOf("prompts.txt"), "--json");
        Assert.Equal("", several.Error);
        Assert.Equal([16, 16], several.Out.TrimEnd('\n').Split('\n').Select(l => (int)JsonNode.Parse(l)!["pieces"]!));
    }

    [Fact]
    public void AModelOfLinesEndsItsTextWithTheLine()
    {
        string folder = _folder.PathOf("lines");
        string[] settings = ["--set", "data.sample_break_mode=eos", "data.context_window=0", "training.max_updates=30"];
        Assert.Equal(0, Tool.Run(["train", _folder.PathOf("tiny.json"), "--data", _folder.PathOf("."), "--out", folder, .. settings]).ExitCode);
        var run = Tool.Run("generate", "--model", folder, "--prompt", "tw", "--nbest", "20", "--json", "--max-length", "12");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var texts = run.Out.TrimEnd('\n').Split('\n').Select(l => JsonNode.Parse(l)!).ToArray();
        Assert.All(texts, t => Assert.DoesNotContain('\n', (string)t["text"]!));
        Assert.Contains(texts, t => (int)t["pieces"]! < 14);
        Says("cudaseq: TextGenerator: a prompt must be one line for a model of single lines, got 2.", "generate", "--model", folder, "--prompt", "a\nb");

        // The pieces that follow a prompt are counted, whatever its length.
        TextFile.WriteLines(_folder.PathOf("prompts.txt"), ["t", "one hundred and twenty one, two"]);
        string bounded = Tool.Run("generate", "--model", folder, "--input", _folder.PathOf("prompts.txt"), "--nbest", "9", "--json", "--max-length", "6", "--min-length", "4", "--temperature", "9").Out;
        int[] pieces = [.. bounded.TrimEnd('\n').Split('\n').Select(l => (int)JsonNode.Parse(l)!["pieces"]!)];
        Assert.All(pieces.Take(9), p => Assert.InRange(p, 5, 7));
        Assert.All(pieces.Skip(9), p => Assert.InRange(p, 35, 37));
        Says("cudaseq generate: --min-length must be at most --max-length, got 100 and 10.", "generate", "--model", folder, "--prompt", "two one", "--max-length", "10", "--min-length", "100");
        Assert.Equal(0, Tool.Run("generate", "--model", folder, "--prompt", "two", "--max-length", "1100", "--min-length", "1050").ExitCode);
        Says("cudaseq evaluate: --context-window must be 0 for a model of single lines (data.sample_break_mode eos), got 3.", "evaluate", "--model", folder, "--context-window", "3");
        Says(
            "cudaseq evaluate: --tokens-per-sample is for a model of whole text, this is one of single lines (data.sample_break_mode eos).",
            "evaluate",
            "--model",
            folder,
            "--tokens-per-sample",
            "8");
        Assert.Contains("28, 2 unknown", Tool.Run("evaluate", "--model", folder, "--input", _folder.PathOf("valid.txt")).Out);
    }

    [Fact]
    public void WhatDoesNotFitIsSaidInALine()
    {
        string valid = _folder.PathOf("valid.txt");
        Says($"cudaseq: {_out}: must hold a model that translates, it holds a language model.", "translate", "--model", _out);
        Says("cudaseq generate: --prompt and --input must not both be given.", "generate", "--model", _out, "--prompt", "a", "--input", valid);
        Says("cudaseq generate: --nbest must be at most --beam, got 3 and 2.", "generate", "--model", _out, "--beam", "2", "--nbest", "3");
        Says("cudaseq generate: --sampling-topk must be 0 without --sampling, got 4.", "generate", "--model", _out, "--beam", "2", "--sampling-topk", "4");
        Says("cudaseq generate: --beam searches and --sampling draws: one of them alone must be given.", "generate", "--model", _out, "--beam", "2", "--sampling");
        Says("cudaseq generate: --seed is about drawing, --beam must not be given with it.", "generate", "--model", _out, "--beam", "2", "--seed", "4");
        Says("cudaseq generate: --min-length is for models of single lines (data.sample_break_mode eos): this one writes on until --max-length.", "generate", "--model", _out, "--min-length", "4");
        Says("cudaseq generate: --max-length must be at most 1000000, got 2147483647.", "generate", "--model", _out, "--max-length", "2147483647");
        Says("cudaseq evaluate: --context-window must be below the tokens of a block, got 16 and 16.", "evaluate", "--model", _out, "--input", valid, "--context-window", "16");
        Says("cudaseq evaluate: --reference is for a model that translates, this is a language model.", "evaluate", "--model", _out, "--input", valid, "--reference", valid);
        Says("cudaseq: evaluate: there must be at least one line, got none.", "evaluate", "--model", _out);

        string pairs = _folder.PathOf("pairs");
        string recipe = _folder.File("pairs.json", """
            {
              "architecture": "transformer",
              "model": { "model_width": 16, "feed_forward_width": 16, "attention_heads": 2, "encoder_layers": 1, "decoder_layers": 1 },
              "data": { "train": ["train.txt", "train.txt"], "valid": ["valid.txt", "valid.txt"], "tokenizer": "word", "max_length": 20 },
              "training": { "batch_tokens": 256, "max_updates": 1 }
            }
            """);
        Assert.Equal(0, Tool.Run("train", recipe, "--data", _folder.PathOf("."), "--out", pairs).ExitCode);
        Says($"cudaseq: {pairs}: must hold a language model, it holds one that translates.", "generate", "--model", pairs);
        Says("cudaseq evaluate: --reference FILE must be given for a model that translates.", "evaluate", "--model", pairs, "--input", valid);
        Says("cudaseq evaluate: --context-window is for a language model, this one translates.", "evaluate", "--model", pairs, "--input", valid, "--reference", valid, "--context-window", "2");
        string shorter = _folder.File("short.txt", "two\n");
        Says($"cudaseq: {valid} and {shorter}: must have as many lines as each other, got 4 and 1.", "evaluate", "--model", pairs, "--input", valid, "--reference", shorter);
        var scored = Tool.Run("evaluate", "--model", pairs, "--input", valid, "--reference", valid);
        Assert.Equal((0, ""), (scored.ExitCode, scored.Error));
        Assert.Contains("3 of 4 pairs, the others have an empty side", scored.Out);
        Assert.Contains("8, 1 unknown", scored.Out);
    }

    [Fact]
    public void WhatTheModelDoesNotKnowOfAPromptIsSaid()
    {
        var run = Tool.Run("generate", "--model", _out, "--input", _folder.File("odd.txt", "two\ntwo ZÄ\n"), "--max-length", "3", "--beam", "1");
        Assert.Equal((0, "warning: prompt 2: the model does not know 2 of its pieces, they are written as \u2047\n"), (run.ExitCode, run.Error));
        Assert.Contains("two \u2047\u2047", run.Out);
    }

    private static void Says(string message, params string[] args)
    {
        var run = Tool.Run(args);
        Assert.NotEqual(0, run.ExitCode);
        Assert.Equal(message + "\n", run.Error);
    }

    private string Generate(params string[] args)
    {
        var run = Tool.Run(["generate", "--model", _out, .. args]);
        Assert.Equal(0, run.ExitCode);
        return run.Out;
    }

    private JsonNode Evaluate(params string[] args)
    {
        var run = Tool.Run(["evaluate", "--model", _out, "--input", _folder.PathOf("valid.txt"), "--json", .. args]);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        return JsonNode.Parse(run.Out)!;
    }
}
