using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>How scored text is cut and lower-cased: the expectations are what sacreBLEU 2.6 (commit f615c728) and Python 3.11 make of these lines.</summary>
public sealed class ScoredTextTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData(" \t\u00A0\u2028\u001C ", "")]
    [InlineData("Hello, world.", "Hello|,|world|.")]
    [InlineData("1,000.50 and 3.", "1,000.50|and|3|.")]
    [InlineData(".5 a.5 5.a", ".|5|a|.|5|5|.|a")]
    [InlineData("a,,b ... x", "a|,|,|b|.|.|.|x")]
    [InlineData("don't well-known 1990-91 -5", "don't|well-known|1990|-|91|-5")]
    [InlineData("(a/b) [c] {d} <e> \"f\" g@h #1 50% $5 ~ ^ _ ` | \\", "(|a|/|b|)|[|c|]|{|d|}|<|e|>|\"|f|\"|g|@|h|#|1|50|%|$|5|~|^|_|`|||\\")]
    [InlineData("&quot;a&quot; &amp;lt; &amp; &gt;b &apos;", "\"|a|\"|<|&|>|b|&|apos|;")]
    [InlineData("a <skipped> b<skipped>c", "a|bc")]
    [InlineData("an exam-\nple\nhere", "an|example|here")]
    [InlineData("ends-\n", "ends-")]
    [InlineData("„Zitat“ – naïve… 日本。 \U0001F642.", "„Zitat“|–|naïve…|日本。|\U0001F642|.")]
    public void The13aTokenizerCutsAsMtevalDoes(string line, string words) => Cuts(BleuTokenization.Mteval13a, line, words);

    [Theory]
    [InlineData("", "")]
    [InlineData("  \t\u3000 ", "")]
    [InlineData("Hello, world.", "Hello|,|world|.")]
    [InlineData("In 2017.", "In|2017.")]
    [InlineData("In 2017. ", "In|2017.")]
    [InlineData("In 2017.)", "In|2017|.|)")]
    [InlineData("1,000.50 or 1.000,50", "1,000.50|or|1.000,50")]
    [InlineData("a.5 5.a ,,b", "a|.|5|5|.|a|,|,|b")]
    [InlineData("don't “well-known” 1990-91", "don|'|t|“|well|-|known|”|1990-91")]
    [InlineData("€5 + £6 = $11 ^_^", "€|5|+|£|6|=|$|11|^|_|^")]
    [InlineData("&quot;a&quot; &amp;", "&|quot|;|a|&|quot|;|&|amp|;")]
    [InlineData("日本語。「東京」、１２３。", "日本語|。|「|東京|」|、１２３。")]
    [InlineData("١٢٬٣٤", "١٢٬٣٤")]
    [InlineData("½. ².", "½|.|².")]
    [InlineData("„Zitat“ – naïve… ¿qué?", "„|Zitat|“|–|naïve|…|¿|qué|?")]
    [InlineData("\U0001F469\u200D\U0001F4BB\U0001F1E9\U0001F1EA! \U0001D7D9.\U0001D7D9 \U00010100", "\U0001F469|\u200D|\U0001F4BB|\U0001F1E9|\U0001F1EA|!|\U0001D7D9.\U0001D7D9|\U00010100")]
    [InlineData("e\u0301.\u0301", "e\u0301|.|\u0301")]
    [InlineData("-\nx <skipped>", "-|x|<|skipped|>")]
    [InlineData("a\u200B.b", "a\u200B|.|b")]
    public void TheInternationalTokenizerCutsAtUnicodesPunctuationAndSymbols(string line, string words) => Cuts(BleuTokenization.International, line, words);

    [Theory]
    [InlineData("", "")]
    [InlineData(" \u3000 ", "")]
    [InlineData("ab c", "a|b|c")]
    [InlineData("日本 語", "日|本|語")]
    [InlineData("e\u0301 \u00A0x", "e|\u0301|x")]
    [InlineData("\U0001F469\u200D\U0001F4BB \U0001D538", "\U0001F469|\u200D|\U0001F4BB|\U0001D538")]
    [InlineData("a\r", "a")]
    public void TheCharacterTokenizerCutsBetweenCodePoints(string line, string words) => Cuts(BleuTokenization.Character, line, words);

    [Theory]
    [InlineData("", "")]
    [InlineData(" \u2028 ", "")]
    [InlineData("a\tb\u3000c\u00A0d\u001Ce\u200Bf", "a|b|c|d|e\u200Bf")]
    [InlineData("don't, stop.", "don't,|stop.")]
    public void NoTokenizerCutsAtBlanksOnly(string line, string words) => Cuts(BleuTokenization.None, line, words);

    [Theory]
    [InlineData("", "")]
    [InlineData("(hi)", "(hi|)")]
    [InlineData("hi, \"hi\" (hi ...", "hi|,|\"hi|\"|(|hi|..|.")]
    [InlineData(" . a ,", ".|a|,")]
    [InlineData("„a“ 日本。 \U0001F642 \U0001F642!", "„a“|日本。|\U0001F642|\U0001F642|!")]
    [InlineData("--- -a-", "--|-|-a|-")]
    public void ChrfCutsOneMarkOffAWord(string line, string words) => Assert.Equal(words, string.Join('|', Chrf.Words(line)));

    [Theory]
    [InlineData("", "")]
    [InlineData("ABC ÄÖÜ", "abc äöü")]
    [InlineData("ΟΔΟΣ", "οδος")]
    [InlineData("ΟΔΌΣ ΣΑΣ Σ", "οδός σας σ")]
    [InlineData("ΑΣ. ΑΣ'Α ΑΣ:", "ας. ασ'α ας:")]
    [InlineData("Α\u0301Σ\u0301 1Σ ªΣ ⅣΣ ⓐΣ \U0001F130Σ", "α\u0301ς\u0301 1σ ªς ⅳς ⓐς \U0001F130ς")]
    [InlineData("İSTANBUL", "i\u0307stanbul")]
    [InlineData("ẞ ǅ Ა Ꭰ ꭰ", "ß ǆ ა ꭰ ꭰ")]
    [InlineData("\U00010400\U0001E900 \U0001D400Σ", "\U00010428\U0001E922 \U0001D400ς")]
    [InlineData("İ\uD83D Σ", "i\u0307\uD83D σ")]
    public void LowerCaseIsUnicodesFullMapping(string line, string lower) => Assert.Equal(lower, ScoredText.Lower(line));

    [Theory]
    [InlineData(6.25, 1, "6.2")]
    [InlineData(6.75, 1, "6.8")]
    [InlineData(18.75, 1, "18.8")]
    [InlineData(0.125, 2, "0.12")]
    [InlineData(0.375, 2, "0.38")]
    [InlineData(3.375, 2, "3.38")]
    [InlineData(0.15, 1, "0.1")]
    [InlineData(0.25, 2, "0.25")]
    [InlineData(2.675, 2, "2.67")]
    [InlineData(100.0 / 3, 4, "33.3333")]
    [InlineData(0, 3, "0.000")]
    public void NumbersAreRoundedAsPythonDoes(double value, int decimals, string text) => Assert.Equal(text, ScoreText.Fixed(value, decimals));

    private static void Cuts(BleuTokenization tokenization, string line, string words)
        => Assert.Equal(words, string.Join('|', BleuWords.Of(line, new BleuOptions { Tokenization = tokenization })));
}
