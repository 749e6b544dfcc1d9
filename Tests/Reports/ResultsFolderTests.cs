using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Pages of results and the logs that they are made of.</summary>
public sealed class ResultsFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void TheCommittedPagesAreThoseOfTheCommittedLogs()
    {
        var pages = ResultsFolder.Pages(Repository.File("docs/results"));
        Assert.NotEmpty(pages);
        foreach (var (path, text) in pages)
            Repository.AssertSame(Path.GetRelativePath(Repository.File("."), path).Replace('\\', '/'), text);
    }

    [Fact]
    public void ALogKeepsAllButMostProgress()
    {
        string run = Run("a", 300);
        Assert.Equal(_folder.PathOf("page/a.jsonl") + "\n", Tool.Run("report", run, "--keep", _folder.PathOf("page")).Out);
        string[] all = File.ReadAllLines(Path.Combine(run, "log.jsonl")), kept = File.ReadAllLines(_folder.PathOf("page/a.jsonl"));
        Assert.All(kept, line => Assert.Contains(line, all));
        Assert.Equal(all.Where(l => !l.Contains("\"update\",", StringComparison.Ordinal)), kept.Where(l => !l.Contains("\"update\",", StringComparison.Ordinal)));

        // One in 60 of those that come every second, and the last.
        Assert.Equal([1, 61, 121, 181, 241, 300], kept.Where(l => l.Contains("\"update\",", StringComparison.Ordinal)).Select(l => (int)System.Text.Json.Nodes.JsonNode.Parse(l)!["update"]!));
        var (whole, thin) = (RunLog.Read(run), RunLog.ReadFile(_folder.PathOf("page/a.jsonl")));
        Assert.Equal((whole.Updates, whole.Minutes, whole.Tokens, whole.Epochs, "90 minutes or 400 updates"), (thin.Updates, thin.Minutes, thin.Tokens, thin.Epochs, thin.Budget));
    }

    [Fact]
    public void PagesAreMadeAgainFromWhatWasKept()
    {
        ResultsFolder.Keep(Run("b", 5), _folder.PathOf("results/page"));
        ResultsFolder.Keep(Run("a", 5), _folder.PathOf("results/page"));
        _folder.File("results/page/page.json", """{ "title": "Two runs", "text": ["Said of both.", "And more."], "runs": ["b", "a"] }""");
        Directory.CreateDirectory(_folder.PathOf("results/no-page"));
        string page = _folder.PathOf("results/page.md");
        Assert.Equal(new ToolRun(0, page + "\n", ""), Tool.Run("report", "--pages", _folder.PathOf("results")));
        string text = File.ReadAllText(page);
        Assert.StartsWith("# Two runs\n\nWritten by `cudaseq report` from the logs of the runs; do not edit.\n\nSaid of both.\n\nAnd more.\n\n| run |", text);
        Assert.Contains("| b | 1,234 | 90 minutes or 400 updates | 0.1 | 1 | 5 | 100 | 20.00 | 30.50 |\n| a |", text);
        Assert.True(text.IndexOf("## b", StringComparison.Ordinal) < text.IndexOf("## a", StringComparison.Ordinal));
    }

    [Fact]
    public void TimesThatSayNothingAreLeftOut()
    {
        ResultsFolder.Keep(Run("a", 5), _folder.PathOf("results/page"));
        _folder.File("results/page/page.json", """{ "title": "A run", "text": [], "runs": ["a"], "times": false }""");
        string text = Assert.Single(ResultsFolder.Pages(_folder.PathOf("results"))).Text;
        Assert.Contains("The machine did other work meanwhile: times and speeds are left out.\n\n| run | parameters | budget | epochs | updates | best validation BLEU | test BLEU |\n|---|---:|---:|---:|---:|---:|---:|\n", text);
        Assert.Contains("| a | 1,234 | 90 minutes or 400 updates | 1 | 5 | 20.00 | 30.50 |\n", text);
        Assert.Contains("| epoch | update | validation loss | perplexity | BLEU | |\n|---:|---:|---:|---:|---:|---|\n| 1 | 5 | 2.000 | 7.00 | 20.00 | best |\n", text);
    }

    [Theory]
    [InlineData("""{ "title": "x", "text": [], "runs": ["a"] }""", "runs must name every log beside it, b.jsonl is not there.")]
    [InlineData("""{ "title": "x", "text": [], "runs": ["a", "b", "c"] }""", "c.jsonl: there is no such file.")]
    [InlineData("""{ "title": "x", "text": [], "runs": [] }""", "runs must name at least one run.")]
    [InlineData("""{ "title": "x", "runs": ["a", "b"] }""", "must be an object with title, text and runs (")]
    [InlineData("""[]""", "must be an object with title, text and runs (")]
    [InlineData("""{ "title": """, "must be an object with title, text and runs (")]
    public void WhatIsWrongWithAPageIsSaid(string plan, string message)
    {
        foreach (string name in (string[])["a", "b"])
            ResultsFolder.Keep(Run(name, 2), _folder.PathOf("results/page"));
        _folder.File("results/page/page.json", plan);
        var run = Tool.Run("report", "--pages", _folder.PathOf("results"));
        Assert.Equal((1, ""), (run.ExitCode, run.Out));
        Assert.Contains(message, run.Error);
        Assert.False(File.Exists(_folder.PathOf("results/page.md")));
    }

    [Theory]
    [InlineData("report --pages docs --gpu gpu", "cudaseq report: RUN, --gpu DIR or --pages DIR must be given, one of them; cudaseq report --help shows how.")]
    [InlineData("report --gpu gpu --keep docs", "cudaseq report: --keep is for runs: RUN must be given.")]
    [InlineData("report --pages docs --title x", "cudaseq report: --title and --output are for one page, --pages must not be given with them.")]
    [InlineData("report runs/a --keep docs --output x.md", "cudaseq report: --title and --output are for one page, --keep must not be given with them.")]
    [InlineData("report --pages .", "cudaseq report: --pages must be a folder with folders that have a page.json, . has none.")]
    public void OptionsThatDoNotGoTogetherAreRefused(string line, string message) => Assert.Equal(new ToolRun(2, "", message + "\n"), Tool.Run(line.Split(' ')));

    /// <summary>A run's folder with progress every second, one validation and a test.</summary>
    private string Run(string name, int seconds)
    {
        Directory.CreateDirectory(_folder.PathOf($"runs/{name}"));
        using var log = TrainingLog.Create(_folder.PathOf($"runs/{name}/log.jsonl"));
        log.Write("run", 0, 0, ("parameters", 1234L), ("max_updates", 400), ("max_minutes", 90.0), ("seed", 1));
        for (int i = 1; i <= seconds; i++)
            log.Write("update", i, i, ("epoch", 1), ("loss", 5.0 / i), ("ppl", 10.0), ("tokens", 100L * i));
        log.Write("validation", seconds, seconds, ("epoch", 1), ("loss", 2.0), ("nll", 1.5), ("ppl", 7.0), ("bleu", 20.0), ("best", true));
        log.Write("end", seconds, seconds, ("epoch", 1));
        log.Write("test", seconds, seconds, ("bleu", 30.5), ("beam", 5), ("length_penalty", 1), ("checkpoint_update", seconds), ("signature", "nrefs:1"));
        return _folder.PathOf($"runs/{name}");
    }
}
