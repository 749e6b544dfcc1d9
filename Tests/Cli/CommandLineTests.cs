using CudaSeq.Cli;

namespace CudaSeq.Tests;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("trian", "cudaseq: unknown verb trian, did you mean train?")]
    [InlineData("dostor", "cudaseq: unknown verb dostor, did you mean doctor?")]
    [InlineData("sing", "cudaseq: unknown verb sing; the verbs are VERBS.")]
    [InlineData("--hlep", "cudaseq: unknown option --hlep, did you mean --help?")]
    [InlineData("--zzzzzz", "cudaseq: unknown option --zzzzzz.")]
    [InlineData("train r.json --max-update 3", "cudaseq train: unknown option --max-update, did you mean --max-updates?")]
    [InlineData("train --max-update=3 r.json", "cudaseq train: unknown option --max-update, did you mean --max-updates?")]
    [InlineData("train r.json --maxupdates 3", "cudaseq train: unknown option --maxupdates, did you mean --max-updates?")]
    [InlineData("train r.json --ressume", "cudaseq train: unknown option --ressume, did you mean --resume?")]
    [InlineData("train r.json -x", "cudaseq train: unknown option -x; cudaseq train --help lists the options.")]
    [InlineData("quickstart --smok", "cudaseq quickstart: unknown option --smok, did you mean --smoke?")]
    [InlineData("translate --models m", "cudaseq translate: unknown option --models, did you mean --model?")]
    [InlineData("translate", "cudaseq translate: --model DIR must be given; cudaseq translate --help shows how.")]
    [InlineData("score --system a", "cudaseq score: --reference FILE must be given; cudaseq score --help shows how.")]
    [InlineData("train", "cudaseq train: RECIPE must be given; cudaseq train --help shows how.")]
    [InlineData("train --resume", "cudaseq train: RECIPE must be given; cudaseq train --help shows how.")]
    [InlineData("info", "cudaseq info: MODEL must be given; cudaseq info --help shows how.")]
    [InlineData("info a b", "cudaseq info: unexpected argument b; cudaseq info --help shows what it takes.")]
    [InlineData("doctor now", "cudaseq doctor: unexpected argument now; cudaseq doctor --help shows what it takes.")]
    [InlineData("train r.json --seed", "cudaseq train: --seed needs a value: --seed N.")]
    [InlineData("train r.json --seed --resume", "cudaseq train: --seed needs a value: --seed N.")]
    [InlineData("train r.json --seed x", "cudaseq train: --seed must be a whole number of at least 0, got x.")]
    [InlineData("train r.json --seed -1", "cudaseq train: --seed must be a whole number of at least 0, got -1.")]
    [InlineData("train r.json --seed 1.5", "cudaseq train: --seed must be a whole number of at least 0, got 1.5.")]
    [InlineData("train r.json --max-updates 0", "cudaseq train: --max-updates must be a whole number of at least 1, got 0.")]
    [InlineData("train r.json --max-updates 99999999999", "cudaseq train: --max-updates must be at most 2147483647, got 99999999999.")]
    [InlineData("train r.json --seed 1 --seed 2", "cudaseq train: --seed must be given once.")]
    [InlineData("translate --model m --beam 0", "cudaseq translate: --beam must be a whole number of at least 1, got 0.")]
    public void RefusesWhatItDoesNotUnderstand(string line, string message)
    {
        var run = Tool.Run(line.Split(' '));
        Assert.Equal(message.Replace("VERBS", string.Join(", ", CommandLine.Verbs().Select(v => v.Name))) + "\n", run.Error);
        Assert.Equal("", run.Out);
        Assert.Equal(2, run.ExitCode);
    }

    [Fact]
    public void OutputThatCannotBeWrittenIsAFailureInOneLine()
    {
        using var error = new StringWriter { NewLine = "\n" };
        using (var terminal = new Terminal(Stream.Null, new FullDisk(), error))
            Assert.Equal(1, CommandLine.Run(["--help"], terminal, CancellationToken.None));
        Assert.Equal("cudaseq: No space left on device\n", error.ToString());
    }

    [Fact]
    public void WithoutAVerbItShowsTheHelpAndFails()
    {
        var run = Tool.Run();
        Assert.Equal(2, run.ExitCode);
        Assert.Equal("cudaseq: a verb must be given.\n", run.Error);
        Assert.Equal(Tool.Run("--help").Out, run.Out);
    }

    [Theory]
    [InlineData("help", "--help")]
    [InlineData("help train", "train --help")]
    [InlineData("help data check", "data check --help")]
    public void HelpIsAWordToo(string line, string same)
    {
        var run = Tool.Run(line.Split(' '));
        Assert.NotEqual("", run.Out);
        Assert.Equal(Tool.Run(same.Split(' ')), run);
    }

    [Fact]
    public void SaysItsVersion()
    {
        var run = Tool.Run("--version");
        Assert.Equal(0, run.ExitCode);
        Assert.Matches(@"^cudaseq \d+\.\d+\.\d+ \(\w+\)\n$", run.Out);
    }

    [Theory]
    [InlineData("train no/such.json", "cudaseq: no/such.json: there is no such file.")]
    [InlineData("train no-such.json", "cudaseq: no-such.json: there is no such file.")]
    [InlineData("score --system no-such --reference no-such", "cudaseq: no-such: there is no such file.")]
    [InlineData("info no-such", "cudaseq: no-such: there is no such file or folder.")]
    [InlineData("translate --model no-such", "cudaseq: no-such: there is no such folder.")]
    [InlineData("compare no-such no-such", "cudaseq: no-such: there is no such folder.")]
    [InlineData("report no-such", "cudaseq: no-such: there is no such folder.")]
    public void FailuresAreOneLineAndExitWith1(string line, string start)
    {
        var run = Tool.Run(line.Split(' '));
        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith(start, run.Error);
        Assert.Equal(1, run.Error.Count(c => c == '\n'));
        Assert.DoesNotContain("   at ", run.Error);
    }

    [Fact]
    public void ATraceIsShownOnRequest()
    {
        var run = Tool.Run(["info", "no-such"], "", new() { ["CUDASEQ_TRACE"] = "1" });
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("   at CudaSeq.Cli.InfoVerb.Run", run.Error);
    }

    [Fact]
    public void RecipeMistakesAreListedAndExitWith2()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("r.json", """{ "architecture": "gru", "training": { "max_update": 1 } }""");
        var run = Tool.Run("train", path, "--set", "training.seed=x", "model.dropout=2", "--max-updates", "3");
        Assert.Equal(2, run.ExitCode);
        Assert.Equal(
            $"""
            {path}: training.max_update is not a key; did you mean max_updates?
            {path}: architecture must be transformer, lightconv, dynamicconv, cnn, lstm, rnnsearch or convs2s, got "gru".
            --set: model.dropout must be a number of at least 0 and below 1, got 2.
            --set: training.seed must be a whole number of at least 0, got "x".
            {path}: data.train must be given: [source file, target file].
            {path}: data.valid must be given: [source file, target file].

            """.ReplaceLineEndings("\n"),
            run.Error);
    }

    [Fact]
    public void SettingsAfterOneOptionEndWhereTheRecipeBegins()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("r.json", "{}");
        var run = Tool.Run("train", "--set", "training.max_updates=x", "training.seed=y", path);
        Assert.Contains("--set: training.seed must be a whole number of at least 0, got \"y\".", run.Error);
        Assert.Contains("--set: training.max_updates must be ", run.Error);
    }

    [Fact]
    public void DataAndDeviceMustBeSomewhere()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("r.json", """{ "architecture": "transformer", "data": { "train": ["a", "b"], "valid": ["a", "b"] }, "training": { "max_updates": 1 } }""");
        Assert.Equal("cudaseq train: --data DIR must name the folder of a, or the variable CUDASEQ_DATA the one above it.\n", Tool.Run("train", path).Error);
        Assert.Equal(
            "cudaseq train: --device must be one of cpu, cuda, cuda:N, auto, got gpu.\n",
            Tool.Run("train", path, "--data", folder.PathOf("."), "--device", "gpu", "--out", folder.PathOf("run")).Error);
    }

    [Fact]
    public void DoctorFindsThisMachineWell()
    {
        var run = Tool.Run("doctor");
        Assert.Equal("", run.Error);
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("right", run.Out);
        Assert.DoesNotContain("WRONG", run.Out);
        Assert.DoesNotContain('\e', run.Out);
    }

    private sealed class FullDisk : StringWriter
    {
        public override void Flush() => throw new IOException("No space left on device");
    }
}
