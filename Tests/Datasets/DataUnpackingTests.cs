using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Compressed files and archives, from a server to their places.</summary>
public sealed class DataUnpackingTests : IDisposable
{
    private static readonly byte[] Content = [.. Enumerable.Range(0, 50_000).Select(i => (byte)(i % 251))];

    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _client = LoopbackServer.Client();

    public void Dispose()
    {
        _client.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task GzipIsUnpacked()
    {
        byte[] packed = Gzip(Content);
        using var server = LoopbackServer.Of(packed);
        Directory.CreateDirectory(_folder.PathOf("set"));
        _folder.File("set/file.gz.part", packed[..20]);
        await Get(Gzipped(server, packed, Content));
        Assert.Equal(20, Assert.Single(server.Asked).From);
        Assert.Equal(Content, File.ReadAllBytes(_folder.PathOf("set/file")));
        Assert.Equal([_folder.PathOf("set/file")], Directory.GetFiles(_folder.PathOf("set")));
    }

    [Fact]
    public async Task BrokenGzipIsFetchedOnceMoreAndThenRefused()
    {
        byte[] packed = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
        using var server = LoopbackServer.Of(packed);
        var e = await Assert.ThrowsAsync<InvalidDataException>(() => Get(Gzipped(server, packed, Content)));
        Assert.StartsWith($"{server.Url("file.gz")}: ", e.Message);
        Assert.Equal(2, server.Asked.Count);
        AssertNothing();
    }

    [Fact]
    public async Task CutGzipIsRefused()
    {
        byte[] packed = Gzip(Content);
        packed = packed[..(packed.Length / 2)];
        using var server = LoopbackServer.Of(packed);
        await Assert.ThrowsAsync<InvalidDataException>(() => Get(Gzipped(server, packed, Content)));
        AssertNothing();
    }

    [Fact]
    public async Task WhatUnpacksToMoreThanWasPublishedIsRefused()
    {
        byte[] packed = Gzip(new byte[10_000_000]);
        using var server = LoopbackServer.Of(packed);
        var e = await Assert.ThrowsAsync<InvalidDataException>(() => Get(Gzipped(server, packed, Content)));
        Assert.Equal($"{server.Url("file.gz")}: set/file must have 50000 bytes, unpacks to more.", e.Message);
        AssertNothing();
    }

    [Fact]
    public async Task RunsOfBytesAreCutOutOfOneDownload()
    {
        using var server = LoopbackServer.Of(Content);
        Assert.Equal(3, await Get(Cut(server, Content.Length, ("all", 0, Content), ("first", 0, Content[..40_000]), ("rest", 40_000, Content[40_000..]))));
        Assert.Equal(Content, File.ReadAllBytes(_folder.PathOf("set/all")));
        Assert.Equal(Content[..40_000], File.ReadAllBytes(_folder.PathOf("set/first")));
        Assert.Equal(Content[40_000..], File.ReadAllBytes(_folder.PathOf("set/rest")));
        Assert.Equal(3, Directory.GetFiles(_folder.PathOf("set")).Length);
        Assert.Single(server.Asked);
    }

    [Fact]
    public async Task ARunBehindTheEndIsRefused()
    {
        using var server = LoopbackServer.Of(Content);
        var e = await Assert.ThrowsAsync<InvalidDataException>(() => Get(Cut(server, Content.Length, ("all", 0, Content), ("rest", 40_001, Content[40_000..]))));
        Assert.Equal($"{server.Url("file.txt")}: set/rest must have 10000 bytes, got 9999.", e.Message);
        AssertNothing();
    }

    [Fact]
    public async Task FilesOfAnArchiveArePutTogetherInTheOrderOfTheirNames()
    {
        byte[] archive = Archive(("r-1/data/b/2.txt", "two\n"), ("r-1/data/b/10.txt", "ten\n"), ("r-1/data/b/1.skip", "no\n"), ("r-1/data/b/deep/3.txt", "no\n"), ("r-1/data/c/1.txt", "c\n"), ("r-1/data/b/", ""));
        using var server = LoopbackServer.Of(archive);
        Assert.Equal(2, await Get(Archived(server, ("b.txt", "data/b/", "ten\ntwo\n"), ("c.txt", "data/c/", "c\n"))));
        Assert.Equal("ten\ntwo\n", File.ReadAllText(_folder.PathOf("set/b.txt")));
        Assert.Equal("c\n", File.ReadAllText(_folder.PathOf("set/c.txt")));
        Assert.Equal(2, Directory.GetFiles(_folder.PathOf("set")).Length);
        Assert.Single(server.Asked);
    }

    [Fact]
    public async Task NamesInAnArchiveNeverBecomePlaces()
    {
        byte[] archive = Archive(("../../evil.txt", "evil"), ("/tmp/cudaseq-evil.txt", "evil"), ("r/data/b/../../../evil.txt", "evil"), ("r/data/b/1.txt", "one"));
        using var server = LoopbackServer.Of(archive);
        await Get(Archived(server, ("b.txt", "data/b/", "one")));
        Assert.Equal([_folder.PathOf("set/b.txt")], Directory.GetFiles(_folder.PathOf(""), "*", SearchOption.AllDirectories).Select(Path.GetFullPath));
        Assert.False(File.Exists("/tmp/cudaseq-evil.txt"));
    }

    [Theory]
    [InlineData("on", "must have 3 bytes, got 2")]
    [InlineData("onE", "must have the checksum WANTED, got GOT")]
    [InlineData("one more", "must have 3 bytes, the archive has more")]
    public async Task AnArchiveOfSomethingElseIsRefused(string content, string what)
    {
        using var server = LoopbackServer.Of(Archive(("r/data/b/1.txt", content)));
        var e = await Assert.ThrowsAsync<InvalidDataException>(() => Get(Archived(server, ("b.txt", "data/b/", "one"))));
        string expected = what.Replace("WANTED", DataSetDownloadTests.Sha256("one"u8.ToArray())).Replace("GOT", DataSetDownloadTests.Sha256(Encoding.UTF8.GetBytes(content)));
        Assert.Equal($"{server.Url("all.tar.gz")}: set/b.txt {expected}.", e.Message);
        AssertNothing();
    }

    [Fact]
    public async Task AnArchiveOfUnknownSizeStartsOverWhenItBreaks()
    {
        byte[] archive = Archive(("r/data/b/1.txt", "one"));
        string chunk = string.Create(CultureInfo.InvariantCulture, $"{archive.Length:x}\r\n");
        byte[] whole = [.. Encoding.ASCII.GetBytes(chunk), .. archive, .. "\r\n0\r\n\r\n"u8];
        using var server = new LoopbackServer((_, n) => new Answer("200 OK", n == 0 ? whole[..100] : whole) { ContentLength = "", Head = ["Transfer-Encoding: chunked"] });
        Directory.CreateDirectory(_folder.PathOf("set"));
        _folder.File("set/all.tar.gz.part", [1, 2, 3]);
        await Get(Archived(server, ("b.txt", "data/b/", "one")));
        Assert.Equal([null, null], server.Asked.Select(a => a.From));
        Assert.Equal([_folder.PathOf("set/b.txt")], Directory.GetFiles(_folder.PathOf("set")));
    }

    [Fact]
    public async Task AnArchiveWithoutEndIsRefused()
    {
        using var server = new LoopbackServer((_, _) => new Answer("200 OK", [1]) { ContentLength = "268435457", Hangs = true });
        var e = await Assert.ThrowsAsync<InvalidDataException>(() => Get(Archived(server, ("b.txt", "data/b/", "one"))));
        Assert.Equal($"{server.Url("all.tar.gz")}: must have at most 268435456 bytes, the server has 268435457.", e.Message);
        AssertNothing();
    }

    [Fact]
    public async Task OnlyWhatIsMissingIsTakenOutOfAnArchive()
    {
        using var server = LoopbackServer.Of(Archive(("r/data/b/1.txt", "one"), ("r/data/c/1.txt", "two")));
        var set = Archived(server, ("b.txt", "data/b/", "one"), ("c.txt", "data/c/", "two"));
        await Get(set);
        File.Delete(_folder.PathOf("set/c.txt"));
        Assert.Equal(1, await Get(set));
        Assert.Equal("two", File.ReadAllText(_folder.PathOf("set/c.txt")));
        Assert.Equal(DataSetState.Whole, set.StateIn(_folder.PathOf("")));
    }

    [Fact]
    public async Task AGitBlobIsAChecksum()
    {
        // What git hash-object says of these four bytes.
        using var server = LoopbackServer.Of("abc\n"u8.ToArray());
        var file = new DataFile("set/a", 4, "8baef1b4abc478178b004d62031cf7fe6db6f903", new DataSource(server.Url("a"), Bytes: 4));
        await Get(new("set", "", "", "", [file]));
        var e = await Assert.ThrowsAsync<InvalidDataException>(() => Get(new("set", "", "", "", [file with { Path = "set/b", Checksum = new string('0', 40) }])));
        Assert.Equal($"{server.Url("a")}: must have the checksum {new string('0', 40)}, got 8baef1b4abc478178b004d62031cf7fe6db6f903.", e.Message);
    }

    private static byte[] Gzip(byte[] content)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Fastest))
            gzip.Write(content);
        return stream.ToArray();
    }

    private static byte[] Archive(params (string Name, string Content)[] entries)
    {
        using var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, TarEntryFormat.Pax, leaveOpen: true))
        {
            // As the servers of repositories begin theirs.
            tar.WriteEntry(new PaxGlobalExtendedAttributesTarEntry(new Dictionary<string, string> { ["comment"] = "commit" }));
            foreach (var (name, content) in entries)
            {
                tar.WriteEntry(name.EndsWith('/')
                    ? new PaxTarEntry(TarEntryType.Directory, name)
                    : new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)) });
            }
        }

        return Gzip(stream.ToArray());
    }

    private static DataSet Gzipped(LoopbackServer server, byte[] packed, byte[] content)
        => new("set", "", "", "", [new("set/file", content.Length, DataSetDownloadTests.Sha256(content), new(server.Url("file.gz"), DataPacking.Gzip, packed.Length))]);

    private static DataSet Cut(LoopbackServer server, long bytes, params (string Name, long Start, byte[] Content)[] files)
    {
        var source = new DataSource(server.Url("file.txt"), DataPacking.Runs, bytes);
        return new("set", "", "", "", [.. files.Select(f => new DataFile($"set/{f.Name}", f.Content.Length, DataSetDownloadTests.Sha256(f.Content), source, Start: f.Start))]);
    }

    private static DataSet Archived(LoopbackServer server, params (string Name, string Folder, string Content)[] files)
    {
        var source = new DataSource(server.Url("all.tar.gz"), DataPacking.TarGzip);
        return new("set", "", "", "", [.. files.Select(f => new DataFile($"set/{f.Name}", f.Content.Length, DataSetDownloadTests.Sha256(Encoding.UTF8.GetBytes(f.Content)), source, new(f.Folder, ".txt")))]);
    }

    private Task<int> Get(DataSet set)
        => new DataSetDownload(_client, new() { Attempts = 2, FirstPause = TimeSpan.FromMilliseconds(1) }).GetAsync(set, _folder.PathOf(""), null, TestContext.Current.CancellationToken);

    private void AssertNothing() => Assert.False(Directory.Exists(_folder.PathOf("set")));
}
