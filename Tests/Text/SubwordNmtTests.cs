using System.Security.Cryptography;
using System.Text;
using CudaSeq.Models;

namespace CudaSeq.Tests;

public sealed class SubwordNmtTests : IDisposable
{
    private static readonly string[] Small = ["low lower lowest lowest", "new newer newest widest"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void LearnsAndAppliesTheToolsOwnTestByteForByte()
    {
        string corpus = TestData.Require("truth/subword-nmt/corpus.en");
        var learned = SubwordNmt.Learn(TextFile.ReadLines(corpus), 1000);
        string codes = _folder.PathOf("codes");
        learned.SaveCodes(codes);
        Assert.Equal(File.ReadAllText(TestData.Require("truth/subword-nmt/bpe.ref")), File.ReadAllText(codes));
        Assert.Equal(File.ReadAllText(TestData.Require("truth/subword-nmt/corpus.bpe.ref.en")), Applied(SubwordNmt.LoadCodes(codes), File.ReadAllText(corpus)));
    }

    [Fact]
    public void LearnsJointlyWithVocabulariesByteForByte()
    {
        string[] sides = ["en", "de"];
        WordCounts[] words = [.. sides.Select(s => new WordCounts(TextFile.ReadLines(TestData.Require($"multi30k/tok/train.lc.norm.tok.{s}"))))];
        var learned = SubwordNmt.Learn(words, 10_000);
        learned.SaveCodes(_folder.PathOf("codes"));
        Assert.Equal(File.ReadAllText(TestData.Require("truth/bpe-multi30k/codes.en-de.10000")), File.ReadAllText(_folder.PathOf("codes")));
        foreach (var (side, text) in sides.Zip(words))
        {
            learned.SaveVocabulary(_folder.PathOf(side), text);
            Assert.Equal(File.ReadAllText(TestData.Require($"truth/bpe-multi30k/vocab.{side}")), File.ReadAllText(_folder.PathOf(side)));
            string valid = TestData.Require($"multi30k/tok/val.lc.norm.tok.{side}");
            Assert.Equal(File.ReadAllText(TestData.Require($"truth/bpe-multi30k/val.bpe.{side}")), Applied(learned, File.ReadAllText(valid)));
            foreach (string line in TextFile.ReadLines(valid))
                Assert.Equal(line, learned.Decode(learned.Encode(line)));
        }
    }

    [Fact]
    public void TheMostFrequentPairIsMergedAndOfEqualsTheGreatest()
    {
        // w e occurs 5 times; then l o, e s and s t</w> 4 times each, of which (s, t</w>) is the greatest in code points.
        Assert.Equal([("w", "e"), ("s", "t</w>"), ("l", "o"), ("we", "st</w>"), ("n", "e"), ("we", "r</w>")], SubwordNmt.Learn(Small, 6).Merges);
        Assert.Equal([("b", "\U0001F642</w>"), ("b", "\uFFFF</w>")], SubwordNmt.Learn(["b\uFFFF b\uFFFF b\U0001F642 b\U0001F642"], 5).Merges);
    }

    [Fact]
    public void MergesAreTheNaiveLearners()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            string[] lines = Lines(seed, odd: false);
            int merges = new[] { 5, 40, 400 }[seed % 3], minFrequency = 1 + (seed % 4);
            var naive = NaiveSubwordNmt.Learn(lines, merges, minFrequency);
            var learned = SubwordNmt.Learn(lines, merges, minFrequency);
            Assert.True(naive.SequenceEqual(learned.Merges), $"seed {seed}: [{string.Join(", ", naive)}] and [{string.Join(", ", learned.Merges)}]");
            foreach (string word in Lines(seed + 1000, odd: false).SelectMany(l => l.Split(' ')).Where(w => w.Length > 0).Distinct())
                Assert.Equal(NaiveSubwordNmt.Segment(word, naive), learned.Encode(word));
        }
    }

    // Made by subword-nmt 0.3.9 from the texts that Lines(seed, odd: true) makes: codes, vocabulary, text applied with and without that vocabulary at threshold 3.
    [Theory]
    [InlineData(1, "ca250ff6f23be411")]
    [InlineData(2, "484a0647cbcb05a1")]
    [InlineData(3, "03f7c00cf35e4067")]
    [InlineData(4, "ccd591621a5d87e3")]
    public void HostileTextGivesTheToolsOwnBytes(int seed, string hash)
    {
        string text = string.Join('\n', Lines(seed, odd: true)) + "\n", path = _folder.File("text", text);
        var words = new WordCounts(TextFile.ReadLines(path));
        var learned = SubwordNmt.Learn([words], 150);
        learned.SaveCodes(_folder.PathOf("codes"));
        learned.SaveVocabulary(_folder.PathOf("vocabulary"), words);
        var filtered = SubwordNmt.LoadCodes(_folder.PathOf("codes")).WithVocabulary(_folder.PathOf("vocabulary"), 3);
        string all = File.ReadAllText(_folder.PathOf("codes")) + File.ReadAllText(_folder.PathOf("vocabulary")) + Applied(learned, text) + Applied(filtered, text);
        Assert.Equal(hash, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(all)))[..16]);
    }

    [Fact]
    public void WordsOfOneSpacingComeBack()
    {
        for (int seed = 0; seed < 50; seed++)
        {
            string[] lines = Lines(seed, odd: true);
            var learned = SubwordNmt.Learn(lines, 100);
            foreach (string line in lines)
            {
                string[] words = [.. line.Split([' ', '\r'], StringSplitOptions.RemoveEmptyEntries).Where(w => !w.EndsWith("@@", StringComparison.Ordinal))];
                string normal = string.Join(' ', words), cut = Applied(learned, normal);
                Assert.Equal(normal, SubwordNmt.Undo(cut));
                if (!words.Any(w => w.AsSpan().ContainsAny("\u000B\u000C\u001C\u001D\u001E\u0085\u2028\u2029")))
                {
                    Assert.Equal(cut.Split(' ', StringSplitOptions.RemoveEmptyEntries), learned.Encode(normal));
                    Assert.Equal(normal, learned.Decode(learned.Encode(normal)));
                }
            }
        }
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("\n", "\n")]
    [InlineData("  \n \r\n", "  \n \r\n")]
    [InlineData(" ab  ab ", " a@@ b a@@ b ")]
    [InlineData("ab\r\nab", "a@@ b\r\na@@ b")]
    [InlineData("ab\rab\n", "a@@ b\ra@@ b\n")]
    [InlineData("a\tb\n", "a@@ \t@@ b\n")]
    [InlineData("a\u00A0b\n", "a@@ \u00A0@@ b\n")]
    [InlineData("ab\u2028ab \u0085 b\n", "a@@ b@@ \u2028a@@ b \u0085 b\n")]
    [InlineData("\uFEFFa\n", "\uFEFF@@ a\n")]
    [InlineData("\U0001F642a </w>\n", "\U0001F642@@ a <@@ /@@ w@@ >\n")]
    public void WhiteSpaceIsTreatedAsTheToolTreatsIt(string text, string applied)
        => Assert.Equal(applied, Applied(SubwordNmt.LoadCodes(_folder.File("codes", "#version: 0.2\nx y\n")), text));

    [Theory]
    [InlineData("un@@ do", "undo")]
    [InlineData("un@@", "un")]
    [InlineData("a@@ b@@ ", "ab")]
    [InlineData("a @@@@ ", "a @@")]
    [InlineData("x@@@@", "x@@")]
    [InlineData("@@@ a", "@a")]
    [InlineData("a@b @@c", "a@b @@c")]
    public void UndoneAsTheToolsPageSays(string line, string text) => Assert.Equal(text, SubwordNmt.Undo(line));

    [Fact]
    public void TheSameSymbolByTwoWaysIsMergedInTheToolsOrder()
    {
        // "abc" arises by the 2nd and by the 4th merge; (abc, d</w>) is the 3rd. All places of a pair are merged before the next pair is looked for.
        string path = _folder.File("codes", "#version: 0.2\nb c\na bc\nabc d</w>\na b\nab c\nabc e\n");
        string[] words = ["abcd", "abcabcd", "abce", "aabcabcabcee", "abab", "abcdabcd"];
        var codes = SubwordNmt.LoadCodes(path);
        foreach (string word in words)
            Assert.Equal(NaiveSubwordNmt.Segment(word, codes.Merges), codes.Encode(word));
    }

    [Fact]
    public void CodesOfVersion01HaveTheEndOfAWordAsASymbol()
    {
        string path = _folder.File("codes", "l o\nlo w\nlow </w>\ne r\ner </w>\nw </w>\n");
        var codes = SubwordNmt.LoadCodes(path);
        Assert.Equal(["low", "low@@", "er", "lo@@", "l@@", "w", "w"], codes.Encode("low lower lolw w"));
        foreach (string word in Lines(5, odd: false).SelectMany(l => l.Split(' ')).Where(w => w.Length > 1).Concat(["low", "lower", "lolw", "erer"]))
            Assert.Equal(NaiveSubwordNmt.Segment(word, codes.Merges, endIsOwnSymbol: true), codes.Encode(word));
        codes.SaveCodes(_folder.PathOf("again"));
        Assert.Equal(File.ReadAllText(path), File.ReadAllText(_folder.PathOf("again")));
    }

    [Fact]
    public void TokensThatAreNotInTheVocabularyAreTakenApart()
    {
        string codes = _folder.File("codes", "#version: 0.2\nl o\nlo w\ne r</w>\nlow er</w>\nlow e\nlowe st</w>\ns t</w>\n");
        string vocabulary = _folder.File("vocabulary", "lower 10\nlow@@ 5\nst 4\nlo@@ 3\ne@@ 1\n");
        var all = SubwordNmt.LoadCodes(codes);
        Assert.Equal(["lower", "lowest"], all.Encode("lower lowest"));
        Assert.Equal(["lower", "low@@", "e@@", "st"], all.WithVocabulary(vocabulary).Encode("lower lowest"));
        Assert.Equal(["lower", "lo@@", "w"], all.WithVocabulary(vocabulary).Encode("lower low"));
        Assert.Equal(["low@@", "e@@", "r"], all.WithVocabulary(_folder.File("v", "low@@ 5\n")).Encode("lower"));
        Assert.Equal(["low@@", "e@@", "s@@", "t"], all.WithVocabulary(_folder.File("v", "low@@ 5\nst 1\n"), 5).Encode("lowest"));

        // An empty vocabulary filters nothing, as in the tool.
        Assert.Equal(["lower"], all.WithVocabulary(vocabulary, 11).Encode("lower"));
    }

    [Fact]
    public void AVocabularyEndsWhereTheTextHoldsTheEndOfAWord()
    {
        // "a</w>" is "a<" and "/w>", of which nothing is a part of the word; "</w>" in turn is "<" and "/w>", which the tool would split for ever.
        var codes = SubwordNmt.LoadCodes(_folder.File("codes", "#version: 0.2\na <\n/ w\n/w >\na< /w>\n< /w>\n")).WithVocabulary(_folder.File("v", "x 1\n"));
        Assert.Equal("b@@ a@@ <@@ ", Applied(codes, "ba"));
        Assert.Equal(["b@@", "a@@", "<@@"], codes.Encode("ba"));
    }

    [Fact]
    public void AVeryLongWordIsCutInTime()
    {
        string word = string.Concat(Enumerable.Repeat("abcab", 20_000));
        var learned = SubwordNmt.Learn([word + " abc abc ab"], 50);
        Assert.Equal(word, SubwordNmt.Undo(string.Join(' ', learned.Encode(word))));
    }

    [Fact]
    public void NothingToMergeGivesNoMerges()
    {
        foreach (string[] lines in (string[][])[[], [""], ["a b c"], ["ab"]])
        {
            var learned = SubwordNmt.Learn(lines, 10);
            Assert.Empty(learned.Merges);
            learned.SaveCodes(_folder.PathOf("codes"));
            Assert.Equal("#version: 0.2\n", File.ReadAllText(_folder.PathOf("codes")));
            Assert.Equal(["a@@", "b"], SubwordNmt.LoadCodes(_folder.PathOf("codes")).Encode("ab"));
        }

        Assert.Equal([("a", "b</w>")], SubwordNmt.Learn(["ab"], 10, minFrequency: 1).Merges);
    }

    [Theory]
    [InlineData("", "must hold at least one merge or the line #version: 0.2, got neither.")]
    [InlineData("\n\n", "must hold at least one merge or the line #version: 0.2, got neither.")]
    [InlineData("#version: 0.2\na b\na b c\n", "line 3 must be two symbols with one blank between them, got 'a b c'.")]
    [InlineData("#version: 0.2\na  b\n", "line 2 must be two symbols with one blank between them, got 'a  b'.")]
    [InlineData("a b\n\nb c\n", "line 2 must be two symbols with one blank between them, got ''.")]
    [InlineData("abc\n", "line 1 must be two symbols with one blank between them, got 'abc'.")]
    [InlineData("#version: 0.3\na b\n", "line 1 must be of version 0.1 or 0.2, got '#version: 0.3'.")]
    [InlineData("#version: 0.2 byte\na b\n", "line 1 must be of version 0.1 or 0.2, got '#version: 0.2 byte'.")]
    public void DamagedCodesAreRefused(string text, string message)
    {
        string path = _folder.File("codes", text);
        Assert.Equal($"{path}: {message}", Assert.Throws<InvalidDataException>(() => SubwordNmt.LoadCodes(path)).Message);
    }

    [Theory]
    [InlineData("a 1\nb\n", "line 2 must be a token, a blank and a whole number, got 'b'.")]
    [InlineData("a 1.5\n", "line 1 must be a token, a blank and a whole number, got 'a 1.5'.")]
    [InlineData("a b 1\n", "line 1 must be a token, a blank and a whole number, got 'a b 1'.")]
    public void ADamagedVocabularyIsRefused(string text, string message)
    {
        var codes = SubwordNmt.LoadCodes(_folder.File("codes", "#version: 0.2.0\r\na b\r\n\r\n"));
        string path = _folder.File("vocabulary", text);
        Assert.Equal($"{path}: {message}", Assert.Throws<InvalidDataException>(() => codes.WithVocabulary(path)).Message);
    }

    [Fact]
    public void NumbersBelowOneAreRefused()
    {
        Assert.Equal("SubwordNmt: merges must be at least 1, got 0.", Assert.Throws<ArgumentOutOfRangeException>(() => SubwordNmt.Learn(Small, 0)).Message);
        Assert.Equal("SubwordNmt: minFrequency must be at least 1, got 0.", Assert.Throws<ArgumentOutOfRangeException>(() => SubwordNmt.Learn(Small, 1, 0)).Message);
    }

    [Fact]
    public void ComesBackFromATokenizerFile()
    {
        var learned = SubwordNmt.Learn(Small, 20);
        string path = _folder.PathOf("tokenizer.json");
        TokenizerFile.Save(path, learned);
        Assert.Equal(learned.Merges, Assert.IsType<SubwordNmt>(TokenizerFile.Load(path)).Merges);
    }

    [Theory]
    [InlineData("", "codes must be a list.")]
    [InlineData(",\"codes\":[\"#version: 0.2\",7]", "codes[1] must be a string.")]
    [InlineData(",\"codes\":[\"#version: 0.2\",\"a b\",\"ab\"]", "codes: line 3 must be two symbols with one blank between them, got 'ab'.")]
    public void ADamagedTokenizerFileIsRefused(string rest, string message)
    {
        string path = _folder.File("t.json", $"{{\"tokenizer\":\"subword_nmt\",\"version\":1{rest}}}");
        Assert.Equal($"{path}: {message}", Assert.Throws<InvalidDataException>(() => TokenizerFile.Load(path)).Message);
    }

    private static string Applied(SubwordNmt codes, string text)
    {
        var output = new StringWriter();
        foreach (string line in TextFile.ReadWholeLines(new MemoryStream(Encoding.UTF8.GetBytes(text)), "text"))
            codes.Apply(line, output);
        return output.ToString();
    }

    /// <summary>Words of few letters, so that counts are often equal, some of them often; with oddities, text as bad as text gets.</summary>
    private static string[] Lines(int seed, bool odd)
    {
        string[] oddities = ["\u00A0", "\u2028", "\u0085", "\t", "\u001C", "\u001F", "\u3000", "\u200B", "\uFEFF", "</w>", "@@", "\\", "<", "\U0001F642", "\uFFFF", "e\u0301"];
        string[] letters = ["ab", "abc", "aab\U0001F642", "abcdefghij", "a\uFFFF\U0001F642"];
        var random = new Random(seed);
        string alphabet = letters[seed % letters.Length];
        string[] runes = [.. alphabet.EnumerateRunes().Select(r => r.ToString())];
        string[] words = [.. Enumerable.Range(0, 40).Select(_ => Word(1 + random.Next(seed % 2 == 0 ? 5 : 15)))];
        return [.. Enumerable.Range(0, 30).Select(_ => string.Join(' ', Enumerable.Range(0, random.Next(12)).Select(_ => words[random.Next(1 + random.Next(words.Length))])))];

        string Word(int length) => string.Concat(Enumerable.Range(0, length).Select(_ => odd && random.Next(12) == 0 ? oddities[random.Next(oddities.Length)] : runes[random.Next(runes.Length)]));
    }
}
