using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using CudaSeq.Cli;
using CudaSeq.Models;

namespace CudaSeq.Tests;

public sealed class DataVerbTests : IDisposable
{
    private const string G2PFiles = "g2p: Words to pronunciations, 9,000 / 196, characters separated by blanks:\ntrains in minutes on a processor\nlicence: MIT, as its repository\nfrom https://github.com/OpenNMT/OpenNMT-py\n";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("data", "cudaseq data: a verb must be given.")]
    [InlineData("data fetch", "cudaseq data: unknown verb fetch; the verbs are list, get, make, check, clean.")]
    [InlineData("data get", "cudaseq data get: NAME... must be given; cudaseq data get --help shows how.")]
    [InlineData("data get multi30", "cudaseq data get: unknown data set multi30, did you mean multi30k?")]
    [InlineData("data get multi30k --mirror ftp://x", "cudaseq data get: --mirror must be an address that begins with http:// or https://, got ftp://x.")]
    [InlineData("data get multi30k --mirror x", "cudaseq data get: --mirror must be an address that begins with http:// or https://, got x.")]
    [InlineData("data list multi30k", "cudaseq data list: unexpected argument multi30k; cudaseq data list --help shows what it takes.")]
    [InlineData("data check", "cudaseq data check: PATH... or --recipe FILE must be given; cudaseq data check --help shows how.")]
    [InlineData("data check a --recipe r", "cudaseq data check: PATH... and --recipe FILE exclude each other.")]
    [InlineData("data check a b c", "cudaseq data check: unexpected argument c; cudaseq data check --help shows what it takes.")]
    [InlineData("data check a --data b", "cudaseq data check: --data is for --recipe.")]
    [InlineData("data check a --sides b c", "cudaseq data check: --sides is for a folder.")]
    [InlineData("data check a --sides b", "cudaseq data check: --sides must name two sides, got b.")]
    [InlineData("data check a --sides b b", "cudaseq data check: --sides must name two sides, got b b.")]
    [InlineData("data check a --ratio 0.5", "cudaseq data check: --ratio must be at least 1, got 0.5.")]
    [InlineData("data check a --long 0", "cudaseq data check: --long must be a whole number of at least 1, got 0.")]
    public void RefusesWhatItDoesNotUnderstand(string line, string message)
    {
        var run = Tool.Run(line.Split(' '));
        Assert.Equal((2, message + "\n"), (run.ExitCode, run.Error));
    }

    [Theory]
    [InlineData("data check no-such", "cudaseq: no-such: there is no such file or folder.")]
    [InlineData("data check no-such other", "cudaseq: no-such: there is no such file.")]
    [InlineData("data check --recipe no-such", "cudaseq: no-such: there is no such file.")]
    public void WhatIsNotThereIsNamed(string line, string message) => Assert.Equal(new ToolRun(1, "", message + "\n"), Tool.Run(line.Split(' ')));

    [Fact]
    public void EveryDataSetIsListedWithItsLicenceAndWhereItIs()
    {
        string output = Tool.Run(["data", "list"], "", new() { ["CUDASEQ_DATA"] = _folder.PathOf("") }).Out;
        foreach (var set in DataSets.All)
            Assert.Matches($@"(?m)^{set.Name} +{set.Files.Count} files? +[\d.]+ [kM]B\n(    .+\n)+    licence: .+\n    https://", output);
        Assert.All(output.Split('\n'), line => Assert.True(line.Length <= 80, line));
        Directory.CreateDirectory(_folder.PathOf("g2p"));
        _folder.File("g2p/src.valid", new byte[3898]);
        Assert.Contains($"g2p               4 files    347 kB  partly in {_folder.PathOf("")}\n", Tool.Run("data", "list", "--folder", _folder.PathOf("")).Out);
    }

    [Fact]
    public void GetsADataSetAndSaysWhereItIs()
    {
        using var server = Serve();
        string[] line = ["data", "get", "g2p", "--mirror", server.Url("")];
        var environment = new Dictionary<string, string> { ["CUDASEQ_DATA"] = _folder.PathOf("") };
        string end = $"in {_folder.PathOf("g2p")}\n";
        Assert.Equal(new ToolRun(0, $"{G2PFiles}g2p/src.train  183 kB\ng2p/tgt.train  157 kB\ng2p/src.valid  4 kB\ng2p/tgt.valid  3 kB\n4 files downloaded, {end}", ""), Tool.Run(line, "", environment));
        Assert.All(server.Asked, a => Assert.StartsWith("/raw.githubusercontent.com/OpenNMT/OpenNMT-py/", a.Path));
        Assert.Equal(new ToolRun(0, $"{G2PFiles}4 files there already and right, {end}", ""), Tool.Run(line, "", environment));
        File.Delete(_folder.PathOf("g2p/src.valid"));
        Assert.Equal(
            new ToolRun(0, $"{G2PFiles}g2p/src.valid  4 kB\n4 files right, 1 of them downloaded, {end}recipes find it there with CUDASEQ_DATA={_folder.PathOf("")}\n", ""),
            Tool.Run([.. line, "--folder", _folder.PathOf("")], ""));
        Assert.Equal(5, server.Asked.Count);
        Assert.Equal(0, Tool.Run("data", "check", _folder.PathOf("g2p")).ExitCode);
    }

    [Fact]
    public void ARefusalIsOneLine()
    {
        using var server = new LoopbackServer((_, _) => new Answer("404 Not Found", []));
        var run = Tool.Run("data", "get", "tinyshakespeare", "--folder", _folder.PathOf(""), "--mirror", server.Url(""));
        Assert.Equal((1, $"cudaseq: {server.Url("raw.githubusercontent.com/karpathy/char-rnn/6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/input.txt")}: the server answers 404 Not Found.\n"), (run.ExitCode, run.Error));
    }

    [Fact]
    public async Task InterruptedItGoesOnFromThere()
    {
        using var slow = Serve((4_096, TimeSpan.FromMilliseconds(200)));
        var start = Tool.StartInfo("data", "get", "g2p", "--folder", _folder.PathOf(""), "--mirror", slow.Url(""));
        using var process = Process.Start(start)!;
        string part = _folder.PathOf("g2p/src.train.part");
        for (var clock = Stopwatch.StartNew(); !File.Exists(part) || new FileInfo(part).Length == 0; await Task.Delay(20))
            Assert.True(clock.Elapsed < TimeSpan.FromMinutes(1), "nothing arrives");
        using (var kill = Process.Start("kill", ["-INT", process.Id.ToString(CultureInfo.InvariantCulture)])!)
            await kill.WaitForExitAsync();
        string output = await process.StandardOutput.ReadToEndAsync(), error = await process.StandardError.ReadToEndAsync();
        Assert.True(process.WaitForExit(60_000), "SIGINT did not end it");
        Assert.Equal((1, "cudaseq: interrupted; the same command goes on from here.\n"), (process.ExitCode, error));
        Assert.Equal(G2PFiles, output);
        long have = new FileInfo(part).Length;
        Assert.InRange(have, 1, 182_959);
        using var server = Serve();
        Assert.Equal(0, Tool.Run("data", "get", "g2p", "--folder", _folder.PathOf(""), "--mirror", server.Url("")).ExitCode);
        Assert.Equal(have, server.Asked[0].From);
    }

    [Fact]
    public void AScreenHasALineThatIsRewrittenAndFits()
    {
        var output = new StringWriter { NewLine = "\n" };
        using var terminal = new Terminal(Stream.Null, output, output, live: true, width: () => 60);
        var display = new DownloadDisplay(terminal);
        const string Name = "multi30k/tok/test_2016_flickr.lc.norm.tok.en";
        foreach (long bytes in (long[])[0, 1_000_000, 2_000_000])
            display.Report(new(DownloadStage.Receiving, Name, bytes, 2_000_000));
        display.Report(new(DownloadStage.Done, Name, 2_000_000, 2_000_000));
        display.Finish();
        string[] lines = output.ToString().Split("\r\e[K");
        Assert.Equal("", lines[0]);
        Assert.Equal($"{Name}  2.0 MB\n", lines[^1]);
        Assert.All(lines[1..^1], l => Assert.InRange(l.Length, 1, 59));
        Assert.Contains("2.0 MB of 2.0 MB  100 %", lines[^2]);
    }

    [Fact]
    public void AFileHasNoEscapesAndTheReasonsOfPauses()
    {
        var output = new StringWriter { NewLine = "\n" };
        using var terminal = new Terminal(Stream.Null, output, output);
        var display = new DownloadDisplay(terminal);
        display.Report(new(DownloadStage.Receiving, "a/b", 10, 20));
        display.Report(new(DownloadStage.Waiting, "a/b", 10, 20, "the server answers 500", TimeSpan.FromSeconds(2)));
        display.Report(new(DownloadStage.Refetching, "a/b", 0, 20, "must have 20 bytes, got 10"));
        display.Report(new(DownloadStage.Done, "a/b", 20, 20));
        display.Finish();
        Assert.Equal("a/b: the server answers 500; again in 2 s\na/b: must have 20 bytes, got 10; fetching it once more\na/b  20 bytes\n", output.ToString());
    }

    [Fact]
    public void ReportsWhatItFinds()
    {
        Corpus();
        Assert.Equal(
            new ToolRun(
                0,
                """
                train.de  5 lines, 9 words, 14 characters, longest 9 (line 1)
                  line ends CR LF                   5
                  not NFC                           1  line 2
                train.en  4 lines, 8 words, 12 characters, longest 5 (line 1)
                  not UTF-8                         1  line 3 (byte 8)
                  repeated lines                    1  line 4 (= 2)
                val.de  1 line, 1 word, 1 character, longest 1 (line 1)
                val.en  1 line, 1 word, 1 character, longest 1 (line 1)
                  no line end at the end            1  line 1
                train de-en  4 pairs
                  without a partner, from           1  line 5
                  characters beyond 1:3             1  line 3
                val de-en  1 pair
                  both sides the same               1  line 1
                val de-en in train de-en  in common
                  source lines                      1  line 1 (= 3)
                not looked at: README.md
                9 findings

                """.ReplaceLineEndings("\n"),
                ""),
            Tool.Run("data", "check", _folder.PathOf("")));
        Assert.Equal(
            new ToolRun(2, "", $"cudaseq data check: --sides must be in the names of two files of {_folder.PathOf("")} that are otherwise the same, fr and it are in none.\n"),
            Tool.Run("data", "check", _folder.PathOf(""), "--sides", "fr", "it"));
    }

    [Fact]
    public void ReportsJson()
    {
        Corpus();
        var run = Tool.Run("data", "check", _folder.PathOf(""), "--json");
        using var json = JsonDocument.Parse(run.Out);
        var text = json.RootElement.GetProperty("texts")[1];
        Assert.Equal(_folder.PathOf("train.en"), text.GetProperty("file").GetString());
        Assert.Equal(
            """[{"finding":"invalid_utf8","count":1,"first":[{"line":3,"byte":8}]},{"finding":"repeated_line","count":1,"first":[{"line":4,"same_as_line":2}]}]""",
            JsonSerializer.Serialize(text.GetProperty("findings")));
        Assert.Equal(["texts", "pairs", "leaks", "not_looked_at"], json.RootElement.EnumerateObject().Select(p => p.Name));
    }

    [Fact]
    public void ChecksWhatARecipeNames()
    {
        Corpus();
        string recipe = _folder.File("r.json", """{ "architecture": "transformer", "data": { "folder": "x", "train": ["train.en", "train.de"], "valid": ["val.en", "val.de"] }, "training": { "max_updates": 1 } }""");
        var run = Tool.Run("data", "check", "--recipe", recipe, "--data", _folder.PathOf(""), "--examples", "0");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("\nvalid in train  in common\n  target lines                      1\n", run.Out);
        Assert.Equal("cudaseq data check: --data DIR must name the folder of train.en, or the variable CUDASEQ_DATA the one above it.\n", Tool.Run("data", "check", "--recipe", recipe).Error);
    }

    [Fact]
    public void ARecipeWithoutItsDataSetSaysHowToGetIt()
    {
        string recipe = Repository.File("recipes/multi30k-tok-transformer.json");
        Assert.Equal(
            "cudaseq train: --data DIR must name the folder of train.lc.norm.tok.en, or the variable CUDASEQ_DATA the one above it; cudaseq data get multi30k downloads it.\n",
            Tool.Run("train", recipe).Error);
        Assert.Equal(
            new ToolRun(1, "", $"cudaseq: {_folder.PathOf("multi30k/tok")}: there is no such folder; cudaseq data get multi30k downloads it.\n"),
            Tool.Run(["train", recipe], "", new() { ["CUDASEQ_DATA"] = _folder.PathOf("") }));
    }

    private static LoopbackServer Serve((int Bytes, TimeSpan Pause)? slowly = null)
    {
        string folder = TestData.Require("g2p");
        return new LoopbackServer((asked, _) => LoopbackServer.Ok(File.ReadAllBytes(Path.Combine(folder, Path.GetFileName(asked.Path))), asked) with { Slowly = slowly });
    }

    private void Corpus()
    {
        _folder.File("train.en", [.. "a b c\nd\n"u8, 0xFF, .. " e f\nd\n"u8]);
        _folder.File("train.de", "a b c d e\r\nu\u0308\r\nx\r\ny\r\nz\r\n");
        _folder.File("val.en", "x");
        _folder.File("val.de", "x\n");
        _folder.File("README.md", "no text");
    }
}
