using System.Globalization;
using System.Text.Json;
using CudaSeq.Models;

namespace CudaSeq.Tests;

public sealed class BleuTests
{
    private const string Wmt17 = "truth/wmt17-en-de";

    [Theory]
    [InlineData("newstest2017.LIUM-NMT.4900.en-de")]
    [InlineData("newstest2017.C-3MA.4959.en-de")]
    [InlineData("newstest2017.FBK.4870.en-de")]
    [InlineData("newstest2017.online-A.0.en-de")]
    [InlineData("newstest2017.online-F.0.en-de")]
    [InlineData("newstest2017.uedin-nmt.4722.en-de")]
    public void EqualsSacreBleuOnWmt17(string system)
    {
        string[][] table = [.. TextFile.ReadLines(TestData.Require($"{Wmt17}/scores.tsv")).Select(line => line.Split('\t'))];
        string[] row = table.Single(cells => cells[0] == system);
        string Published(string column) => row[Array.IndexOf(table[0], column)];

        // online-A begins with a byte order mark, which sacreBLEU counts as part of the first word.
        var pairs = ParallelCorpus.Read(TestData.Require($"{Wmt17}/{system}.txt"), TestData.Require($"{Wmt17}/reference.de"), keepByteOrderMark: true).ToList();
        string[] hypotheses = [.. pairs.Select(p => p.Source)], references = [.. pairs.Select(p => p.Target)];
        var score = Bleu.Corpus(hypotheses, references);
        Assert.Equal(Published("sacrebleu2.6.0_BLEU_13a"), Six(score.Score));
        Assert.Equal(Published("published_mteval-v13a_BLEU"), Math.Round(score.Score, 2).ToString(CultureInfo.InvariantCulture));
        Assert.Equal(
            Published("BLEU_13a_detail(prec/BP/sys_len/ref_len)"),
            string.Create(
                CultureInfo.InvariantCulture,
                $"{string.Join('/', score.Precisions.Select(p => p.ToString("0.0000", CultureInfo.InvariantCulture)))} BP={score.BrevityPenalty:0.000000} {score.HypothesisLength}/{score.ReferenceLength}"));
        Assert.Equal(Published("sacrebleu2.6.0_BLEU_13a_lc"), Six(Bleu.Corpus(hypotheses, references, new BleuOptions { Lowercase = true }).Score));
        Assert.Equal(Published("sacrebleu2.6.0_BLEU_none"), Six(Bleu.Corpus(hypotheses, references, new BleuOptions { Tokenization = BleuTokenization.None }).Score));
        static string Six(double value) => value.ToString("0.000000", CultureInfo.InvariantCulture);
    }

    [Fact]
    public void EqualsSacreBleusOwnTables()
    {
        using var tables = JsonDocument.Parse(File.ReadAllBytes(TestData.Require("truth/sacrebleu/sacrebleu_bleu_cases.json")));
        int compared = 0;
        foreach (var c in tables.RootElement.GetProperty("corpus_bleu").EnumerateArray())
        {
            var options = c.GetProperty("options");
            if (Text(options, "tokenize") is "intl")
                continue;
            var score = Bleu.Corpus(Lines(c, "hyps"), References(c), new BleuOptions
            {
                Tokenization = Text(options, "tokenize") is "none" ? BleuTokenization.None : BleuTokenization.Mteval13a,
                Smoothing = Text(options, "smooth_method") is "none" ? BleuSmoothing.None : BleuSmoothing.Exponential,
            });
            Assert.Equal(c.GetProperty("bleu").GetDouble(), score.Score, 1e-6);
            compared++;
        }

        foreach (var c in tables.RootElement.GetProperty("statistics").EnumerateArray())
        {
            var score = Bleu.Corpus(Lines(c, "hyps"), References(c));
            Assert.Equal(c.GetProperty("counts").EnumerateArray().Select(e => e.GetInt64()), score.Matches);
            Assert.Equal(c.GetProperty("totals").EnumerateArray().Select(e => e.GetInt64()), score.Totals);
            compared++;
        }

        var sentence = tables.RootElement.GetProperty("sentence_bleu");
        foreach (var c in sentence.GetProperty("cases").EnumerateArray())
        {
            if (Text(c, "smooth_method") is not ("exp" or "none") || Text(c, "tokenize") is not ("13a" or "none"))
                continue;
            var score = Bleu.Corpus([sentence.GetProperty("sys").GetString()!], [sentence.GetProperty("ref").GetString()!], new BleuOptions
            {
                Tokenization = Text(c, "tokenize") is "none" ? BleuTokenization.None : BleuTokenization.Mteval13a,
                Smoothing = Text(c, "smooth_method") is "none" ? BleuSmoothing.None : BleuSmoothing.Exponential,
                Lowercase = c.GetProperty("lowercase").GetBoolean(),
                EffectiveOrder = true,
            });
            Assert.Equal(c.GetProperty("bleu").GetDouble(), score.Score, 1e-3);
            compared++;
        }

        Assert.True(compared >= 8, $"{compared} cases compared");
    }

    [Fact]
    public void CountsAmountToTheScore()
    {
        // sacreBLEU's test_bleu.py, test_scoring.
        Assert.Equal(83.75922397, Bleu.FromCounts([9, 7, 5, 3], [10, 8, 6, 4], 11, 11, 1, new BleuOptions { Smoothing = BleuSmoothing.None }).Score, 1e-7);
    }

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
    public void CutsAsMtevalDoes(string line, string words)
        => Assert.Equal(words, string.Join('|', Mteval13a.Words(line)));

    [Fact]
    public void EdgesOfTheScore()
    {
        var same = Bleu.Corpus(["the cat sat on the mat"], ["the cat sat on the mat"]);
        Assert.Equal(100, same.Score, 1e-9);
        var empty = Bleu.Corpus(["", ""], ["a b", "c"]);
        Assert.Equal((0, 0, 0L, 3L), (empty.Score, empty.BrevityPenalty, empty.HypothesisLength, empty.ReferenceLength));
        var nothing = Bleu.Corpus([""], [""]);
        Assert.Equal((0, 1, 0L, 0L), (nothing.Score, nothing.BrevityPenalty, nothing.HypothesisLength, nothing.ReferenceLength));
        var strange = Bleu.Corpus(["x y z w v"], ["a b c d e"]);
        Assert.Equal((0, 1), (strange.Score, strange.BrevityPenalty));
        Assert.Equal([0, 0, 0, 0], strange.Precisions);

        // Three words: no 4-gram, so sacreBLEU's corpus score is 0 unless orders without n-grams are left out.
        Assert.Equal(0, Bleu.Corpus(["a b c"], ["a b c"]).Score, 1e-9);
        Assert.Equal(100, Bleu.Corpus(["a b c"], ["a b c"], new BleuOptions { EffectiveOrder = true }).Score, 1e-9);
    }

    [Fact]
    public void RepeatedWordsCountAsOftenAsAReferenceHasThem()
    {
        // The example of the paper, section 2.1: modified unigram precision 2/7.
        var score = Bleu.Corpus(["the the the the the the the"], [["the cat is on the mat"], ["there is a cat on the mat"]]);
        Assert.Equal((2L, 7L), (score.Matches[0], score.Totals[0]));
        Assert.Equal(7, score.ReferenceLength);
    }

    [Fact]
    public void PrintsItsSignature()
    {
        string version = typeof(Bleu).Assembly.GetName().Version!.ToString(3);
        var score = Bleu.Corpus(["a b c d e f"], [["a b c d x f"]]);
        Assert.Equal($"nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:cudaseq-{version}", score.Signature);
        Assert.Equal(
            $"BLEU|{score.Signature} = 53.73 83.3/60.0/50.0/33.3 (BP = 1.000 ratio = 1.000 hyp_len = 6 ref_len = 6)", score.ToString());
        var options = new BleuOptions { Lowercase = true, EffectiveOrder = true, Smoothing = BleuSmoothing.None, Tokenization = BleuTokenization.None };
        Assert.Equal($"nrefs:2|case:lc|eff:yes|tok:none|smooth:none|version:cudaseq-{version}", Bleu.Corpus(["A"], [["a"], ["b"]], options).Signature);
    }

    [Fact]
    public void RefusesUnequalAndEmptyCorpora()
    {
        static string Message(Action call) => Assert.Throws<ArgumentException>(call).Message;
        Assert.Equal("Bleu: hypotheses and references must have as many lines as each other, got 3 and 2.", Message(() => Bleu.Corpus(["a", "b", "c"], ["a", "b"])));
        Assert.Equal("Bleu: must be given at least one line, got none.", Message(() => Bleu.Corpus([], Array.Empty<string>())));
        Assert.Equal("Bleu: must be given references, got none.", Message(() => Bleu.Corpus(["a"], Array.Empty<string[]>())));
    }

    private static string[] Lines(JsonElement element, string name) => [.. element.GetProperty(name).EnumerateArray().Select(e => e.GetString()!)];

    private static string[][] References(JsonElement element)
        => [.. element.GetProperty("refs").EnumerateArray().Select(set => set.EnumerateArray().Select(e => e.GetString()!).ToArray())];

    private static string? Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetString() : null;
}
