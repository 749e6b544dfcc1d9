using System.Security.Cryptography;
using CudaSeq.Models;

namespace CudaSeq.Tests;

public sealed class VocabularyTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void NumbersFromTheMostToTheLeastFrequent()
    {
        var vocabulary = Vocabulary.Build(new WordTokenizer(), ["b a  b\tc", "", "b c d"]);
        Assert.Equal(["<s>", "<pad>", "</s>", "<unk>", "b", "c", "a", "d"], vocabulary);
        Assert.Equal(8, vocabulary.Count);
        Assert.Equal("c", vocabulary[5]);
        Assert.Equal(5, vocabulary.IndexOf("c"));
        Assert.Equal(Vocabulary.Unk, vocabulary.IndexOf("e"));
    }

    [Fact]
    public void LeavesOutTheRarestBeyondItsSize()
        => Assert.Equal(["b", "c"], Vocabulary.Build(new WordTokenizer(), ["b a b c b c"], size: 6).Skip(Vocabulary.SpecialCount));

    [Fact]
    public void TextIsNeverASpecialSymbol()
    {
        var vocabulary = Vocabulary.Build(new WordTokenizer(), ["</s> <s> <pad> <unk> a"]);
        var codec = new TextCodec(new WordTokenizer(), vocabulary);
        Assert.Equal(5, vocabulary.Count);
        Assert.Equal([Vocabulary.Unk, Vocabulary.Unk, 4, Vocabulary.Unk], codec.Encode("</s> <s> a <pad>"));
    }

    [Fact]
    public void ComesBackFromItsFileWithTheFilesHash()
    {
        const int Seed = 3;
        var random = new Random(Seed);
        string[] lines = [.. Enumerable.Range(0, 300).Select(_ => RandomText.Line(random, 40)), "a\\ \\n \n \r"];
        string path = _folder.PathOf("vocabulary.txt");
        foreach (var tokenizer in (ITokenizer[])[new WordTokenizer(), new CharacterTokenizer(), BytePairEncoding.Learn(lines, 500)])
        {
            var vocabulary = Vocabulary.Build(tokenizer, lines);
            vocabulary.Save(path);
            var loaded = Vocabulary.Load(path);
            Assert.Equal(vocabulary, loaded);
            Assert.Equal(vocabulary.Hash, loaded.Hash);
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))), vocabulary.Hash);
            Assert.All(vocabulary.Skip(Vocabulary.SpecialCount), (piece, i) => Assert.Equal(i + Vocabulary.SpecialCount, loaded.IndexOf(piece)));
        }
    }

    [Theory]
    [InlineData("", "a vocabulary begins with the 4 lines <s> <pad> </s> <unk>, got 0 lines.")]
    [InlineData("<s>\n<pad>\n", "a vocabulary begins with the 4 lines <s> <pad> </s> <unk>, got 2 lines.")]
    [InlineData("<s>\n<pad>\nthe\n<unk>\n", "line 3 of a vocabulary must be </s>, got 'the'.")]
    [InlineData("<s>\n<pad>\n</s>\n<unk>\na\n\nb\n", "line 6 is empty.")]
    [InlineData("<s>\n<pad>\n</s>\n<unk>\na\nb\na\n", "line 7 repeats 'a' of line 5.")]
    [InlineData("<s>\n<pad>\n</s>\n<unk>\n</s>\n", "line 5 repeats '</s>' of line 3.")]
    [InlineData("<s>\n<pad>\n</s>\n<unk>\na\\b\n", "line 5 has a backslash that is not followed by \\, r or n.")]
    [InlineData("<s>\n<pad>\n</s>\n<unk>\na\\\n", "line 5 has a backslash that is not followed by \\, r or n.")]
    public void DamagedFilesAreRefused(string text, string message)
    {
        string path = _folder.File("vocabulary.txt", text);
        Assert.Equal($"{path}: {message}", Assert.Throws<InvalidDataException>(() => Vocabulary.Load(path)).Message);
    }

    [Fact]
    public void RefusesIdsOutsideAndSizesWithoutRoom()
    {
        var vocabulary = Vocabulary.Build(new WordTokenizer(), ["a"]);
        Assert.Equal("Vocabulary: ids must be in 0 .. 4, got 5.", Assert.Throws<ArgumentOutOfRangeException>(() => vocabulary[5]).Message);
        Assert.Equal(
            "Vocabulary: size must be at least 4, the special symbols, got 3.",
            Assert.Throws<ArgumentOutOfRangeException>(() => Vocabulary.FromCounts([], 3)).Message);
    }

    [Fact]
    public void CodecDropsSpecialSymbolsAndShowsUnknownPieces()
    {
        var codec = new TextCodec(new WordTokenizer(), Vocabulary.Build(new WordTokenizer(), ["a b"]));
        Assert.Equal([4, 5, 3], codec.Encode("a b c"));
        Assert.Equal("a b \u2047", codec.Decode([Vocabulary.Bos, 4, 5, Vocabulary.Unk, Vocabulary.Eos, Vocabulary.Pad]));
        Assert.Equal("", codec.Decode([]));
        Assert.Equal("TextCodec: ids must be in 0 .. 5, got 6 at 1.", Assert.Throws<ArgumentOutOfRangeException>(() => codec.Decode([4, 6])).Message);
    }

    [Fact]
    public void CharactersComeBack()
    {
        const int Seed = 4;
        var random = new Random(Seed);
        var tokenizer = new CharacterTokenizer();
        Assert.Equal(["4", "\u2581", "\U0001F642", " "], tokenizer.Encode("4 \U0001F642\u2581"));
        for (int i = 0; i < 1000; i++)
        {
            string line = RandomText.Line(random, 40);
            Assert.True(tokenizer.Decode(tokenizer.Encode(line)) == line, $"seed {Seed}, line {i}");
        }
    }

    [Fact]
    public void TokenizersComeBackFromTheirFiles()
    {
        string path = _folder.PathOf("tokenizer.json");
        foreach (var tokenizer in (ITokenizer[])[new WordTokenizer(), new CharacterTokenizer(), BytePairEncoding.Learn(["a b"], 20)])
        {
            TokenizerFile.Save(path, tokenizer);
            var loaded = TokenizerFile.Load(path);
            Assert.IsType(tokenizer.GetType(), loaded);
            Assert.Equal(tokenizer.Pieces, loaded.Pieces);
        }
    }
}
