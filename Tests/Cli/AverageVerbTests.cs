using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>The mean of checkpoints, from a run that keeps them to a translation with it.</summary>
public sealed class AverageVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _recipe;
    private readonly string _run;
    private readonly string _out;

    public AverageVerbTests()
    {
        foreach (string name in (string[])["train", "valid"])
        {
            TextFile.WriteLines(_folder.PathOf($"{name}.a"), ["a b c", "b c", "c d a", "d", "a d"]);
            TextFile.WriteLines(_folder.PathOf($"{name}.b"), ["c b a", "c b", "a d c", "d", "d a"]);
        }

        _recipe = _folder.File(
            "tiny.json",
            """
            {
              "architecture": "transformer",
              "model": { "model_width": 8, "feed_forward_width": 8, "attention_heads": 2, "encoder_layers": 1, "decoder_layers": 1, "share_embeddings": "decoder" },
              "data": { "train": ["train.a", "train.b"], "valid": ["valid.a", "valid.b"], "tokenizer": "word", "joint": true, "max_length": 10 },
              "training": { "batch_tokens": 12, "learning_rate": 0.01, "warmup_updates": 2, "max_updates": 9, "validate_every": 4, "checkpoint_every": 2, "keep_checkpoints": 3 },
              "decoding": { "beam": 2, "max_length_b": 5 }
            }
            """);
        _run = _folder.PathOf("run");
        _out = _folder.PathOf("mean");
        var run = Train(_run);
        Assert.Equal("", run.Error);
        Assert.Equal(0, run.ExitCode);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void TheNewestOfARunAreAveragedAndTranslate()
    {
        var average = Tool.Run("average", _run, "--last", "3", "--out", _out);
        Assert.Equal("", average.Error);
        Assert.Equal(
            $"mean of 3 checkpoints, of the updates 4, 6, 8, in {Path.Combine(_out, "best.safetensors")}\ntranslate with it: cudaseq translate --model {_out}\n", average.Out);
        string[] files = [.. new[] { 4, 6, 8 }.Select(u => Path.Combine(_run, $"checkpoint-{u}.safetensors"))];
        using (var mean = SafetensorsFile.Open(Path.Combine(_out, "best.safetensors")))
        {
            var parts = files.Select(Parameters).ToArray();
            Assert.Equal(parts[0].Keys.Order(), mean.Names.Order());
            foreach (string name in mean.Names)
                Assert.Equal(Enumerable.Range(0, parts[0][name].Length).Select(i => (float)(((double)parts[0][name][i] + parts[1][name][i] + parts[2][name][i]) / 3)), mean.ReadFloats(name));
            Assert.Contains(mean.Names, n => !parts[0][n].AsSpan().SequenceEqual(parts[2][n]));
        }

        var translated = Tool.Run(["translate", "--model", _out], "a b\nc\n");
        Assert.Equal((0, ""), (translated.ExitCode, translated.Error));
        Assert.Equal(3, translated.Out.Split('\n').Length);
        var info = Tool.Run("info", _out);
        Assert.Matches("mean of the updates +4, 6, 8\n", info.Out);
        Assert.Matches("update +8\n", info.Out);

        // The same by name.
        string again = _folder.PathOf("again");
        Assert.Equal(0, Tool.Run(["average", .. files, "--out", again]).ExitCode);
        Assert.Equal(File.ReadAllBytes(Path.Combine(_out, "best.safetensors")), File.ReadAllBytes(Path.Combine(again, "best.safetensors")));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    public void TheMeanOfEqualCheckpointsHasTheirBits(int count)
    {
        string[] copies = [.. Enumerable.Range(0, count).Select(i => Path.Combine(_run, $"copy{i}.safetensors"))];
        foreach (string copy in copies)
            File.Copy(Path.Combine(_run, "last.safetensors"), copy);
        Assert.Equal(0, Tool.Run(["average", .. copies, "--out", _out]).ExitCode);
        var (expected, got) = (Parameters(copies[0]), Parameters(Path.Combine(_out, "best.safetensors")));
        Assert.Equal(expected.Keys.Order(), got.Keys.Order());
        foreach (var (name, values) in expected)
            Assert.Equal(values.Select(BitConverter.SingleToInt32Bits), got[name].Select(BitConverter.SingleToInt32Bits));
    }

    [Fact]
    public void Refusals()
    {
        string best = Path.Combine(_run, "best.safetensors"), last = Path.Combine(_run, "last.safetensors");
        Refuses(2, $"cudaseq average: {_run} is a folder: --last N averages its newest N checkpoints.\n", _run);
        Refuses(2, $"cudaseq average: there must be two files or more to average, got {best} alone.\n", best);
        Refuses(2, $"cudaseq average: --last needs one run's folder, got {best}, {last}.\n", best, last, "--last", "2");
        Refuses(2, $"cudaseq average: {best} is given 2 times.\n", best, last, best);
        Refuses(2, "cudaseq average: --last must be a whole number of at least 1, got 0.\n", _run, "--last", "0");
        Refuses(1, $"cudaseq: {_run}: must hold 4 checkpoints to average, got 3; training.keep_checkpoints says how many a run keeps.\n", _run, "--last", "4");
        Refuses(1, $"cudaseq: {_run}/none: there is no such file or folder.\n", best, $"{_run}/none");
        string other = _folder.PathOf("other"), otherLast = Path.Combine(other, "last.safetensors");
        Assert.Equal(0, Train(other, "model.feed_forward_width=16").ExitCode);
        Refuses(1, $"cudaseq: {otherLast}: is of another model than {best}, their mean would mean nothing.\n", best, otherLast);
        TextFile.WriteLines(_folder.PathOf("train.a"), ["a b c", "b c", "c d e", "d", "a d"]);
        TextFile.WriteLines(_folder.PathOf("train.b"), ["c b a", "c b", "e d c", "d", "d e"]);
        string words = _folder.PathOf("words");
        Assert.Equal(0, Train(words, "data.vocabulary_size=8").ExitCode);
        string eight = _folder.PathOf("eight");
        TextFile.WriteLines(_folder.PathOf("train.a"), ["a b c", "b c", "c d x", "d", "a d"]);
        TextFile.WriteLines(_folder.PathOf("train.b"), ["x x a", "x b", "x d x", "x", "x x"]);
        Assert.Equal(0, Train(eight, "data.vocabulary_size=8").ExitCode);
        Refuses(
            1,
            $"cudaseq: {Path.Combine(eight, "last.safetensors")}: is of another source vocabulary than {Path.Combine(words, "last.safetensors")}, their mean would mean nothing.\n",
            Path.Combine(words, "last.safetensors"),
            Path.Combine(eight, "last.safetensors"));
        var full = Tool.Run("average", _run, "--last", "2", "--out", _run);
        Assert.Equal((2, $"cudaseq average: --out must be a folder without a model, {_run} holds one.\n"), (full.ExitCode, full.Error));

        void Refuses(int code, string message, params string[] arguments)
        {
            var run = Tool.Run(["average", .. arguments, "--out", _out]);
            Assert.Equal(message, run.Error);
            Assert.Equal(code, run.ExitCode);
            Assert.False(Directory.Exists(_out));
        }
    }

    private ToolRun Train(string output, params string[] settings)
        => Tool.Run(["train", _recipe, "--data", _folder.PathOf("."), "--out", output, .. settings.SelectMany(s => new[] { "--set", s })]);

    private static Dictionary<string, float[]> Parameters(string path)
    {
        using var file = SafetensorsFile.Open(path);
        return file.Names.Where(n => !n.StartsWith("optimizer.", StringComparison.Ordinal)).ToDictionary(n => n, file.ReadFloats);
    }
}
