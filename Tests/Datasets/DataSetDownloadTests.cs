using System.Collections.Concurrent;
using System.Security.Cryptography;
using CudaSeq.Cli;
using CudaSeq.Models;

namespace CudaSeq.Tests;

public sealed class DataSetDownloadTests : IDisposable
{
    private static readonly byte[] Content = Bytes(300_000, seed: 1);

    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _client = LoopbackServer.Client();
    private readonly Progress _progress = new();

    private string Target => _folder.PathOf("set/file.txt");

    private string Part => _folder.PathOf("set/file.txt.part");

    public void Dispose()
    {
        _client.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task AFileArrivesWholeWithProgress()
    {
        using var server = LoopbackServer.Of(Content);
        Assert.Equal(1, await Get(server));
        Assert.Equal(Content, File.ReadAllBytes(Target));
        Assert.Equal([new Asked("/file.txt", null)], server.Asked);
        AssertNothingElse();
        var reports = _progress.Reports;
        Assert.Equal(new DownloadProgress(DownloadStage.Receiving, "set/file.txt", 0, Content.Length), reports[0]);
        Assert.Contains(new DownloadProgress(DownloadStage.Receiving, "set/file.txt", Content.Length, Content.Length), reports);
        Assert.Equal(new DownloadProgress(DownloadStage.Done, "set/file.txt", Content.Length, Content.Length), reports[^1]);
    }

    [Fact]
    public async Task WhatIsThereAndRightIsNotAskedFor()
    {
        using var server = LoopbackServer.Of(Content);
        await Get(server);
        Assert.Equal(0, await Get(server));
        Assert.Single(server.Asked);
        Assert.Equal(DownloadStage.Present, _progress.Reports[^1].Stage);
    }

    [Fact]
    public async Task AnotherFileIsNotWrittenOver()
    {
        using var server = LoopbackServer.Of(Content);
        Directory.CreateDirectory(_folder.PathOf("set"));
        _folder.File("set/file.txt", "mine");
        var e = await Assert.ThrowsAsync<InvalidDataException>(() => Get(server));
        Assert.Equal($"{Target}: is there and not the published file (must have 300000 bytes, got 4); move it away to download that.", e.Message);
        Assert.Equal("mine", File.ReadAllText(Target));
        Assert.Empty(server.Asked);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(150_000)]
    [InlineData(299_999)]
    public async Task ItGoesOnWhereItStopped(int have)
    {
        using var server = LoopbackServer.Of(Content);
        LeavePart(Content[..have]);
        await Get(server);
        Assert.Equal(Content, File.ReadAllBytes(Target));
        Assert.Equal([new Asked("/file.txt", have)], server.Asked);
        AssertNothingElse();
    }

    [Fact]
    public async Task AWholePartNeedsNoServer()
    {
        using var server = LoopbackServer.Of(Content);
        LeavePart(Content);
        await Get(server);
        Assert.Equal(Content, File.ReadAllBytes(Target));
        Assert.Empty(server.Asked);
    }

    [Fact]
    public async Task WithoutRangesItStartsOver()
    {
        using var server = new LoopbackServer((_, _) => new Answer("200 OK", Content));
        LeavePart(Content[..1000]);
        await Get(server);
        Assert.Equal(Content, File.ReadAllBytes(Target));
        Assert.Single(server.Asked);
    }

    [Theory]
    [InlineData("206 Partial Content", "Content-Range: bytes 0-299999/300000")]
    [InlineData("206 Partial Content", "Content-Range: bytes 1000-299999/999999")]
    [InlineData("206 Partial Content", "X: y")]
    [InlineData("416 Range Not Satisfiable", "Content-Range: bytes */300000")]
    public async Task AnotherRangeThanWasAskedForStartsOver(string status, string head)
    {
        using var server = new LoopbackServer((asked, _) => asked.From is null ? LoopbackServer.Ok(Content, asked) : new Answer(status, Content[1000..]) { Head = [head] });
        LeavePart(Content[..1000]);
        await Get(server);
        Assert.Equal(Content, File.ReadAllBytes(Target));
        Assert.Equal([1000, null], server.Asked.Select(a => a.From));
    }

    [Fact]
    public async Task AWrongPartIsThrownAwayAndFetchedOnceMore()
    {
        using var server = LoopbackServer.Of(Content);
        LeavePart(Bytes(1000, seed: 2));
        await Get(server);
        Assert.Equal(Content, File.ReadAllBytes(Target));
        Assert.Equal([1000, null], server.Asked.Select(a => a.From));
        Assert.Single(_progress.Reports, r => r.Stage == DownloadStage.Refetching);
    }

    [Fact]
    public async Task APartThatIsTooLongIsThrownAway()
    {
        using var server = LoopbackServer.Of(Content);
        LeavePart([.. Content, 0]);
        await Get(server);
        Assert.Equal(Content, File.ReadAllBytes(Target));
        Assert.Equal([new Asked("/file.txt", null)], server.Asked);
    }

    [Fact]
    public async Task AWrongChecksumIsFetchedOnceMoreAndThenRefused()
    {
        byte[] other = Bytes(Content.Length, seed: 3);
        using var server = LoopbackServer.Of(other);
        var e = await Assert.ThrowsAsync<InvalidDataException>(() => Get(server));
        Assert.Equal($"{server.Url("file.txt")}: must have the checksum {Sha256(Content)}, got {Sha256(other)}.", e.Message);
        Assert.Equal(2, server.Asked.Count);
        AssertNothing();
    }

    [Fact]
    public async Task ABrokenConnectionGoesOnWhereItBroke()
    {
        using var server = new LoopbackServer((asked, n) => n == 0 ? new Answer("200 OK", Content[..100_000]) { ContentLength = "300000" } : LoopbackServer.Ok(Content, asked));
        await Get(server);
        Assert.Equal(Content, File.ReadAllBytes(Target));
        Assert.Equal([null, 100_000], server.Asked.Select(a => a.From));
        var waited = Assert.Single(_progress.Reports, r => r.Stage == DownloadStage.Waiting);
        Assert.Equal((100_000, TimeSpan.FromMilliseconds(1)), (waited.Bytes, waited.Pause));
    }

    [Fact]
    public async Task AServerThatEndsTooSoonWithoutSayingSoIsAskedAgain()
    {
        using var server = new LoopbackServer((asked, n) => n == 0 ? new Answer("200 OK", Content[..7]) { ContentLength = "" } : LoopbackServer.Ok(Content, asked));
        await Get(server);
        Assert.Equal("the server ended after 7 of 300000 bytes", Assert.Single(_progress.Reports, r => r.Stage == DownloadStage.Waiting).Reason);
        Assert.Equal(Content, File.ReadAllBytes(Target));
    }

    [Fact]
    public async Task ItIsGivenUpAfterAllAttemptsAndWhatArrivedStays()
    {
        using var server = new LoopbackServer((_, n) => n == 0 ? new Answer("200 OK", Content[..100]) { ContentLength = "" } : new Answer("503 Service Unavailable", []));
        var e = await Assert.ThrowsAsync<HttpRequestException>(() => Get(server));
        Assert.Equal($"{server.Url("file.txt")}: the server answers 503 Service Unavailable; given up after 3 attempts.", e.Message);
        Assert.Equal(3, server.Asked.Count);
        Assert.Equal(Content[..100], File.ReadAllBytes(Part));
        Assert.Equal([1, 2], _progress.Reports.Where(r => r.Stage == DownloadStage.Waiting).Select(r => r.Pause.TotalMilliseconds));
    }

    [Theory]
    [InlineData("404 Not Found")]
    [InlineData("403 Forbidden")]
    [InlineData("501 Not Implemented")]
    public async Task ARefusalIsNotAskedAgain(string status)
    {
        using var server = new LoopbackServer((_, _) => new Answer(status, [1, 2, 3]));
        var e = await Assert.ThrowsAsync<HttpRequestException>(() => Get(server));
        Assert.Equal($"{server.Url("file.txt")}: the server answers {status}.", e.Message);
        Assert.Single(server.Asked);
    }

    [Theory]
    [InlineData("500 Internal Server Error")]
    [InlineData("429 Too Many Requests")]
    [InlineData("408 Request Timeout")]
    public async Task ABusyServerIsAskedAgain(string status)
    {
        using var server = new LoopbackServer((asked, n) => n == 0 ? new Answer(status, []) { Head = ["Retry-After: 0"] } : LoopbackServer.Ok(Content, asked));
        await Get(server);
        var waited = Assert.Single(_progress.Reports, r => r.Stage == DownloadStage.Waiting);
        Assert.Equal(($"the server answers {status}", TimeSpan.Zero), (waited.Reason, waited.Pause));
        Assert.Equal(Content, File.ReadAllBytes(Target));
    }

    [Fact]
    public async Task NobodyThereIsGivenUp()
    {
        var other = new HttpRequestException("the server answers 404 Not Found.");
        string url;
        using (var server = LoopbackServer.Of(Content))
            url = server.Url("file.txt");
        var set = Set(new DataFile("set/file.txt", Content.Length, Sha256(Content), new DataSource(url, Bytes: Content.Length)));
        var e = await Assert.ThrowsAsync<HttpRequestException>(() => Get(set));
        Assert.Equal($"{url}: Connection refused; given up after 3 attempts.", e.Message);
        Assert.Equal($"{e.Message} Behind a proxy set HTTPS_PROXY; --mirror URL takes the files from elsewhere.", DataGetVerb.Explained(e).Message);
        Assert.Same(other, DataGetVerb.Explained(other));
        Assert.False(Directory.Exists(_folder.PathOf("set")));
    }

    [Fact]
    public async Task ASilentServerIsGivenUp()
    {
        using var server = new LoopbackServer((_, _) => new Answer("200 OK", Content[..10]) { ContentLength = "300000", Hangs = true });
        var e = await Assert.ThrowsAsync<HttpRequestException>(() => Get(Set(server), new() { Attempts = 1, Patience = TimeSpan.FromSeconds(1.5) }));
        Assert.Equal($"{server.Url("file.txt")}: no answer for 1.5 seconds; given up after 1 attempt.", e.Message);
        Assert.Equal(Content[..10], File.ReadAllBytes(Part));
    }

    [Fact]
    public async Task CancelledItLeavesWhatArrivedAndGoesOnFromThere()
    {
        using var server = new LoopbackServer((asked, n) => n == 0 ? LoopbackServer.Ok(Content, asked) with { Slowly = (10_000, TimeSpan.FromMilliseconds(20)) } : LoopbackServer.Ok(Content, asked));
        using var cancellation = new CancellationTokenSource();
        _progress.Reported = r =>
        {
            if (r.Bytes >= 30_000)
                cancellation.Cancel();
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new DataSetDownload(_client, Quick).GetAsync(Set(server), _folder.PathOf(""), _progress, cancellation.Token));
        Assert.False(File.Exists(Target));
        int have = (int)new FileInfo(Part).Length;
        Assert.InRange(have, 30_000, Content.Length - 1);
        Assert.Equal(Content[..have], File.ReadAllBytes(Part));
        _progress.Reported = null;
        await Get(server);
        Assert.Equal(Content, File.ReadAllBytes(Target));
        Assert.Equal([null, have], server.Asked.Select(a => a.From));
    }

    [Fact]
    public async Task RedirectionsAreFollowed()
    {
        using var server = new LoopbackServer((asked, _) => asked.Path == "/file.txt" ? new Answer("302 Found", []) { Head = ["Location: /elsewhere"] } : LoopbackServer.Ok(Content, asked));
        LeavePart(Content[..1000]);
        await Get(server);
        Assert.Equal([new Asked("/file.txt", 1000), new Asked("/elsewhere", 1000)], server.Asked);
        Assert.Equal(Content, File.ReadAllBytes(Target));
    }

    [Fact]
    public async Task RedirectionsInACircleAreRefused()
    {
        using var server = new LoopbackServer((asked, _) => new Answer("302 Found", []) { Head = ["Location: /file.txt"] });
        var e = await Assert.ThrowsAsync<HttpRequestException>(() => Get(server));
        Assert.Equal($"{server.Url("file.txt")}: the server answers 302 Found.", e.Message);
    }

    [Theory]
    [InlineData("300001")]
    [InlineData("299999")]
    [InlineData("9223372036854775807")]
    public async Task AnotherSizeThanThePublishedIsRefusedAtOnce(string length)
    {
        using var server = new LoopbackServer((_, _) => new Answer("200 OK", Content[..10]) { ContentLength = length, Hangs = true });
        var e = await Assert.ThrowsAsync<InvalidDataException>(() => Get(server));
        Assert.Equal($"{server.Url("file.txt")}: must have 300000 bytes, the server has {length}.", e.Message);
        Assert.Single(server.Asked);
    }

    [Fact]
    public async Task MoreBytesThanThePublishedAreRefused()
    {
        using var server = new LoopbackServer((_, _) => new Answer("200 OK", [.. Content, .. Content]) { ContentLength = "" });
        var e = await Assert.ThrowsAsync<InvalidDataException>(() => Get(server));
        Assert.Equal($"{server.Url("file.txt")}: must have 300000 bytes, the server sends more.", e.Message);
        AssertNothing();
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("-5")]
    [InlineData("99999999999999999999999")]
    public async Task AHeadThatMakesNoSenseIsGivenUp(string length)
    {
        using var server = new LoopbackServer((_, _) => new Answer("200 OK", Bytes(400_000, seed: 4)) { ContentLength = length });
        await Assert.ThrowsAnyAsync<Exception>(() => Get(server));
        Assert.False(File.Exists(Target));
        Assert.True(!File.Exists(Part) || new FileInfo(Part).Length <= Content.Length);
    }

    [Fact]
    public async Task AnAddressHasACopyOnAMirror()
    {
        using var server = LoopbackServer.Of(Content);
        var set = Set(new DataFile("set/file.txt", Content.Length, Sha256(Content), new DataSource("https://example.org/a/b/file.txt", Bytes: Content.Length)));
        await Get(set, Quick with { Mirror = new Uri(server.Url("copies/")) });
        Assert.Equal([new Asked("/copies/example.org/a/b/file.txt", null)], server.Asked);
    }

    [Fact]
    public async Task AFullDiskIsToldBeforeAnythingIsAskedFor()
    {
        using var server = LoopbackServer.Of(Content);
        var e = await Assert.ThrowsAsync<IOException>(() => Get(Set(server), Quick with { FreeBytes = _ => 299_999 }));
        Assert.Equal($"{_folder.PathOf("")}: must have 300000 bytes free for set, has 299999.", e.Message);
        Assert.Empty(server.Asked);
        await Get(Set(server), Quick with { FreeBytes = _ => 300_000 });
    }

    [Fact]
    public async Task AFolderThatCannotBeWrittenIsTold()
    {
        using var server = LoopbackServer.Of(Content);
        string file = _folder.File("file", "");
        var e = await Assert.ThrowsAsync<IOException>(() => new DataSetDownload(_client, Quick).GetAsync(Set(server), file));
        Assert.StartsWith($"{file}: cannot be written (", e.Message);
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs /proc, which even root cannot write");
        e = await Assert.ThrowsAsync<IOException>(() => new DataSetDownload(_client, Quick).GetAsync(Set(server), "/proc/cudaseq"));
        Assert.StartsWith("/proc/cudaseq: cannot be written (", e.Message);
        Assert.Empty(server.Asked);
    }

    [Fact]
    public async Task APartThatIsInUseIsTold()
    {
        using var server = LoopbackServer.Of(Content);
        LeavePart(Content[..10]);
        using var other = new FileStream(Part, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        var e = await Assert.ThrowsAsync<IOException>(() => Get(server));
        Assert.Equal($"{Part}: is in use; is it being downloaded already?", e.Message);
    }

    [Theory]
    [InlineData("../file.txt")]
    [InlineData("set/../../file.txt")]
    [InlineData("/tmp/file.txt")]
    [InlineData("set//file.txt")]
    [InlineData("set\\..\\file.txt")]
    public async Task APlaceOutsideTheFolderIsRefused(string path)
    {
        using var server = LoopbackServer.Of(Content);
        var set = Set(new DataFile(path, Content.Length, Sha256(Content), new DataSource(server.Url("file.txt"), Bytes: Content.Length)));
        var e = await Assert.ThrowsAsync<ArgumentException>(() => Get(set));
        Assert.Equal($"{path}: the place of a file must be below the folder of data sets.", e.Message);
        Assert.Empty(server.Asked);
    }

    private static DownloadOptions Quick { get; } = new() { Attempts = 3, FirstPause = TimeSpan.FromMilliseconds(1), Patience = TimeSpan.FromSeconds(20) };

    internal static byte[] Bytes(int count, int seed)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    internal static string Sha256(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static DataSet Set(DataFile file) => new("set", "a set", "none", "https://example.org", [file]);

    private static DataSet Set(LoopbackServer server) => Set(new DataFile("set/file.txt", Content.Length, Sha256(Content), new DataSource(server.Url("file.txt"), Bytes: Content.Length)));

    private Task<int> Get(LoopbackServer server) => Get(Set(server));

    private Task<int> Get(DataSet set, DownloadOptions? options = null)
        => new DataSetDownload(_client, options ?? Quick).GetAsync(set, _folder.PathOf(""), _progress, TestContext.Current.CancellationToken);

    private void LeavePart(byte[] bytes)
    {
        Directory.CreateDirectory(_folder.PathOf("set"));
        File.WriteAllBytes(Part, bytes);
    }

    private void AssertNothingElse() => Assert.Equal([Target], Directory.GetFiles(_folder.PathOf("set")));

    private void AssertNothing() => Assert.False(Directory.Exists(_folder.PathOf("set")));

    /// <summary>Keeps what is reported, in its order.</summary>
    private sealed class Progress : IProgress<DownloadProgress>
    {
        private readonly ConcurrentQueue<DownloadProgress> _reports = [];

        public IReadOnlyList<DownloadProgress> Reports => [.. _reports];

        public Action<DownloadProgress>? Reported { get; set; }

        public void Report(DownloadProgress value)
        {
            _reports.Enqueue(value);
            Reported?.Invoke(value);
        }
    }
}
