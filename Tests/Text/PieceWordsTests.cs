using CudaSeq.Models;

namespace CudaSeq.Tests;

public sealed class PieceWordsTests
{
    private static readonly ITokenizer Word = new WordTokenizer(), Character = new CharacterTokenizer();
    private static readonly ITokenizer Raw = BytePairEncoding.Learn(["a hat, a hat"], 20), Subwords = SubwordNmt.Learn(["a hat a hat"], 1);

    [Fact]
    public void WordsAreWhatBlanksSeparate()
    {
        Assert.Equal([0, 1, 2], PieceWords.Of(Word, ["a", null, "b"]));
        Assert.Equal([0, 0, 1, 1, 2, 2], PieceWords.Of(Subwords, ["ha@@", "t", "ha@@", null, "t@@", "s"]));
        Assert.Equal([0, 1, 1, 1, 2, 2], PieceWords.Of(Raw, ["\u2581a", "\u2581hat", "s", null, "\u2581", null]));
        Assert.Equal([0, 1, 1, 2], PieceWords.Of(Raw, ["a", "\u2581\u2581", "\u2581b", "\u2581c"]));
        Assert.Equal([0, 0, 1, 1], PieceWords.Of(Character, ["a", "b", "\u2581", "c"]));
        Assert.Empty(PieceWords.Of(Raw, []));
    }

    [Fact]
    public void PiecesAreShownWithoutTheirMarks()
    {
        Assert.Equal("hat", PieceWords.Text(Raw, "\u2581hat"));
        Assert.Equal("ha", PieceWords.Text(Subwords, "ha@@"));
        Assert.Equal("\u2581ha@@", PieceWords.Text(Word, "\u2581ha@@"));
        Assert.Equal("a\u2581b", PieceWords.Piece(Raw, "a b"));
        Assert.Equal("a b", PieceWords.Piece(Subwords, "a b"));
    }

    [Theory]
    [InlineData("\u2581Haus", "es", false)]
    [InlineData("\u2581Haus", "\u2581es", true)]
    [InlineData("\u2581Haus", ".", true)]
    [InlineData("\u2581Haus", "4", true)]
    [InlineData("\u2581Haus.", "es", true)]
    [InlineData("\u2581Haus.", ".", true)]
    [InlineData("\u25814", "2", false)]
    [InlineData("\u2581e\u0301", "e", false)]
    [InlineData("\u2581e", "\u0301", false)]
    [InlineData("\u2581\u6771", "\u4EAC", true)]
    public void AWordOfRawPiecesEndsWhereTheNextDoesNotGoOnWithIt(string last, string next, bool ends) => Assert.Equal(ends, PieceWords.After(Raw, last)!(next));

    [Fact]
    public void OtherTokenisersSayItInThePieces()
    {
        Assert.All((ITokenizer[])[Word, Character, Subwords], t => Assert.Null(PieceWords.After(t, "a")));
        Assert.All((ITokenizer[])[Word, Character, Raw], t => Assert.Null(PieceWords.Before(t)));
        Assert.True(PieceWords.Before(Subwords)!("a"));
        Assert.False(PieceWords.Before(Subwords)!("a@@"));
    }
}
