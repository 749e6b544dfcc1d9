using System.Text.Json;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>ROUGE against ROUGE-1.5.5 and Google's rouge_score.</summary>
public sealed class RougeTests
{
    [Fact]
    public void EqualsRouge155()
    {
        string[] targets = Lines("google_target.txt"), predictions = Lines("google_prediction.txt");
        Check("against_rouge155", 11, (row, options) =>
        {
            string pair = row.GetProperty("pair").ToString();
            bool multiple = pair == "multi.0";
            string target = multiple ? Whole("google_target_multi.0.txt") : targets[int.Parse(pair, null)];
            string prediction = multiple ? Whole("google_prediction_multi.0.txt") : predictions[int.Parse(pair, null)];
            return (Rouge.Sentence(prediction, [target], options with { Stem = row.GetProperty("stem").GetBoolean() }), 0.5e-5);
        });

        static string[] Lines(string file) => [.. TextFile.ReadLines(Path(file))];
        static string Whole(string file) => File.ReadAllText(Path(file));
    }

    [Fact]
    public void EqualsTheSmallCasesOfRougeScore()
        => Check("small", 8, (row, options) => (Rouge.Sentence(row.GetProperty("prediction").GetString()!, [row.GetProperty("target").GetString()], options), 0.5e-4));

    /// <summary>
    /// pltrdy's rouge takes what stands between blanks for words and counts each n-gram of a text once, which ROUGE-1.5.5 does not: given every different n-gram once, as a word of its own, recall and precision are its, and those
    /// of the longest common subsequence are without that. Its F of these has another beta.
    /// </summary>
    [Fact]
    public void EqualsTheCasesOfPltrdysRouge()
    {
        using var table = JsonDocument.Parse(File.ReadAllBytes(Path("pltrdy_data.json")));
        JsonElement[] cases = [.. table.RootElement.EnumerateArray()];
        Assert.Equal(4, cases.Length);
        bool repeats = false;
        foreach (var c in cases)
        {
            var names = new Dictionary<string, string>();
            string[] hypothesis = Words("hyp"), reference = Words("ref");
            foreach (int order in (int[])[1, 2])
            {
                Compare(Rouge.Sentence(Different(hypothesis, order), [Different(reference, order)]), $"rouge-{order}");
                repeats |= Different(hypothesis, order).Split(' ').Length < hypothesis.Length - order + 1;
            }

            Compare(Rouge.Sentence(Named(hypothesis), [Named(reference)], new RougeOptions { Measure = RougeMeasure.Subsequence }), "rouge-l");

            string[] Words(string side) => c.GetProperty(side).GetString()!.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

            // Whatever stands between blanks as a word that ROUGE does not cut.
            string Named(IEnumerable<string> words) => string.Join(' ', words.Select(w => names.TryGetValue(w, out string? name) ? name : names[w] = $"w{names.Count}"));

            string Different(string[] words, int order) => Named(Enumerable.Range(0, words.Length - order + 1).Select(i => string.Join(' ', words[i..(i + order)])).Distinct());

            void Compare(RougeScore score, string metric)
            {
                var expected = c.GetProperty("scores").GetProperty(metric);
                double r = score.Recall / 100, p = score.Precision / 100, beta = p / r;
                Assert.Equal(expected.GetProperty("r").GetDouble(), r, 1e-9);
                Assert.Equal(expected.GetProperty("p").GetDouble(), p, 1e-9);

                // It adds 1e-8 to what it divides by. Its F of subsequences is Lin's for summaries, with beta = P / R.
                Assert.Equal(expected.GetProperty("f").GetDouble(), metric == "rouge-l" ? (1 + (beta * beta)) * r * p / (r + (beta * beta * p)) : score.Score / 100, 1e-7);
            }
        }

        Assert.True(repeats, "no case has an n-gram twice: they do not tell the two ways of counting apart");
    }

    [Fact]
    public void TextsOfTooManyWordsAreRefusedInOneSentence()
    {
        string text = string.Concat(Enumerable.Repeat("a ", 23_200));
        const string Message = ": a text and its reference must have at most 536,870,912 pairs of words, got 23,200 and 23,200 words.";
        Assert.Equal($"ROUGE{Message}", Assert.Throws<InvalidDataException>(() => Rouge.Sentence(text, [text], new() { Measure = RougeMeasure.Subsequence })).Message);
        Assert.Equal($"TER{Message}", Assert.Throws<InvalidDataException>(() => Ter.Sentence(text + "b", [text[..^2] + "c c"])).Message.Replace("23,201", "23,200", StringComparison.Ordinal));
    }

    [Fact]
    public void WordsAreLowerCasedRunsOfAsciiLettersAndDigits()
    {
        Assert.Equal(["the", "u", "s", "cat", "s", "3", "5", "na", "ve"], Rouge.Words("The U.S. cat's 3.5\tnaïve 日本", stem: false));
        Assert.Equal(["run", "dog", "run"], Rouge.Words("RUNNING-dogs,runs", stem: true));
        Assert.Equal(["gas", "thi", "dog"], Rouge.Words("gas this dogs", stem: true));
        Assert.Equal(["k", "i"], Rouge.Words("\u212A \u0130", stem: false));
    }

    [Fact]
    public void TheBestOfSeveralReferencesCounts()
    {
        var score = Rouge.Sentence("a b c", ["x y", "a b", "a b c d e f"]);
        Assert.Equal((80, 100 * (2.0 / 3), 100), (score.Score, score.Precision, score.Recall));
        var mean = Rouge.Corpus(["a b c", ""], [["a b", "x"], [null, "y"]]);
        Assert.Equal((40, 100 * (2.0 / 3) / 2, 50), (mean.Score, mean.Precision, mean.Recall));
        Assert.StartsWith("nrefs:var|case:lc|tok:rouge|stem:no|version:cudaseq-", mean.Signature);
    }

    [Fact]
    public void LongerNGramsAndSentencesOfSummaries()
    {
        Assert.Equal(("ROUGE-3", 100), NameAndScore(Rouge.Sentence("a b c", ["a b c"], new RougeOptions { Order = 3 })));
        Assert.Equal(("ROUGE-4", 0), NameAndScore(Rouge.Sentence("a b c", ["a b c"], new RougeOptions { Order = 4 })));

        // Lin's example, section 3.2: two sentences find four of the reference's five words.
        var summary = new RougeOptions { Measure = RougeMeasure.SummarySubsequence, SentenceSeparator = "<n>" };
        var score = Rouge.Sentence("w1 w2 w6 w7 w8<n>w1 w3 w8 w9 w5", ["w1 w2 w3 w4 w5"], summary);
        Assert.Equal(("ROUGE-Lsum", 80, 40), (score.Name, Math.Round(score.Recall, 9), Math.Round(score.Precision, 9)));

        // The separator itself is no word for any of them.
        foreach (var measure in Enum.GetValues<RougeMeasure>())
        {
            score = Rouge.Sentence("a<n>b", ["a b<n>c d"], summary with { Measure = measure });
            Assert.Equal((100, 50), (score.Precision, score.Recall));
        }

        // A word of the hypothesis is not found twice.
        Assert.Equal((50, 100), (Rouge.Sentence("a", ["a<n>a"], summary).Recall, Rouge.Sentence("a", ["a<n>a"], summary).Precision));

        static (string, double) NameAndScore(RougeScore score) => (score.Name, score.Score);
    }

    [Fact]
    public void PrintsItsSignature()
    {
        var score = Rouge.Sentence("a b", ["a b c d"], new RougeOptions { Stem = true, Measure = RougeMeasure.Subsequence });
        Assert.Equal($"nrefs:1|case:lc|tok:rouge|stem:porter|version:cudaseq-{typeof(Rouge).Assembly.GetName().Version!.ToString(3)}", score.Signature);
        Assert.Equal($"ROUGE-L|{score.Signature} = 66.67 (P = 100.00 R = 50.00)", score.ToString());
    }

    [Fact]
    public void RefusesWhatCannotBeScored()
    {
        Assert.Equal("Rouge: hypotheses and references must have as many lines as each other, got 2 and 1.", Message(() => Rouge.Corpus(["a", "b"], ["a"])));
        Assert.Equal("Rouge: Order must be at least 1, got 0.", Message(() => Rouge.Corpus(["a"], ["a"], new RougeOptions { Order = 0 })));
        Assert.Equal("Rouge: SentenceSeparator must not be empty.", Message(() => Rouge.Corpus(["a"], ["a"], new RougeOptions { SentenceSeparator = "" })));
    }

    private static string Path(string file) => TestData.Require($"truth/rouge/{file}");

    private static void Check(string table, int cases, Func<JsonElement, RougeOptions, (RougeScore Score, double Tolerance)> score)
    {
        using var tables = JsonDocument.Parse(File.ReadAllBytes(Path("google_rouge_cases.json")));
        JsonElement[] rows = [.. tables.RootElement.GetProperty(table).EnumerateArray()];
        Assert.Equal(cases, rows.Length);
        foreach (var row in rows)
        {
            foreach (string type in row.GetProperty("type").GetString()!.Split('|'))
            {
                var (actual, tolerance) = score(row, Options(type));
                Assert.Equal(row.GetProperty("recall").GetDouble(), actual.Recall / 100, tolerance);
                Assert.Equal(row.GetProperty("precision").GetDouble(), actual.Precision / 100, tolerance);
                Assert.Equal(row.GetProperty("fmeasure").GetDouble(), actual.Score / 100, tolerance);
            }
        }
    }

    private static RougeOptions Options(string type) => type switch
    {
        "rouge1" => new RougeOptions(),
        "rouge2" => new RougeOptions { Order = 2 },
        "rougeL" => new RougeOptions { Measure = RougeMeasure.Subsequence },
        "rougeLsum" => new RougeOptions { Measure = RougeMeasure.SummarySubsequence },
        _ => throw new ArgumentException($"{type}: no such ROUGE."),
    };

    private static string Message(Action call) => Assert.Throws<ArgumentException>(call).Message;
}
