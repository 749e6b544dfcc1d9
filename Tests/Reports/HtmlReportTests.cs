using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Runs as pages for a browser.</summary>
public sealed class HtmlReportTests
{
    [Fact]
    public void APageIsWholeByItselfAndSaysWhatTheLogSays()
    {
        string html = HtmlReport.Write("two <runs> & more", [(Log("a", bleu: 30.5), Lines("ein Hund läuft", "eine Katze")), (Log("b<script>", bleu: 31.25), Lines("der Hund läuft", "eine Katze"))]);
        var page = Parse(html);
        Assert.Equal("two <runs> & more", page.Descendants("h1").Single().Value);
        Assert.DoesNotContain("<script", html);
        Assert.DoesNotMatch(@"(src|href|url\(|@import|https?:)", html);
        string[][] rows = [.. page.Descendants("table").First().Elements("tr").Select(r => r.Elements().Select(c => c.Value).ToArray())];
        Assert.Equal(["run", "test BLEU", "validation BLEU", "perplexity", "parameters", "updates", "minutes", "tokens/s"], rows[0]);
        Assert.Equal(["a", "30.50", "20.00", "7.00", "1,234", "40", "1.0", "67"], rows[1]);
        Assert.Equal("b<script>", rows[2][0]);
        Assert.Equal("31.25", page.Descendants("strong").Single().Value);

        // Of two lines the runs agree on one.
        var line = page.Descendants("dl").Single();
        Assert.Equal(["source", "reference", "a", "b<script>"], line.Elements("dt").Select(d => d.Value));
        Assert.Equal(["ein Hund läuft", "der Hund läuft"], line.Elements("dd").Skip(2).Select(d => d.Value));
        Assert.Equal(["ein"], line.Descendants("mark").Select(m => m.Value));
    }

    [Fact]
    public void HowTestPairsWereTranslatedAndWhatTheRunWarnedOfIsSaid()
    {
        var test = new JsonObject { ["event"] = "test", ["update"] = 1, ["seconds"] = 2, ["source"] = "t.en", ["bleu"] = 5.0, ["signature"] = "s", ["beam"] = 4, ["length_penalty"] = 0.6 };
        Assert.Equal("beam 4, length penalty 0.6", Read("a", [Run(), test]).TestDecoding);
        var gnmt = test.DeepClone().AsObject();
        (gnmt["length_penalty_form"], gnmt["min_length"], gnmt["no_repeat_ngram_size"]) = ("gnmt", 2, 3);
        var warning = new JsonObject { ["event"] = "warning", ["update"] = 7, ["seconds"] = 1, ["key"] = "training.graphs", ["not_captured"] = "it <grows>" };
        var page = Parse(HtmlReport.Write("x", [(Read("a", [Run(), warning, gnmt]), null)]));
        Assert.Equal("s, t.en, beam 4, length penalty 0.6 of GNMT's form, minimum length 2, no repeated 3-gram", page.Descendants("p").Single(p => (string?)p.Attribute("class") == "small").Value);
        Assert.Equal("Warning at update 7: training.graphs: it <grows>", page.Descendants("p").Single(p => p.Value.StartsWith("Warning", StringComparison.Ordinal)).Value);
    }

    /// <summary>Each curve ends where the log's last number is, and differs from its neighbour without colour.</summary>
    [Fact]
    public void CurvesHaveTheLogsNumbers()
    {
        var page = Parse(HtmlReport.Write("x", [(Log("a", 30), null), (Log("b", 31), null)]));
        var figures = page.Descendants("figure").ToDictionary(f => f.Element("figcaption")!.Value);
        Assert.Equal(["training loss", "validation loss", "validation BLEU by time", "validation BLEU", "validation perplexity", "learning rate", "target tokens a second"], figures.Keys);
        var loss = figures["training loss"];
        Assert.Equal("training loss: a ends at 2.5; b ends at 2.5", loss.Element("svg")!.Attribute("aria-label")!.Value);
        Assert.Equal(["a", "b"], loss.Descendants("li").Select(l => l.Value.Trim()));
        string[] marks = [.. loss.Descendants("li").Select(l => l.Descendants("path").Last().Attribute("d")!.Value)];
        Assert.NotEqual(marks[0], marks[1]);
        var line = Points(loss.Element("svg")!.Elements("path").First(p => p.Attribute("class")!.Value == "line s0"));
        Assert.Equal(4, line.Length);

        // Loss falls by 2.5 each time, evenly across.
        for (int i = 1; i < 4; i++)
        {
            Assert.Equal((line[^1].X - line[0].X) / 3, line[i].X - line[i - 1].X, 0.2);
            Assert.Equal((line[^1].Y - line[0].Y) / 3, line[i].Y - line[i - 1].Y, 0.2);
        }

        Assert.True(line[^1].Y > line[0].Y, "downwards on the page");
        Assert.Empty(page.Descendants("dl"));

        static (double X, double Y)[] Points(XElement path)
            => [.. Regex.Matches(path.Attribute("d")!.Value, "[ML]([0-9.]+) ([0-9.]+)").Select(m => (Number(m.Groups[1]), Number(m.Groups[2])))];

        static double Number(Group group) => double.Parse(group.Value, CultureInfo.InvariantCulture);
    }

    [Fact]
    public void ARunThatHasOnlyBegunHasAPage()
    {
        var log = Read("young", [new JsonObject { ["event"] = "run", ["parameters"] = 7 }]);
        var page = Parse(HtmlReport.Write("young", [(log, null)]));
        Assert.Equal(["young", "–", "–", "–", "7", "0", "0.0", "0"], page.Descendants("table").First().Elements("tr").Last().Elements().Select(c => c.Value));
        Assert.Empty(page.Descendants("svg"));
        Assert.Equal(
            "old: the log has no run event; a log is written by cudaseq train.",
            Assert.Throws<InvalidDataException>(() => new RunLog("old", [])).Message);
    }

    [Fact]
    public void ScoresOfDifferentThingsAreNotCompared()
    {
        var (a, b, lines) = (Log("a", 30), Log("b", 31), Lines("x", "y"));
        Assert.Null(Comparability.Objection([(a, lines), (b, Lines("u", "v")), (Read("young", [Run()]), null)]));
        Assert.Null(Comparability.Objection([(a, lines), (b, null)]));
        string objection = "The scores of a and b cannot be compared: the references are others (t.en with 2 and t.en with 1 lines).";
        Assert.Equal(objection, Comparability.Objection([(a, lines), (b, Lines("u"))]));
        var page = Parse(HtmlReport.Write("x", [(a, lines), (b, Lines("u"))]));
        Assert.Equal([objection], page.Descendants("p").Elements("strong").Select(e => e.Value));
        Assert.Empty(page.Descendants("table").First().Descendants("strong"));

        TestTranslation[] others = [.. lines.Select(l => l with { Reference = "another" })];
        Assert.Equal(objection.Replace("1 lines", "2 lines", StringComparison.Ordinal), Comparability.Objection([(a, lines), (b, others)]));
        Assert.Equal(
            objection.Replace("a and b", "b and c", StringComparison.Ordinal), Comparability.Objection([(a, null), (b, lines), (Log("c", 30), Lines("u"))]));

        var other = new JsonObject { ["event"] = "test", ["update"] = 1, ["seconds"] = 2, ["source"] = "t.en", ["bleu"] = 5.0, ["signature"] = "tok:13a" };
        Assert.Equal("The scores of a and c cannot be compared: BLEU is counted as s and as tok:13a.", Comparability.Objection([(a, lines), (b, lines), (Read("c", [Run(), other]), lines)]));
        Assert.Null(Comparability.Objection([(Text("a", 90), null), (Text("b", 80), null)]));
        Assert.Equal(
            "The scores of a and b cannot be compared: a perplexity is that of a token, and one is of 100 tokens, 0 of them unknown, the other of 50 tokens, 0 of them unknown.",
            Comparability.Objection([(Text("a", 90), null), (Text("b", 80, tokens: 50), null)]));
        Assert.Equal(
            "The scores of a and b cannot be compared: a perplexity is that of a token, and one is of 100 tokens, 0 of them unknown, the other of 100 tokens, 7 of them unknown.",
            Comparability.Objection([(Text("a", 90), null), (Text("b", 80, unknown: 7), null)]));
        Assert.Equal(
            "The scores of a and b cannot be compared: one is of t.txt, the other of u.txt.", Comparability.Objection([(Text("a", 90), null), (Text("b", 80, source: "u.txt"), null)]));
    }

    [Fact]
    public void ProbabilitiesThatDoNotSumToOneAreToldApart()
    {
        var run = Run();
        run["surface_fusion"] = "hard";
        var hard = Read("hard", [run]);
        Assert.Null(Comparability.Caution([Log("a", 30), Log("b", 31)]));
        Assert.Null(Comparability.Caution([hard, hard]));
        string caution = "Perplexities and losses of hard cannot be compared with the others': the probabilities of hard surface fusion sum to less than 1.";
        Assert.Equal(caution, Comparability.Caution([Log("a", 30), hard]));
        Assert.Contains(caution, Parse(HtmlReport.Write("x", [(Log("a", 30), null), (hard, null)])).Descendants("strong").Select(e => e.Value));
    }

    [Fact]
    public void LanguageModelsHaveTheFiguresOfTheirs()
    {
        var page = Parse(HtmlReport.Write("x", [(Text("a", 90), null), (Text("b", 80), null)]));
        string[][] rows = [.. page.Descendants("table").First().Elements("tr").Select(r => r.Elements().Select(c => c.Value).ToArray())];
        Assert.Equal(["run", "test perplexity", "validation perplexity", "validation nats/token", "parameters", "updates", "minutes", "tokens/s"], rows[0]);
        Assert.Equal(["a", "90.00", "7.00", "1.9000", "1,234", "40", "1.0", "67"], rows[1]);
        Assert.Equal("80.00", page.Descendants("table").First().Descendants("strong").Single().Value);
        Assert.Equal(
            "runs must all be of language models or all of pairs to stand side by side, a is a language model and b is none.",
            Assert.Throws<InvalidDataException>(() => HtmlReport.Write("x", [(Text("a", 90), null), (Log("b", 30), null)])).Message);
    }

    // Which of two curves is missing must not be guessed.
    [Fact]
    public void ACurveThatIsMissingLeavesTheOthersTheirNames()
    {
        var page = Parse(HtmlReport.Write("x", [(Read("young", [Run(), Update(1, 3), Update(2, 2)]), null)]));
        Assert.Equal(["training"], page.Descendants("figure").First().Descendants("li").Select(l => l.Value.Trim()));
        Assert.DoesNotContain(page.Descendants("figure").Skip(1), f => f.Descendants("li").Any());
    }

    [Theory]
    [InlineData("""{"event":"update","update":1,"seconds":1,"epoch":1,"tokens":1,"loss":"abc"}""", "loss must be a number, got \"abc\".")]
    [InlineData("""{"event":"update","update":[1],"seconds":1,"epoch":1,"tokens":1}""", "update must be a number, got [1].")]
    [InlineData("""{"event":"update","update":1,"seconds":1,"tokens":1}""", "epoch must be given with event update.")]
    [InlineData("""{"event":"validation","update":1,"seconds":1,"epoch":1,"best":"yes"}""", "best must be true or false, got \"yes\".")]
    [InlineData("""{"event":"test","update":1,"bleu":1,"signature":5}""", "signature must be a text, got 5.")]
    [InlineData("""{"event":7}""", "event must be a text, got 7.")]
    [InlineData("""{}""", "event must be a text, got nothing.")]
    public void ALogThatSaysNonsenseIsRefused(string line, string problem) => Assert.Equal(
        $"run: line 2 of the log: {problem}", Assert.Throws<InvalidDataException>(() => Read("run", [Run(), JsonNode.Parse(line)!.AsObject()])).Message);

    [Fact]
    public void MuchIsThinnedAndOddIsDrawn()
    {
        var many = Enumerable.Range(0, 10_000).Select(i => Update(i, i % 7 == 0 ? double.NaN : i)).ToList();
        string html = HtmlReport.Write("many", [(Read("many", [Run(), .. many]), null)]);
        Assert.InRange(html.Length, 1000, 80_000);
        foreach (double[] losses in (double[][])[[3], [0, 0, 0], [-1, 1e12], [1e-9, 2e-9], [5, 5.0000000000001]])
            Assert.DoesNotContain("NaN", HtmlReport.Write("odd", [(Read("odd", [Run(), .. losses.Select((l, i) => Update(i, l))]), null)]));
    }

    [Fact]
    public void TranslationsOfOtherLinesAreNotLaidBeside()
    {
        string html = HtmlReport.Write("x", [(Log("a", 1), Lines("x")), (Log("b", 1), [new TestTranslation("another", "line", "x")])]);
        Assert.Contains("Left out, for they translated other lines: b.", html);
    }

    [Theory]
    [InlineData("der Hund bellt laut", "der Hund bellt", "der Hund bellt |laut*")]
    [InlineData("a a b", "a b", "a |a |b")]
    [InlineData("", "x", "")]
    [InlineData("x", "", "x*")]
    [InlineData("今日はとても良い天気ですねと彼女は言いました本当に", "今日は良い天気ですねと彼は言いました本当に", "今日は|とても*|良い天気ですねと彼|女*|は言いました本当に")]
    public void DifferencesAreWordsOrCharacters(string text, string other, string expected)
    {
        var parts = TextDifference.Mark(text, other);
        Assert.Equal(text, string.Concat(parts.Select(p => p.Part)));
        if (expected != "a |a |b")
            Assert.Equal(expected, string.Join("|", parts.Select(p => p.Shared ? p.Part : p.Part + "*")));
        else
            Assert.Equal("a b", string.Concat(parts.Where(p => p.Shared).Select(p => p.Part)).Trim());
    }

    [Fact]
    public void TranslationsAreKeptAndReadBack()
    {
        using var folder = new TemporaryFolder();
        TestTranslation[] lines = [new("a \"b\"", "ü\t\\", ""), new("", "", "日本")];
        TestTranslation.Save(folder.PathOf("t.jsonl"), lines);
        Assert.Equal(lines, TestTranslation.Load(folder.PathOf("t.jsonl"))!);
        Assert.Null(TestTranslation.Load(folder.PathOf("none")));
        foreach (string bad in (string[])["{\"source\": 1}", "[]", "{"])
        {
            string path = folder.File("bad.jsonl", "{\"source\":\"\",\"reference\":\"\",\"translation\":\"\"}\n" + bad + "\n");
            Assert.Equal(
                $"{path}: line 2 must be a JSON object with source, reference and translation.", Assert.Throws<InvalidDataException>(() => TestTranslation.Load(path)).Message);
        }
    }

    private static XElement Parse(string html)
    {
        const string Doctype = "<!DOCTYPE html>\n";
        Assert.StartsWith(Doctype, html);
        return XElement.Parse(html[Doctype.Length..]);
    }

    // As a file has them.
    private static RunLog Read(string name, IEnumerable<JsonObject> events) => new(name, [.. events.Select(e => JsonNode.Parse(e.ToJsonString())!.AsObject())]);

    private static JsonObject Run() => new() { ["event"] = "run", ["update"] = 0, ["seconds"] = 0, ["parameters"] = 1234, ["command"] = "cudaseq train a<b" };

    private static JsonObject Update(int i, double loss)
    {
        var e = new JsonObject { ["event"] = "update", ["update"] = i * 10, ["seconds"] = i * 15, ["epoch"] = 1, ["tokens"] = i * 1000, ["lr"] = 1e-4 * i, ["tokens_per_second"] = 66.6 };
        e["loss"] = double.IsFinite(loss) ? loss : null;
        return e;
    }

    private static RunLog Log(string name, double bleu) => Read(name,
    [
        Run(),
        .. Enumerable.Range(1, 4).Select(i => Update(i, 12.5 - (2.5 * i))),
        new JsonObject { ["event"] = "validation", ["update"] = 20, ["seconds"] = 30, ["epoch"] = 1, ["loss"] = 3.0, ["ppl"] = 9.0, ["bleu"] = 10.0, ["best"] = true },
        new JsonObject { ["event"] = "validation", ["update"] = 40, ["seconds"] = 60, ["epoch"] = 2, ["loss"] = 2.0, ["ppl"] = 7.0, ["bleu"] = 20.0, ["best"] = true },
        new JsonObject { ["event"] = "test", ["update"] = 40, ["seconds"] = 60, ["source"] = "t.en", ["bleu"] = bleu, ["signature"] = "s", ["beam"] = 5, ["length_penalty"] = 1 },
    ]);

    private static RunLog Text(string name, double perplexity, int tokens = 100, int unknown = 0, string source = "t.txt")
    {
        var run = Run();
        run["train_blocks"] = 9;
        return Read(name,
        [
            run,
            .. Enumerable.Range(1, 4).Select(i => Update(i, 12.5 - (2.5 * i))),
            new JsonObject { ["event"] = "validation", ["update"] = 40, ["seconds"] = 60, ["epoch"] = 1, ["loss"] = 2.0, ["nll"] = 1.9, ["ppl"] = 7.0, ["best"] = true },
            new JsonObject { ["event"] = "test", ["update"] = 40, ["seconds"] = 60, ["source"] = source, ["ppl"] = perplexity, ["loss"] = 4.5, ["tokens"] = tokens, ["unknown"] = unknown },
        ]);
    }

    private static IReadOnlyList<TestTranslation> Lines(params string[] translations)
        => [.. translations.Select((t, i) => new TestTranslation($"source {i}", i == 0 ? "der Hund läuft" : "die Katze", t))];
}
