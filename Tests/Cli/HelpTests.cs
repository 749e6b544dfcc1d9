using CudaSeq.Cli;

namespace CudaSeq.Tests;

public sealed class HelpTests
{
    public static TheoryData<string> Verbs => [.. CommandLine.Verbs().SelectMany(v => v.Verbs.Prepend(v)).Select(v => v.FullName)];

    [Fact]
    public void TheToolsHelpIsAsCommitted() => Check(Tool.Run("--help"), "cudaseq");

    [Theory]
    [MemberData(nameof(Verbs))]
    public void AVerbsHelpIsAsCommitted(string verb) => Check(Tool.Run([.. verb.Split(' '), "--help"]), verb.Replace(' ', '-'));

    [Theory]
    [MemberData(nameof(Verbs))]
    public void EveryVerbHasExamplesOfItself(string verb)
    {
        string help = Tool.Run([.. verb.Split(' '), "--help"]).Out;
        Assert.Contains($"cudaseq {verb}", help[help.IndexOf("\nExamples\n", StringComparison.Ordinal)..]);
    }

    [Fact]
    public void HelpHasColoursOnAScreenOnly()
    {
        Assert.Contains('\e', Tool.Run(["train", "--help"], "", live: true).Out);
        Assert.DoesNotContain('\e', Tool.Run(["train", "--help"], "", new() { ["NO_COLOR"] = "1" }, live: true).Out);
    }

    private static void Check(ToolRun run, string name)
    {
        Assert.Equal(0, run.ExitCode);
        Assert.Equal("", run.Error);
        Assert.All(run.Out.Split('\n'), line => Assert.True(line.Length <= 132, line));
        Repository.AssertSame($"Tests/Cli/Help/{name}.txt", run.Out);
    }
}
