using CudaSeq.Models;

namespace CudaSeq.Tests;

public sealed class FairseqDictionaryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void IdsAreFairseqs()
    {
        var vocabulary = Load("the 100\nA@@ 99\na b 7\n\\n 3\nmadeupword0000 0\n\u00a0x -1 \t\n");
        Assert.Equal(["<s>", "<pad>", "</s>", "<unk>", "the", "A@@", "a b", "\\n", "madeupword0000", "\u00a0x"], vocabulary);
        Assert.Equal(5, vocabulary.IndexOf("A@@"));
        Assert.Equal(4, Load("").Count);
    }

    // The row of the earlier one stays, and no text means it any more.
    [Fact]
    public void LaterTokensTakeTheNameOfEarlierOnes()
    {
        var vocabulary = Load("a 5\nb 4\na 3 #fairseq:overwrite\nc 2 #fairseq:overwrite\na 1 #fairseq:overwrite\n");
        Assert.Equal(["a #fairseq:overwrite 3", "b", "a #fairseq:overwrite 5", "c", "a"], vocabulary.Skip(4));
        Assert.Equal(8, vocabulary.IndexOf("a"));
        Assert.Equal([8, 5], new TextCodec(new WordTokenizer(), vocabulary).Encode("a b"));
        string path = _folder.PathOf("saved.txt");
        vocabulary.Save(path);
        Assert.Equal(vocabulary.Hash, Vocabulary.Load(path).Hash);
    }

    [Theory]
    [InlineData("a 1\nb\n", "line 2 must be a token, a blank and its count, got 'b'.")]
    [InlineData("a 1\n\n", "line 2 must be a token, a blank and its count, got ''.")]
    [InlineData(" 1\n", "line 1 must be a token, a blank and its count, got ' 1'.")]
    [InlineData("a one\n", "line 1 must be a token, a blank and its count, got 'a one'.")]
    [InlineData("a\t1\n", "line 1 must be a token, a blank and its count, got 'a?1'.")]
    [InlineData("a 1.5\n", "line 1 must be a token, a blank and its count, got 'a 1.5'.")]
    [InlineData("a #fairseq:overwrite\n", "line 1 must be a token, a blank and its count, got 'a #fairseq:overwrite'.")]
    [InlineData("a 1\nb 2\na 3\n", "line 3 repeats 'a' of line 1.")]
    [InlineData("a 1\n<unk> 2\n", "line 2 must not be a special symbol, those stand before the first line, got '<unk>'.")]
    [InlineData("<s> 2 #fairseq:overwrite\n", "line 1 must not be a special symbol, those stand before the first line, got '<s>'.")]
    public void OtherLinesAreNamed(string text, string message)
        => Assert.Equal($"{_folder.PathOf("dict.de.txt")}: {message}", Assert.Throws<InvalidDataException>(() => Load(text)).Message);

    [Fact]
    public void WhatIsSavedIsLoaded()
    {
        var vocabulary = Load("the 100\nA@@ 99\na b 7\n\\n 3\n");
        string path = _folder.PathOf("dict.en.txt");
        FairseqDictionary.Save(path, vocabulary);
        Assert.Equal("the 1\nA@@ 1\na b 1\n\\n 1\n", File.ReadAllText(path));
        Assert.Equal(vocabulary, FairseqDictionary.Load(path));
        var broken = Vocabulary.Of(["a", "b\nc"]);
        Assert.Equal("dict.en.txt: tokens must not hold the end of a line, got 'b?c' with the id 5.", Assert.Throws<InvalidDataException>(() => FairseqDictionary.Save(path, broken)).Message);
    }

    [Fact]
    public void LanguagesNameFiles()
    {
        Assert.All((string[])["en", "zh-Hans", "sr_Latn", "日本語"], l => Assert.True(FairseqDictionary.IsLanguage(l)));
        Assert.All((string[])["", ".", "../en", "a/b", "a\\b", "a b", "en\n"], l => Assert.False(FairseqDictionary.IsLanguage(l)));
    }

    private Vocabulary Load(string text) => FairseqDictionary.Load(_folder.File("dict.de.txt", text));
}
