using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Unknown pieces of hand-made hypotheses; the source is "New York ist naïv", in which ï and Y are unknown to the target.</summary>
public sealed class UnknownReplacementTests
{
    private static readonly ITokenizer Raw = BytePairEncoding.Learn(["ew ork ist nav ew ork ist nav in in"], 200);
    private static readonly ITokenizer Subwords = SubwordNmt.Learn(["New York ist naiv"], 1);

    [Theory]
    // Words.
    [InlineData("word", "word", "in ? .", "0 1 3", "in York .")]
    [InlineData("word", "word", "? ?", "1 1", "York York")]
    [InlineData("word", "subwords", "? i@@ n", "1 0 0", "York in")]
    [InlineData("word", "subwords", "in i@@ ?", "0 0 1", "in iYork")]
    [InlineData("word", "raw", "\u2581in \u2581 ?", "0 1 1", "in York")]
    public void ByWords(string source, string target, string pieces, string alignment, string text) => Says(source, target, "New York ist naiv", pieces, alignment, text);

    [Fact]
    public void AWholeUnknownWordIsTheSourcesWordHoweverTheSourceIsCut()
    {
        string[] source = Subwords.Encode("New York ist naiv");
        int york = Array.FindIndex(source, p => p.StartsWith('Y'));
        Assert.EndsWith("@@", source[york]);
        Says("subwords", "subwords", "New York ist naiv", "in ? in", $"0 {york + 1} 0", "in York in");
        Says("subwords", "word", "New York ist naiv", "in ? ?", $"0 {york} 0", "in York New");
        Says("subwords", "raw", "New York ist naiv", "\u2581in \u2581 ? ? \u2581in", $"0 {york} {york} {york + 1} 0", "in York in");
        Says("subwords", "raw", "New York ist naiv", "\u2581 ? ?", $"0 0 {york}", "New York");
        int letter = "New York ist naiv".IndexOf('k', StringComparison.Ordinal);
        Says("character", "word", "New York ist naiv", "in ?", $"0 {letter}", "in York");
    }

    [Fact]
    public void AnUnknownPieceInsideAKnownWordIsThePiece()
    {
        string[] source = Raw.Encode("ist na\u00EFv in");
        int letter = Array.IndexOf(source, "\u00EF"), last = source.Length - 1;
        Assert.True(letter > 0);
        Says("raw", "raw", "ist na\u00EFv in", "\u2581na ? v", $"0 {letter} 0", "na\u00EFv");
        Says("raw", "raw", "ist na\u00EFv in", "\u2581na ?", $"0 {last}", "na in");
        Says("raw", "subwords", "ist na\u00EFv in", "na@@ ?", $"0 {letter}", "na\u00EF");
        Says("raw", "raw", "ist na\u00EFv in", "\u2581 ?", $"0 {letter}", "na\u00EFv");
        Says("raw", "raw", "ist na\u00EFv in", "? \u2581in", $"{letter} 0", "na\u00EFv in");
    }

    private static void Says(string source, string target, string line, string pieces, string alignment, string text)
    {
        string[] all = pieces.Split(' ');
        var vocabulary = Vocabulary.FromCounts(all.Where(p => p != "?").Distinct().Select(p => KeyValuePair.Create(p, 1L)));
        int[] tokens = Array.ConvertAll(all, p => p == "?" ? Vocabulary.Unk : vocabulary.IndexOf(p));
        var hypothesis = new Hypothesis(tokens, 0, []) { Alignment = Array.ConvertAll(alignment.Split(' '), int.Parse) };
        Assert.Equal(text, UnknownReplacement.Decode(hypothesis, Of(source), line, new TextCodec(Of(target), vocabulary)));
    }

    private static ITokenizer Of(string name) => name switch
    {
        "raw" => Raw,
        "subwords" => Subwords,
        "character" => new CharacterTokenizer(),
        _ => new WordTokenizer(),
    };
}
