using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Files as nobody wants them, all the way from bytes to batches and back.</summary>
public sealed class HostileTextTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("\uFEFF")]
    [InlineData("\n\n\r\n")]
    [InlineData("   \n\t\n\u3000 \u2028\n")]
    public void TextWithoutWordsIsAnEmptyCorpus(string text)
    {
        string path = _folder.File("a.en", text);
        foreach (var codec in Codecs(path))
        {
            var corpus = Corpus.Load(path, path, codec, codec);
            Assert.Empty(corpus);
            Assert.Equal(corpus.Report.Lines, corpus.Report.Empty);
            Assert.Throws<ArgumentException>(() => new BatchIterator(corpus, 4096));
        }
    }

    [Theory]
    [InlineData("x")]
    [InlineData("one line only.\r\n")]
    [InlineData("\u2581")]
    [InlineData("</s> <s>")]
    public void OneLineIsOneBatch(string text)
    {
        string path = _folder.File("a.en", text);
        foreach (var codec in Codecs(path))
        {
            var batch = Assert.Single(new BatchIterator(Corpus.Load(path, path, codec, codec), 1).Epoch(0));
            Assert.Equal((1, batch.S), (batch.B, batch.T));
            Assert.Equal(Vocabulary.Eos, batch.Target[^1]);
            Assert.DoesNotContain(Vocabulary.Eos, batch.Target[..^1]);
        }
    }

    [Fact]
    public void TenThousandWordsInALineAreKeptOrCounted()
    {
        string huge = string.Join(' ', Enumerable.Range(0, 10_000).Select(i => $"w{i * i % 997}"));
        string path = _folder.File("a.en", $"a b\n{huge}\nc d");
        foreach (var codec in Codecs(path))
        {
            Assert.Equal(huge, codec.Decode(codec.Encode(huge)));
            var kept = new BatchIterator(Corpus.Load(path, path, codec, codec), 100);
            Assert.Equal(1, kept.Oversized);
            Assert.Equal(3, kept.Epoch(0).Sum(b => b.B));
            var report = Corpus.Load(path, path, codec, codec, maxLength: 200).Report;
            Assert.Equal((3, 2, 0, 1), (report.Lines, report.Kept, report.Empty, report.TooLong));
        }
    }

    [Fact]
    public void AnythingComesBackThroughIdsWhenItsCharactersAreKnown()
    {
        const int Seed = 31;
        var random = new Random(Seed);
        string[] lines = [.. Enumerable.Range(0, 400).Select(_ => RandomText.Line(random, 30)).Where(line => !line.EndsWith('\r')), "last"];
        string path = _folder.PathOf("a.txt");
        TextFile.WriteLines(path, lines);
        var encoding = BytePairEncoding.Learn(TextFile.ReadLines(path, keepByteOrderMark: true), 20_000);
        var codec = new TextCodec(encoding, Vocabulary.Build(encoding, lines));
        foreach (string line in lines)
        {
            int[] ids = codec.Encode(line);
            Assert.DoesNotContain(Vocabulary.Unk, ids);
            Assert.True(codec.Decode(ids) == line, $"seed {Seed}: {line}");
        }
    }

    [Theory]
    [InlineData("multi30k/train.de")]
    [InlineData("enja/train.ja")]
    [InlineData("tinyshakespeare/input.txt")]
    [InlineData("jfleg/dev.src")]
    [InlineData("truth/moses/alt_dev.raw.en")]
    public void RealTextComesBack(string file)
    {
        string[] lines = [.. TextFile.ReadLines(TestData.Require(file))];
        var encoding = BytePairEncoding.Learn(lines, 4000);
        var codec = new TextCodec(encoding, Vocabulary.Build(encoding, lines));
        Assert.True(lines.Length > 500);
        foreach (string line in lines)
            Assert.Equal(line, codec.Decode(codec.Encode(line)));
    }

    private static IEnumerable<TextCodec> Codecs(string path)
    {
        foreach (var tokenizer in (ITokenizer[])[new WordTokenizer(), new CharacterTokenizer(), BytePairEncoding.Learn(TextFile.ReadLines(path), 100)])
            yield return new TextCodec(tokenizer, Vocabulary.Build(tokenizer, TextFile.ReadLines(path)));
    }
}
