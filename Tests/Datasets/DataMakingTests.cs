using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Texts that are made of downloaded files.</summary>
public sealed class DataMakingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _client = LoopbackServer.Client();

    public void Dispose()
    {
        _client.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task LinesOfJsonBecomeLinesOfText()
    {
        byte[] json = """
            {"source": ["One  sentence.\n", " \t ", "A\u2028second\u00a0one. "], "target": ["first", "second\r\nhalf"], "more": 1}
            {"source": "Alone.", "target": ["only"]}

            """u8.ToArray();
        using var server = LoopbackServer.Of(json);
        var set = Set(server, json, new("set/train.text", "set/train.jsonl", TextPart.Joined, "source"), new("set/train.short", "set/train.jsonl", TextPart.Numbered, "target"));
        var progress = new List<DownloadProgress>();
        Assert.Equal(1, await Get(set, progress));
        Assert.Equal("One sentence. A second one.\nAlone.\n", Read("train.text"));
        Assert.Equal(("first\nonly\n", "second half\n\n"), (Read("train.short0"), Read("train.short1")));
        Assert.Equal(4, Directory.GetFiles(_folder.PathOf("set")).Length);
        Assert.Equal(DataSetState.Whole, set.StateIn(_folder.PathOf("")));
        Assert.Equal(
            [new(DownloadStage.Done, "set/train.text", 35, 35), new(DownloadStage.Done, "set/train.short0", 11, 11), new(DownloadStage.Done, "set/train.short1", 13, 13)],
            progress.TakeLast(3));

        // What is missing is made again without the server.
        File.Delete(_folder.PathOf("set/train.short1"));
        Assert.Equal(0, await Get(set, progress));
        Assert.Equal("second half\n\n", Read("train.short1"));
        Assert.Equal([DownloadStage.Present, DownloadStage.Present, DownloadStage.Done], progress.TakeLast(3).Select(p => p.Stage));
        Assert.Single(server.Asked);
        File.Delete(_folder.PathOf("set/train.short0"));
        Assert.Equal(DataSetState.Part, set.StateIn(_folder.PathOf("")));
    }

    [Fact]
    public async Task ATextMayBeSomeLinesOfAFile()
    {
        byte[] text = "a\nb\u2028c\n\nd"u8.ToArray();
        using var server = LoopbackServer.Of(text);
        await Get(Set(server, text, new("set/first", "set/train.jsonl", TextPart.Lines, Count: 2), new("set/rest", "set/train.jsonl", TextPart.Lines, Start: 2), new("set/middle", "set/train.jsonl", TextPart.Lines, Start: 1, Count: 1)));
        Assert.Equal(("a\nb\u2028c\n", "\nd\n", "b\u2028c\n"), (Read("first"), Read("rest"), Read("middle")));
    }

    [Fact]
    public async Task AnotherTextIsNotWrittenOver()
    {
        byte[] text = "a\nb\n"u8.ToArray();
        using var server = LoopbackServer.Of(text);
        Directory.CreateDirectory(_folder.PathOf("set"));
        string mine = _folder.File("set/first", "b\n");
        var set = Set(server, text, new MadeText("set/first", "set/train.jsonl", TextPart.Lines, Count: 1));
        var e = await Assert.ThrowsAsync<InvalidDataException>(() => Get(set));
        Assert.Equal($"{mine}: is there and not what is made of set/train.jsonl; move it away to have that.", e.Message);
        Assert.Equal("b\n", Read("first"));
        var out1 = await Assert.ThrowsAsync<ArgumentException>(() => Get(set with { Made = [new("../evil", "set/train.jsonl", TextPart.Lines)] }));
        Assert.Equal("../evil: the place of a file must be below the folder of data sets.", out1.Message);
        Assert.False(File.Exists(_folder.PathOf("../evil")));
    }

    [Theory]
    [InlineData("{\"a\": [\"x\"]}\n{\"b\": 1}\n")]
    [InlineData("{\"a\": \"x\"}\n{\"a\": 1}\n")]
    [InlineData("{\"a\": \"x\"}\n{\"a\": [1]}\n")]
    [InlineData("{\"a\": \"x\"}\n{\"a\": [\" \"]}\n")]
    [InlineData("{\"a\": \"x\"}\n[]\n")]
    [InlineData("{\"a\": \"x\"}\nx\n")]
    public void ALineWithoutTextIsNamed(string json)
    {
        string file = _folder.File("x.jsonl", json);
        var e = Assert.Throws<InvalidDataException>(() => DataMaking.Make(new("set/x", "set/x.jsonl", TextPart.Joined, "a"), file, TestContext.Current.CancellationToken));
        Assert.Equal($"{file}: line 2 must be a JSON object whose a has text.", e.Message);
    }

    [Fact]
    public void TextsOfTheCatalogueAreMadeOfItsFilesAndLieBesideThem()
    {
        foreach (var set in DataSets.All)
        {
            Assert.All(set.Made, m => Assert.Contains(m.From, set.Files.Select(f => f.Path)));
            Assert.All(set.Made, m => Assert.StartsWith(set.Name + "/", m.Path));
            Assert.Empty(set.Made.Select(m => m.First).Intersect(set.Files.Select(f => f.Path)));
        }
    }

    [Fact]
    public void AbstractsAndAllTheirSummariesHaveALineEach()
    {
        string file = TestData.Require("scitldr/dev.jsonl");
        var set = DataSets.Named("scitldr");
        var files = set.Made.Where(m => m.From == "scitldr/dev.jsonl").SelectMany(m => DataMaking.Make(m, file, TestContext.Current.CancellationToken))
            .ToDictionary(f => f.Path, f => System.Text.Encoding.UTF8.GetString(f.Bytes).Split('\n')[..^1]);
        Assert.Equal(["scitldr/dev.abstract", "scitldr/dev.tldr0", "scitldr/dev.tldr1", "scitldr/dev.tldr2", "scitldr/dev.tldr3"], files.Keys);
        Assert.All(files.Values, lines => Assert.Equal(619, lines.Length));

        // 94 papers have one summary, 237 two, 267 three and 21 four.
        Assert.Equal([619, 619, 525, 288, 21], files.Values.Select(lines => lines.Count(l => l.Length > 0)));
        Assert.DoesNotContain(files.Values.SelectMany(l => l), l => l.Contains("  ", StringComparison.Ordinal) || l.Trim() != l);
    }

    private static DataSet Set(LoopbackServer server, byte[] content, params MadeText[] made)
        => new("set", "", "", "", [new("set/train.jsonl", content.Length, DataSetDownloadTests.Sha256(content), new(server.Url("train.jsonl"), Bytes: content.Length))]) { Made = made };

    private string Read(string name) => File.ReadAllText(_folder.PathOf($"set/{name}"));

    private Task<int> Get(DataSet set, List<DownloadProgress>? progress = null)
        => new DataSetDownload(_client, new() { Attempts = 1 }).GetAsync(set, _folder.PathOf(""), progress is null ? null : new Heard(progress), TestContext.Current.CancellationToken);

    private sealed class Heard(List<DownloadProgress> all) : IProgress<DownloadProgress>
    {
        public void Report(DownloadProgress value)
        {
            lock (all)
                all.Add(value);
        }
    }
}
