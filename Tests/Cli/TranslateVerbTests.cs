using System.Globalization;
using System.IO.Pipes;
using System.Text;
using CudaSeq.Cli;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>What a search can be told on the command line, with a model that has learned next to nothing.</summary>
public sealed class TranslateVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _out;

    public TranslateVerbTests()
    {
        var numbers = NumberCorpus.Generate(seed: 3, trainPairs: 200, testPairs: 20, validPairs: 20);
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
              "model": { "model_width": 16, "feed_forward_width": 16, "attention_heads": 2, "encoder_layers": 1, "decoder_layers": 1 },
              "data": { "train": ["train.digits", "train.words"], "valid": ["valid.digits", "valid.words"], "tokenizer": "word", "joint": true, "max_length": 20 },
              "training": { "batch_tokens": 256, "learning_rate": 0.01, "warmup_updates": 5, "max_updates": 2 },
              "decoding": { "beam": 2, "max_length_b": 12 }
            }
            """);
        _out = _folder.PathOf("run");
        var run = Tool.Run("train", recipe, "--data", _folder.PathOf("."), "--out", _out);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
    }

    public void Dispose() => _folder.Dispose();

    // Of a text that a model was not made for nobody should believe the translation.
    [Fact]
    public void WhatIsNotInTheVocabularyIsCounted()
    {
        Assert.Equal(
            (0, "warning: 3 of 6 pieces that were read are not in the model's vocabulary and were read as unknown, the first in line 3\n"),
            Of(Tool.Run(["translate", "--model", _out], "1 2\n\nfoo 3\nbar baz\n")));
        Assert.Equal((0, ""), Of(Tool.Run(["translate", "--model", _out], "1 2\n\n3\n")));
        Assert.Equal(
            (0, "warning: line 2 has 21 pieces, the model has learned from lines of at most 20 (data.max_length)\n"),
            Of(Tool.Run(["translate", "--model", _out], $"1 2\n{string.Join(' ', Enumerable.Repeat("3", 21))}\n4\n")));

        static (int, string) Of(ToolRun run) => (run.ExitCode, run.Error);
    }

    [Fact]
    public void SearchOptionsReachTheSearch()
    {
        Assert.Equal([4, 4], Lines("--min-length", "4", "--max-length-b", "4").Select(l => l.Split(' ').Length));
        string[] bounded = Lines("--min-length", "3", "--max-length-a", "1", "--max-length-b", "0", "--temperature", "9");
        Assert.InRange(bounded[0].Split(' ').Length, 3, 4);
        Assert.Equal(3, bounded[1].Split(' ').Length);
        string[] gnmt = Lines("--length-penalty", "2", "--length-penalty-form", "gnmt", "--token-scores")[0].Split('\t');
        float[] scores = [.. gnmt[3].Split(' ').Select(s => float.Parse(s, CultureInfo.InvariantCulture))];
        Assert.Equal(scores.Sum() / Math.Pow((5 + scores.Length) / 6.0, 2), double.Parse(gnmt[1], CultureInfo.InvariantCulture), 1e-3);
        Assert.All(Lines("--min-length", "4", "--no-repeat-ngram-size", "1"), l => Assert.Equal(l.Split(' ').Length, l.Split(' ').Distinct().Count()));
        string prefixes = _folder.File("prefixes.txt", "3 3\n2\n");
        Assert.All(Lines("--prefixes", prefixes).Zip((string[])["3 3", "2"]), p => Assert.StartsWith(p.Second, p.First));
        string[] samples = Lines("--sampling", "--nbest", "3", "--sampling-topp", "0.9", "--seed", "5");
        Assert.Equal(6, samples.Length);
        Assert.Equal(samples, Lines("--sampling", "--nbest", "3", "--sampling-topp", "0.9", "--seed", "5"));
        Assert.NotEqual(samples, Lines("--sampling", "--nbest", "3", "--sampling-topp", "0.9", "--seed", "6"));
        Assert.Equal(8, Lines("--beam", "4", "--nbest", "4", "--diverse-beam-groups", "2", "--diverse-beam-strength", "1").Length);
        foreach (string line in Lines("--token-scores", "--alignments", "--max-length-b", "5"))
        {
            string[] parts = line.Split('\t');
            int pieces = parts[2].Split(' ').Length;
            Assert.Equal((5, pieces + 1, pieces), (parts.Length, parts[3].Split(' ').Length, parts[4].Split(' ').Length));
            Assert.Equal(float.Parse(parts[1], CultureInfo.InvariantCulture), parts[3].Split(' ').Average(s => float.Parse(s, CultureInfo.InvariantCulture)), 2e-4f);
            Assert.Equal(Enumerable.Range(0, pieces), parts[4].Split(' ').Select(p => int.Parse(p.Split('-')[1], CultureInfo.InvariantCulture)));
        }

        Assert.Equal(2, Lines("--replace-unknown").Length);
        RefusesOf("cudaseq translate: --diverse-beam-groups must divide --beam, got 3 and 2.\n", "--diverse-beam-groups", "3");
        RefusesOf("cudaseq translate: --beam searches and --sampling draws: one of them alone must be given.\n", "--beam", "2", "--sampling");
        RefusesOf("cudaseq translate: --seed is about --sampling, which must be given with it.\n", "--seed", "2");
        RefusesOf("cudaseq translate: --diverse-beam-strength is about --diverse-beam-groups of 2 or more, which must be given with it.\n", "--diverse-beam-strength", "1");
        RefusesOf("cudaseq translate: --beam must be from 1 to 1000, got 1001.\n", "--beam", "1001");
        RefusesOf("cudaseq translate: --nbest must be from 1 to 100000, got 2147483647.\n", "--nbest", "2147483647", "--sampling");
        RefusesOf("cudaseq translate: --length-penalty must be from -10 to 10, got 11.\n", "--length-penalty", "11");
        RefusesOf("cudaseq translate: --min-length must be at most --max-length-b with --max-length-a 0, got 13 and 12.\n", "--min-length", "13");
        RefusesOf("cudaseq translate: --sampling-topk must be 0 without --sampling, got 3.\n", "--sampling-topk", "3");
        RefusesOf("cudaseq translate: --temperature must be a finite number of at least 0.000001, got -1.\n", "--temperature", "-1");
        RefusesOf("cudaseq translate: --temperature must be a finite number, got hot.\n", "--temperature", "hot");
        RefusesOf("cudaseq translate: --length-penalty-form must be power or gnmt, got wu.\n", "--length-penalty-form", "wu");
        Refuses($"cudaseq: {prefixes}: must have a line for each line of the input, got 1 lines of input and more in this file.\n", ["--prefixes", prefixes], "1\n");
        Refuses($"cudaseq: {prefixes}: must have a line for each line of the input, got 2 and more than that.\n", ["--prefixes", prefixes], "1\n2\n3\n");

        string[] Lines(params string[] options)
        {
            var run = Tool.Run(["translate", "--model", _out, .. options], "1 2 3\n4 5");
            Assert.Equal("", run.Error);
            return run.Out.TrimEnd('\n').Split('\n');
        }

        void Refuses(string message, string[] options, string input)
        {
            var run = Tool.Run(["translate", "--model", _out, .. options], input);
            Assert.Equal(message, run.Error);
            Assert.NotEqual(0, run.ExitCode);
        }

        void RefusesOf(string message, params string[] options) => Refuses(message, options, "1 2\n");
    }

    [Fact]
    public void ConstraintsAreInTheTranslations()
    {
        var three = (string[])["--beam", "3", "--nbest", "3"];
        string unordered = _folder.File("constraints.txt", "4\t3 3\r\n\n\t5 \t\n");
        var run = Tool.Run(["translate", "--model", _out, "--constraints", unordered, .. three], "1 2\n3\n4 5\n");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        string[][] lines = [.. run.Out.TrimEnd('\n').Split('\n').Select(l => l.Split('\t'))];
        Assert.Equal(["1", "1", "1", "2", "2", "2", "3", "3", "3"], lines.Select(l => l[0]));
        Assert.All(lines[..3], l => Assert.Contains(" 3 3 ", $" {l[2]} ", StringComparison.Ordinal));
        Assert.All(lines[..3], l => Assert.Contains(" 4 ", $" {l[2]} ", StringComparison.Ordinal));
        Assert.All(lines[6..], l => Assert.Contains(" 5 ", $" {l[2]} ", StringComparison.Ordinal));
        string free = Tool.Run(["translate", "--model", _out, .. three], "3\n").Out;
        Assert.Equal(free.TrimEnd('\n').Split('\n').Select(l => l[1..]), lines[3..6].Select(l => string.Join('\t', l)[1..]));
        var ordered = Tool.Run(["translate", "--model", _out, "--constraints", unordered, "--constraints-order", "ordered"], "1 2\n3\n4 5\n");
        Assert.Matches(@"^(.* )?4 (.* )?3 3( .*)?\n", ordered.Out);

        Refuses("cudaseq translate: --constraints needs plain beam search, --sampling must not be given with it.\n", "--constraints", unordered, "--sampling");
        Refuses("cudaseq translate: --constraints needs plain beam search, --diverse-beam-groups must not be given with it.\n", "--constraints", unordered, "--diverse-beam-groups", "2");
        Refuses("cudaseq translate: --constraints-order is about --constraints, which must be given with it.\n", "--constraints-order", "ordered");
        Refuses("cudaseq translate: --constraints-order must be unordered or ordered, got sorted.\n", "--constraints", unordered, "--constraints-order", "sorted");
        string unknown = _folder.File("unknown.txt", "4\n\n3\t4 zebra\n"), longest = _folder.File("long.txt", "\n1 2 3 4 5\t1 2 3 4 5\t1 2 3\n\n"), many = _folder.File("many.txt", "4\n\n\n\n");
        Refuses($"cudaseq: {unknown}: line 3: constraints must be made of pieces of the target's vocabulary, got '4 zebra' with the piece 'zebra'.\n", "--constraints", unknown);
        Refuses($"cudaseq: {longest}: line 2: constraints must fit into the longest output, got 13 tokens of them and at most 12.\n", "--constraints", longest);
        Refuses($"cudaseq: {many}: must have a line for each line of the input, got 3 lines of input and more in this file.\n", "--constraints", many);
        Refuses($"cudaseq: {_folder.PathOf("none.txt")}: there is no such file.\n", "--constraints", _folder.PathOf("none.txt"));

        void Refuses(string message, params string[] options) => Assert.Equal(message, Tool.Run(["translate", "--model", _out, .. options], "1 2\n3\n4 5\n").Error);
    }

    /// <summary>Somebody types a line and waits: the answer comes before the next line does, and the prompt is not part of it.</summary>
    [Theory, InlineData(true), InlineData(false)]
    public void InteractiveAnswersEachLineAtOnce(bool typed)
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        using var input = new AnonymousPipeClientStream(PipeDirection.In, pipe.ClientSafePipeHandle);
        using var answered = new AnsweringWriter();
        var error = new StringWriter { NewLine = "\n" };
        using var terminal = new Terminal(input, answered, error, typed: typed);
        int code = -1;
        var tool = new Thread(() => code = CommandLine.Run(["translate", "--model", _out, "--interactive"], terminal, CancellationToken.None));
        tool.Start();
        foreach (string line in (string[])["1 2 3", "", "4 5"])
        {
            pipe.Write(Encoding.UTF8.GetBytes(line + "\n"));
            Assert.True(answered.Flushed.Wait(TimeSpan.FromMinutes(1)), $"no answer to '{line}'");
        }

        pipe.Dispose();
        Assert.True(tool.Join(TimeSpan.FromMinutes(1)));
        Assert.Equal(0, code);
        Assert.Equal(typed ? "> > > > \n" : "", error.ToString());
        Assert.Equal(Tool.Run(["translate", "--model", _out], "1 2 3\n\n4 5\n").Out, answered.ToString());
        var refused = Tool.Run("translate", "--model", _out, "--interactive", "--input", _folder.File("typed.txt", "1\n"));
        Assert.Equal("cudaseq translate: --interactive reads standard input, --input must not be given with it.\n", refused.Error);
    }

    /// <summary>A last line without an end is answered; Ctrl-C while a line is waited for ends the wait.</summary>
    [Theory, InlineData(true, false), InlineData(true, true), InlineData(false, false), InlineData(false, true)]
    public void InteractiveEndsWithTheInputOrWithCtrlC(bool typed, bool interrupted)
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        using var input = new AnonymousPipeClientStream(PipeDirection.In, pipe.ClientSafePipeHandle);
        using var answered = new AnsweringWriter();
        var error = new StringWriter { NewLine = "\n" };
        using var terminal = new Terminal(input, answered, error, typed: typed);
        using var interruption = new CancellationTokenSource();
        int code = -1;
        var tool = new Thread(() => code = CommandLine.Run(["translate", "--model", _out, "--interactive"], terminal, interruption.Token));
        tool.Start();
        pipe.Write("1 2\r\n"u8);
        Assert.True(answered.Flushed.Wait(TimeSpan.FromMinutes(1)));
        pipe.Write("4 5"u8);
        if (interrupted)
            interruption.Cancel();
        else
            pipe.Dispose();
        bool ended = tool.Join(TimeSpan.FromMinutes(1));

        // The stream that the reader waits at is not closed under it.
        pipe.Dispose();
        Assert.True(ended);
        Assert.Equal(interrupted ? 1 : 0, code);
        string prompts = !typed ? "" : interrupted ? "> > \n" : "> > > \n";
        Assert.Equal(prompts + (interrupted ? "cudaseq: interrupted.\n" : ""), error.ToString());
        Assert.Equal(Tool.Run(["translate", "--model", _out], interrupted ? "1 2\n" : "1 2\n4 5").Out, answered.ToString());
    }

    /// <summary>Tells when something was written out.</summary>
    private sealed class AnsweringWriter : StringWriter
    {
        public AnsweringWriter() => NewLine = "\n";

        public SemaphoreSlim Flushed { get; } = new(0);

        public override void Flush() => Flushed.Release();

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            Flushed.Dispose();
        }
    }
}
