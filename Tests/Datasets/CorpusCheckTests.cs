using System.Text;
using CudaSeq.Models;

namespace CudaSeq.Tests;

public sealed class CorpusCheckTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ACleanPairHasNoFindings()
    {
        var report = Pair("a b c\nd\ncaf\u00E9 \U0001F600\n", "x y\nz\nt\u00E9\n");
        Assert.Equal(0, report.Findings);
        var text = report.Texts[0];
        Assert.Equal((3, 6, 12, 19, 3, 6), (text.Lines, text.Words, text.Characters, text.Bytes, text.LongestLine, text.LongestCharacters));
        Assert.Equal(3, Assert.Single(report.Pairs).Pairs);
    }

    [Fact]
    public void AnEmptyFileIsNoLines()
    {
        var report = Pair("", "");
        Assert.Equal(2, report.Findings);
        Assert.All(report.Texts, t => Assert.Equal((CorpusFault.NoLines, 1, 0), (Assert.Single(t.Findings).Fault, t.Findings[0].Count, t.Findings[0].First.Count)));
        Assert.Equal((0, 0, 0), (report.Texts[0].Lines, report.Texts[0].LongestLine, report.Pairs[0].Pairs));
    }

    [Theory]
    [InlineData(CorpusFault.Nul, "a\0b", 2)]
    [InlineData(CorpusFault.ControlCharacters, "a\u0001b", 2)]
    [InlineData(CorpusFault.ControlCharacters, "a\u007Fb", 2)]
    [InlineData(CorpusFault.ControlCharacters, "a\u009Fb", 2)]
    [InlineData(CorpusFault.LineSeparators, "a\u2028b", 2)]
    [InlineData(CorpusFault.LineSeparators, "a\u0085b", 2)]
    [InlineData(CorpusFault.LineSeparators, "a\rb", 2)]
    [InlineData(CorpusFault.LineSeparators, "a\u000Bb", 2)]
    [InlineData(CorpusFault.LineSeparators, "a\fb", 2)]
    [InlineData(CorpusFault.LineSeparators, "a\u001Eb", 2)]
    [InlineData(CorpusFault.LineSeparators, "a\u2029b", 2)]
    [InlineData(CorpusFault.InnerByteOrderMark, "a\uFEFFb", 2)]
    [InlineData(CorpusFault.ZeroWidth, "a\u200Bb", 2)]
    [InlineData(CorpusFault.ZeroWidth, "a\u202Eb", 2)]
    [InlineData(CorpusFault.Replacement, "a\uFFFDb", 2)]
    [InlineData(CorpusFault.NotNfc, "cafe\u0301", 2)]
    [InlineData(CorpusFault.Empty, "", 2)]
    [InlineData(CorpusFault.Empty, " \t\u3000", 2)]
    [InlineData(CorpusFault.Long, "01234567890123456789\U0001F600", 2)]
    [InlineData(CorpusFault.RepeatedLine, " first ", 2)]
    public void AFaultOfALineIsFoundAlone(CorpusFault fault, string line, long place)
    {
        var finding = Assert.Single(Text($"first\n{line}\nlast\tone\n").Findings);
        Assert.Equal((fault, 1L), (finding.Fault, finding.Count));
        Assert.Equal(place, Assert.Single(finding.First).Line);
    }

    [Fact]
    public void TwentyCharactersAreNotMoreThanTwenty() => Assert.Empty(Text("0123456789012345678\U0001F600\n").Findings);

    [Fact]
    public void WhatIsNotUtf8HasAByte()
    {
        var finding = Assert.Single(Text([0xEF, 0xBB, 0xBF, .. "ok\n"u8, .. "gr\u00FCn "u8, 0xFF, .. " x\n"u8, 0xC3, (byte)'\n']).Findings, f => f.Fault == CorpusFault.InvalidUtf8);
        Assert.Equal(2, finding.Count);
        Assert.Equal([new CorpusPlace(2, 12), new CorpusPlace(3, 16)], finding.First);
    }

    [Fact]
    public void AByteOrderMarkIsNoPartOfTheFirstLine()
    {
        var text = Text([0xEF, 0xBB, 0xBF, .. "ab\nab\n"u8]);
        Assert.Equal([CorpusFault.ByteOrderMark, CorpusFault.RepeatedLine], text.Findings.Select(f => f.Fault));
        Assert.Equal(4, text.Characters);
    }

    [Fact]
    public void LineEndsAreAllAlikeOrMixed()
    {
        Assert.Equal((CorpusFault.CrLf, 2L), One("a\r\nb\r\n"));
        Assert.Equal((CorpusFault.MixedLineEnds, 1L), One("a\nb\r\nc\n"));
        Assert.Equal((CorpusFault.NoFinalLineEnd, 1L), One("a\nb"));
        Assert.Equal(2, Text("a\r\nb").Findings.Count);

        (CorpusFault, long) One(string text)
        {
            var finding = Assert.Single(Text(text).Findings);
            return (finding.Fault, finding.Count);
        }
    }

    [Fact]
    public void CountsAreWholeAndPlacesTheFirst()
    {
        var finding = Assert.Single(Text(string.Concat(Enumerable.Repeat("same\n", 10))).Findings);
        Assert.Equal((CorpusFault.RepeatedLine, 9L), (finding.Fault, finding.Count));
        Assert.Equal([new CorpusPlace(2, Other: 1), new(3, Other: 1), new(4, Other: 1)], finding.First);
    }

    [Theory]
    [InlineData(CorpusFault.OneSideEmpty, "a\n\nc\n", "x\ny\nz\n", 2)]
    [InlineData(CorpusFault.OneSideEmpty, "a\nb\nc\n", "x\n \nz\n", 2)]
    [InlineData(CorpusFault.WordRatio, "a b c d\n", "xxxxxxx\n", 1)]
    [InlineData(CorpusFault.CharacterRatio, "a b\n", "xxxxx yyyy\n", 1)]
    [InlineData(CorpusFault.RepeatedPair, "a\nb\na\n", "x\ny\nx\n", 3)]
    [InlineData(CorpusFault.SameSides, "a\nb\n", "x\nb\n", 2)]
    [InlineData(CorpusFault.NoPartner, "a\nb\nc\n", "x\n", 2)]
    [InlineData(CorpusFault.NoPartner, "a\n", "x\ny\nz\n", 2)]
    public void AFaultOfAPairIsFoundAlone(CorpusFault fault, string source, string target, long place)
    {
        var finding = Assert.Single(Pair(source, target).Pairs[0].Findings);
        Assert.Equal((fault, fault == CorpusFault.NoPartner ? 2L : 1L), (finding.Fault, finding.Count));
        Assert.Equal(place, Assert.Single(finding.First).Line);
    }

    [Fact]
    public void ThreeToOneIsNotBeyondIt() => Assert.Empty(Pair("a b c\nd\n", "x\ny y y\n", new() { Ratio = 5 }).Pairs[0].Findings.Concat(Pair("a a a\n", "xxx\n").Pairs[0].Findings));

    [Fact]
    public void ALineAloneRepeatsWithoutItsPair()
    {
        var report = Pair("a\na\nb\n", "x\ny\ny\n");
        Assert.Empty(report.Pairs[0].Findings);
        Assert.Equal([CorpusFault.RepeatedLine, CorpusFault.RepeatedLine], report.Texts.Select(t => Assert.Single(t.Findings).Fault));
    }

    [Fact]
    public void LinesOfLaterSplitsAreLookedForInEarlierOnes()
    {
        var report = Splits(("test", "a\nn\nq\n\n", "x\nn\ny\n\n"), ("train", "a\nb\nc\n\n", "x\ny\nz\n\n"), ("valid", "v\nn\nb\n", "x\nn\ny\n"));
        Assert.Equal([("valid", "train"), ("test", "train"), ("test", "valid")], report.Leaks.Select(l => (l.Name, l.Earlier)));
        Assert.Equal([(CorpusFault.LeakedPair, "3=2"), (CorpusFault.LeakedSource, "3=2"), (CorpusFault.LeakedTarget, "1=1 3=2")], Told(report.Leaks[0]));
        Assert.Equal([(CorpusFault.LeakedPair, "1=1"), (CorpusFault.LeakedSource, "1=1"), (CorpusFault.LeakedTarget, "1=1 3=2")], Told(report.Leaks[1]));
        Assert.Equal([(CorpusFault.LeakedPair, "2=2"), (CorpusFault.LeakedSource, "2=2"), (CorpusFault.LeakedTarget, "1=1 2=2 3=3")], Told(report.Leaks[2]));
        Assert.Equal(["test.s", "test.t", "train.s", "train.t", "valid.s", "valid.t"], report.Texts.Select(t => Path.GetFileName(t.Path)));

        static IEnumerable<(CorpusFault, string)> Told(LeakReport leak) => leak.Findings.Select(f => (f.Fault, string.Join(' ', f.First.Select(p => $"{p.Line}={p.Other}"))));
    }

    [Fact]
    public void FamiliesAndOtherTextsAreNotCompared()
    {
        string a = _folder.File("a", "same\n"), b = _folder.File("b", "same\n");
        Assert.Empty(CorpusCheck.Run([new("a", CorpusSplit.Train, "raw", a), new("b", CorpusSplit.Test, "tok", b)]).Leaks);
        Assert.Empty(CorpusCheck.Run([new("a", CorpusSplit.Train, "", a), new("b", CorpusSplit.Other, "", b)]).Leaks);
        Assert.Empty(CorpusCheck.Run([new("a", CorpusSplit.Test, "", a), new("b", CorpusSplit.Test, "", b)]).Leaks);
        var leak = Assert.Single(CorpusCheck.Run([new("a", CorpusSplit.Train, "", a), new("b", CorpusSplit.Test, "", b)]).Leaks);
        Assert.Equal(CorpusFault.LeakedLine, Assert.Single(leak.Findings).Fault);
    }

    [Fact]
    public void LinesLongerThanABufferAreWhole()
    {
        string line = new('x', 200_000);
        var text = Text($"a\n{line}\n{line}\n", new());
        Assert.Equal((3, 200_000, 2, 400_004), (text.Lines, text.LongestCharacters, text.LongestLine, text.Bytes));
        Assert.Equal([CorpusFault.Long, CorpusFault.RepeatedLine], text.Findings.Select(f => f.Fault));
    }

    [Fact]
    public void AnyTextIsCutAsTextFileCutsIt()
    {
        var random = new Random(3);
        for (int round = 0; round < 200; round++)
        {
            string text = string.Concat(Enumerable.Range(0, random.Next(40)).Select(_ => random.Next(6) switch { 0 => "\n", 1 => "\r\n", 2 => "\r", 3 => new string('w', random.Next(70_000) * random.Next(2)), 4 => "\u00FC ", _ => "a" }));
            string path = _folder.File("text", text);
            var lines = TextFile.ReadLines(path).ToList();
            var report = CorpusCheck.Run([new("t", CorpusSplit.Other, "", path)]).Texts[0];
            Assert.Equal((lines.Count, lines.Sum(l => (long)l.Length), Encoding.UTF8.GetByteCount(text)), ((int)report.Lines, report.Characters, (int)report.Bytes));
        }
    }

    [Fact]
    public void AnEndlessLineIsRefused()
    {
        string path = _folder.PathOf("long");
        using (var file = new FileStream(path, FileMode.Create))
        {
            file.Write("a\n"u8);
            file.SetLength((1L << 26) + 100);
        }

        Assert.Equal($"{path}: line 2 must not be longer than 64 MiB.", Assert.Throws<InvalidDataException>(() => CorpusCheck.Run([new("t", CorpusSplit.Other, "", path)])).Message);
    }

    [Fact]
    public void ItCanBeCancelled()
    {
        string path = _folder.File("many", string.Concat(Enumerable.Repeat("a\n", 10_000)));
        Assert.Throws<OperationCanceledException>(() => CorpusCheck.Run([new("t", CorpusSplit.Other, "", path)], cancellation: new CancellationToken(canceled: true)));
    }

    [Theory]
    [InlineData("multi30k", 7)]
    [InlineData("enja", 8)]
    public void RealCorporaHaveTheFindingsThatTheyHave(string name, int findings)
        => Assert.Equal(findings, CorpusCheck.Run(CorpusFolder.Find(TestData.Require(name)).Parts.Where(p => !p.Name.StartsWith("test.", StringComparison.Ordinal)).ToList()).Findings);

    private TextReport Text(string text, CorpusCheckOptions? options = null) => Text(Encoding.UTF8.GetBytes(text), options);

    private TextReport Text(byte[] text, CorpusCheckOptions? options = null)
        => CorpusCheck.Run([new("text", CorpusSplit.Other, "", _folder.File("text", text))], options ?? new() { LongLine = 20 }).Texts[0];

    private CorpusReport Pair(string source, string target, CorpusCheckOptions? options = null)
        => CorpusCheck.Run([new("pair", CorpusSplit.Train, "", _folder.File("source", source), _folder.File("target", target))], options);

    private CorpusReport Splits(params (string Name, string Source, string Target)[] splits) => CorpusCheck.Run(
        [.. splits.Select(s => new CorpusToCheck(s.Name, CorpusFolder.SplitOf(s.Name), "", _folder.File($"{s.Name}.s", s.Source), _folder.File($"{s.Name}.t", s.Target)))]);
}
