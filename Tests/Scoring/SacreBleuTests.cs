using System.Globalization;
using System.Text.Json;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Scores against sacreBLEU's: its own test tables, and six systems of WMT 2017.</summary>
public sealed class SacreBleuTests
{
    private const string Wmt17 = "truth/wmt17-en-de";

    public static TheoryData<string> Systems =>
    [
        "newstest2017.LIUM-NMT.4900.en-de", "newstest2017.C-3MA.4959.en-de", "newstest2017.FBK.4870.en-de",
        "newstest2017.online-A.0.en-de", "newstest2017.online-F.0.en-de", "newstest2017.uedin-nmt.4722.en-de",
    ];

    [Theory]
    [MemberData(nameof(Systems))]
    public void SystemsOfWmt17(string system)
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
        Assert.Equal(Published("sacrebleu2.6.0_BLEU_intl"), Of(BleuTokenization.International));
        Assert.Equal(Published("sacrebleu2.6.0_BLEU_none"), Of(BleuTokenization.None));
        Assert.Equal(Published("sacrebleu2.6.0_BLEU_char"), Of(BleuTokenization.Character));
        Assert.Equal(Published("sacrebleu2.6.0_chrF2"), Six(Chrf.Corpus(hypotheses, references).Score));
        Assert.Equal(Published("sacrebleu2.6.0_chrF2++"), Six(Chrf.Corpus(hypotheses, references, ChrfOptions.PlusPlus).Score));

        // What mteval-v14.pl and chrF++.py gave where they were asked.
        string v14 = Published("published_mteval-v14_BLEU"), chrf = Published("published_chrF++.py_chrF"), plusPlus = Published("published_chrF++.py_chrF++");
        if (v14.Length > 0)
            Assert.Equal(v14, Math.Round(Bleu.Corpus(hypotheses, references, new BleuOptions { Tokenization = BleuTokenization.International }).Score, 2).ToString(CultureInfo.InvariantCulture));
        if (chrf.Length > 0)
        {
            Assert.Equal(chrf, Four(Chrf.Corpus(hypotheses, references, new ChrfOptions { EpsilonSmoothing = true }).Score));
            Assert.Equal(plusPlus, Four(Chrf.Corpus(hypotheses, references, ChrfOptions.PlusPlus with { EpsilonSmoothing = true }).Score));
        }

        string Of(BleuTokenization tokenization) => Six(Bleu.Corpus(hypotheses, references, new BleuOptions { Tokenization = tokenization }).Score);
        static string Six(double value) => value.ToString("0.000000", CultureInfo.InvariantCulture);
        static string Four(double value) => value.ToString("0.0000", CultureInfo.InvariantCulture);
    }

    /// <summary>What tercom itself gave all six, as WMT published it, to three decimals.</summary>
    [Theory]
    [MemberData(nameof(Systems))]
    public void EditRatesAreTercoms(string system)
    {
        string[][] table = [.. TextFile.ReadLines(TestData.Require($"{Wmt17}/scores.tsv")).Select(line => line.Split('\t'))];
        string published = table.Single(cells => cells[0] == system)[Array.IndexOf(table[0], "published_tercom_TER")];
        string[] hypotheses = [.. TextFile.ReadLines(TestData.Require($"{Wmt17}/{system}.txt"), keepByteOrderMark: true)];
        string[] references = [.. TextFile.ReadLines(TestData.Require($"{Wmt17}/reference.de"), keepByteOrderMark: true)];
        Assert.Equal(published, (Ter.Corpus(hypotheses, references).Score / 100).ToString("0.000", CultureInfo.InvariantCulture));
    }

    /// <summary>chrF3, and chrF2 and chrF2++ with the smoothing of chrF++.py, of three systems to all digits.</summary>
    [Theory]
    [InlineData("newstest2017.LIUM-NMT.4900.en-de")]
    [InlineData("newstest2017.C-3MA.4959.en-de")]
    [InlineData("newstest2017.online-F.0.en-de")]
    public void VariantsOfChrfOfSystemsOfWmt17(string system)
    {
        string[] hypotheses = [.. TextFile.ReadLines(TestData.Require($"{Wmt17}/{system}.txt"), keepByteOrderMark: true)];
        string[] references = [.. TextFile.ReadLines(TestData.Require($"{Wmt17}/reference.de"), keepByteOrderMark: true)];
        string[] words = TextFile.ReadLines(TestData.Require($"{Wmt17}/sacrebleu_ter.txt")).Single(line => line.StartsWith($"{system} chrF3 ", StringComparison.Ordinal)).Split(' ');
        Assert.Equal(Number(2), Chrf.Corpus(hypotheses, references, new ChrfOptions { Beta = 3 }).Score, 1e-9);
        Assert.Equal(Number(5), Chrf.Corpus(hypotheses, references, new ChrfOptions { EpsilonSmoothing = true }).Score, 1e-9);
        Assert.Equal(Number(6), Chrf.Corpus(hypotheses, references, ChrfOptions.PlusPlus with { EpsilonSmoothing = true }).Score, 1e-9);

        double Number(int place) => double.Parse(words[place], CultureInfo.InvariantCulture);
    }

    [Theory]
    [InlineData("newstest2017.LIUM-NMT.4900.en-de")]
    [InlineData("newstest2017.C-3MA.4959.en-de")]
    [InlineData("newstest2017.online-F.0.en-de")]
    public void EditRatesOfSystemsOfWmt17(string system)
    {
        string[] hypotheses = [.. TextFile.ReadLines(TestData.Require($"{Wmt17}/{system}.txt"), keepByteOrderMark: true)];
        string[] references = [.. TextFile.ReadLines(TestData.Require($"{Wmt17}/reference.de"), keepByteOrderMark: true)];
        string[] lines = [.. TextFile.ReadLines(TestData.Require($"{Wmt17}/sacrebleu_ter.txt")).Where(line => line.StartsWith($"('{system}'", StringComparison.Ordinal))];
        Assert.Equal(3, lines.Length);
        foreach (string line in lines)
        {
            var options = new TerOptions { Normalized = line.Contains("'normalized': True"), CaseSensitive = line.Contains("'case_sensitive': True") };
            string[] numbers = line[(line.IndexOf('}') + 2)..].TrimEnd(')').Split(", ");
            var score = Ter.Corpus(hypotheses, references, options);
            Assert.Equal(long.Parse(numbers[1], CultureInfo.InvariantCulture), score.Edits);
            Assert.Equal(double.Parse(numbers[2], CultureInfo.InvariantCulture), score.ReferenceLength);
            Assert.Equal(double.Parse(numbers[0], CultureInfo.InvariantCulture), score.Score, 1e-12);
        }
    }

    [Fact]
    public void TablesOfTer()
    {
        using var tables = Tables("ter");
        Check(tables, "ter_fraction", 7, c => Assert.Equal(c.GetProperty("ter_fraction").GetDouble(), Ter.Corpus(Lines(c, "hyps"), Lines(c, "refs")).Score / 100, 1e-3));
        Tokenized("default", 4, new TerOptions());
        Tokenized("no_punct", 2, new TerOptions { NoPunctuation = true });
        Tokenized("norm", 3, new TerOptions { Normalized = true });
        Tokenized("asian", 2, new TerOptions { Normalized = true, AsianSupport = true });

        void Tokenized(string table, int cases, TerOptions options) => Check(tables, $"tercom_tokenizer_{table}", cases, c
            => Assert.Equal(c[1].GetString(), string.Join(' ', TercomWords.Of(c[0].GetString()!, options))));
    }

    [Fact]
    public void TablesOfCorpusBleu()
    {
        using var tables = Tables("bleu");
        Check(tables, "corpus_bleu", 6, c =>
        {
            var options = c.GetProperty("options");
            var variant = new BleuOptions { Tokenization = Tokenization(Text(options, "tokenize")), Smoothing = Smoothing(Text(options, "smooth_method")) };
            Assert.Equal(c.GetProperty("bleu").GetDouble(), Bleu.Corpus(Lines(c, "hyps"), References(c), variant).Score, 1e-6);
        });
        var raw = new BleuOptions { Tokenization = BleuTokenization.None, Smoothing = BleuSmoothing.Floor, EffectiveOrder = true };
        Check(tables, "raw_corpus_bleu_no_tok_floor_0.01_fraction", 6, c => Assert.Equal(
            100 * c.GetProperty("bleu_fraction").GetDouble(), Bleu.Corpus(Lines(c, "hyps"), References(c), raw with { SmoothingValue = 0.01 }).Score, 1e-8));
        Check(tables, "raw_corpus_bleu_floor_default_0.1_and_0.0", 1, c =>
        {
            Assert.Equal(100 * c.GetProperty("bleu_fraction_smooth_0_1").GetDouble(), Bleu.Corpus(Lines(c, "hyps"), References(c), raw).Score, 1e-8);
            Assert.Equal(100 * c.GetProperty("bleu_fraction_smooth_0_0").GetDouble(), Bleu.Corpus(Lines(c, "hyps"), References(c), raw with { SmoothingValue = 0 }).Score, 1e-8);
        });
        Check(tables, "max_ngram_order", 6, c => Assert.Equal(
            c.GetProperty("bleu_2dp").GetString(),
            ScoreText.Fixed(Bleu.Corpus(Lines(c, "hyps"), References(c), new BleuOptions { Order = c.GetProperty("order").GetInt32() }).Score, 2)));
    }

    [Fact]
    public void TablesOfBleuCounts()
    {
        using var tables = Tables("bleu");
        Check(tables, "statistics", 1, c =>
        {
            var score = Bleu.Corpus(Lines(c, "hyps"), References(c));
            Assert.Equal(Counts(c, "counts"), score.Matches);
            Assert.Equal(Counts(c, "totals"), score.Totals);
        });
        Check(tables, "score_from_statistics", 1, c => FromCounts(c, new BleuOptions { Smoothing = BleuSmoothing.None }));
        Check(tables, "degenerate_statistics_floor", 6, c => FromCounts(c, new BleuOptions
        {
            Smoothing = BleuSmoothing.Floor,
            SmoothingValue = c.GetProperty("smooth_value").GetDouble(),
        }));

        static void FromCounts(JsonElement c, BleuOptions options)
        {
            long systemLength = c.GetProperty("sys_len").GetInt64(), referenceLength = c.GetProperty("ref_len").GetInt64();
            var score = Bleu.FromCounts(Counts(c, "counts"), Counts(c, "totals"), systemLength, referenceLength, "", options);
            Assert.Equal(100 * c.GetProperty("bleu_fraction").GetDouble(), score.Score, 1e-8);
        }
    }

    [Theory]
    [InlineData("sentence_bleu", 12)]
    [InlineData("sentence_bleu_zero", 6)]
    public void TablesOfSentenceBleu(string table, int cases)
    {
        using var tables = Tables("bleu");
        var sentence = tables.RootElement.GetProperty(table);
        string system = sentence.GetProperty("sys").GetString()!, reference = sentence.GetProperty("ref").GetString()!;
        int compared = 0;
        foreach (var c in sentence.GetProperty("cases").EnumerateArray())
        {
            var score = Bleu.Sentence(system, [reference], new BleuOptions
            {
                Tokenization = Tokenization(Text(c, "tokenize")),
                Smoothing = Smoothing(Text(c, "smooth_method")),
                SmoothingValue = c.GetProperty("smooth_value") is { ValueKind: JsonValueKind.Number } value ? value.GetDouble() : null,
                Lowercase = c.GetProperty("lowercase").GetBoolean(),
                EffectiveOrder = true,
            });
            Assert.Equal(c.GetProperty("bleu").GetDouble(), score.Score, 1e-3);
            compared++;
        }

        Assert.Equal(cases, compared);
    }

    [Fact]
    public void TablesOfChrf()
    {
        using var tables = Tables("chrf");
        var options = new ChrfOptions { Beta = 3 };
        Check(tables, "corpus_eps_smoothing_true_beta3", 13, c => Compare(c, options with { EpsilonSmoothing = true }));
        Check(tables, "corpus_eps_smoothing_false_beta3", 7, c => Compare(c, options));
        Check(tables, "corpus_keep_whitespace_beta3", 2, c => Compare(c, options with { Whitespace = true }));
        Check(tables, "sentence_eps_smoothing_true_beta2", 3, c => Assert.Equal(
            c.GetProperty("chrf").GetDouble(), Chrf.Sentence(Text(c, "hyp")!, Lines(c, "refs"), new ChrfOptions { EpsilonSmoothing = true }).Score, 1e-4));

        static void Compare(JsonElement c, ChrfOptions options)
            => Assert.Equal(c.GetProperty("chrf").GetDouble(), Chrf.Corpus(Lines(c, "hyps"), Lines(c, "refs"), options).Score, 1e-4);
    }

    private static JsonDocument Tables(string metric) => JsonDocument.Parse(File.ReadAllBytes(TestData.Require($"truth/sacrebleu/sacrebleu_{metric}_cases.json")));

    private static void Check(JsonDocument tables, string table, int cases, Action<JsonElement> check)
    {
        JsonElement[] rows = [.. tables.RootElement.GetProperty(table).EnumerateArray()];
        Assert.Equal(cases, rows.Length);
        Assert.All(rows, check);
    }

    private static BleuTokenization Tokenization(string? name) => name switch
    {
        null or "13a" => BleuTokenization.Mteval13a,
        "none" => BleuTokenization.None,
        "char" => BleuTokenization.Character,
        "intl" => BleuTokenization.International,
        _ => throw new ArgumentException($"{name}: no such tokenisation."),
    };

    private static BleuSmoothing Smoothing(string? name) => name switch
    {
        null or "exp" => BleuSmoothing.Exponential,
        "none" => BleuSmoothing.None,
        "floor" => BleuSmoothing.Floor,
        "add-k" => BleuSmoothing.AddK,
        _ => throw new ArgumentException($"{name}: no such smoothing."),
    };

    private static long[] Counts(JsonElement element, string name) => [.. element.GetProperty(name).EnumerateArray().Select(e => e.GetInt64())];

    private static string[] Lines(JsonElement element, string name) => [.. element.GetProperty(name).EnumerateArray().Select(e => e.GetString()!)];

    private static string[][] References(JsonElement element)
        => [.. element.GetProperty("refs").EnumerateArray().Select(set => set.EnumerateArray().Select(e => e.GetString()!).ToArray())];

    private static string? Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetString() : null;
}
