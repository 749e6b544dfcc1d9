using System.Text.Json;

namespace CudaSeq.Tests;

/// <summary>The verb that scores with TER, ROUGE, GLEU and M2, several systems, and tests of their differences.</summary>
public sealed class ScoreMetricsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void TerSaysItsEditsAndItsSignature()
    {
        var (system, reference) = Files();
        var run = Tool.Run("score", "--system", system, "--reference", reference, "--metric", "ter");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.StartsWith("TER 22.2222  (2 edits / 9 words)\nsignature nrefs:1|case:lc|tok:tercom|norm:no|punct:yes|asian:no|version:cudaseq-", run.Out);
        run = Tool.Run(
            "score", "--system", system, "--reference", reference, "--metric", "ter", "--ter-normalized", "--ter-no-punct", "--ter-asian-support", "--ter-case-sensitive");
        Assert.StartsWith("TER 22.2222  (2 edits / 9 words)\nsignature nrefs:1|case:mixed|tok:tercom|norm:yes|punct:no|asian:yes|version:cudaseq-", run.Out);
    }

    [Fact]
    public void RougeIsThreeScoresOrFour()
    {
        var (system, reference) = Files();
        string[] lines = Tool.Run("score", "--system", system, "--reference", reference, "--metric", "rouge", "--stem").Out.Split('\n');
        Assert.Equal(
            [
                "ROUGE-1  83.3333  (precision 87.5000, recall 80.0000)",
                "ROUGE-2  78.5714  (precision 83.3333, recall 75.0000)",
                "ROUGE-L  83.3333  (precision 87.5000, recall 80.0000)",
                "",
                "signatures",
            ],
            lines[..5]);
        Assert.StartsWith("ROUGE-1  nrefs:1|case:lc|tok:rouge|stem:porter|version:cudaseq-", lines[5]);
        var separated = Tool.Run("score", "--system", system, "--reference", reference, "--metric", "rouge", "--sentence-separator", "rides");
        Assert.Contains("\nROUGE-Lsum  ", separated.Out);
        Assert.Contains("\nROUGE-Lsum  nrefs:1|case:lc|tok:rouge|stem:no|version:cudaseq-", separated.Out);
    }

    [Fact]
    public void GleuAsksForTheSource()
    {
        var (system, reference) = Files();
        string other = _folder.File("other.txt", "The man rides bikes.\nTwo dogs run away.\n");
        string source = _folder.File("source.txt", "A man ride bikes .\nTwo dogs run quick away .\n");
        var run = Tool.Run("score", "--system", system, "--reference", reference, other, "--metric", "gleu", "--source", source);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Matches(@"^GLEU \d+\.\d{4}  \(standard deviation of the draws 0\.\d{4}\)\nsignature nrefs:2\|case:mixed\|tok:none\|iter:500\|version:cudaseq-", run.Out);
        string shorter = _folder.File("shorter.txt", "A\n");
        Assert.Equal(
            $"cudaseq: {system} and {shorter}: must have as many lines as each other, got 2 and 1; line 2 of {system} is the first without a partner.\n",
            Tool.Run("score", "--system", system, "--reference", reference, "--metric", "gleu", "--source", shorter).Error);
    }

    [Fact]
    public void M2NeedsNoReferences()
    {
        string system = _folder.File("system.txt", "A cat sat on the mat .\nThe dog .\n");
        string gold = _folder.File(
            "gold.m2", "S The cat sat at mat .\nA 3 4|||Prep|||on|||REQUIRED|||-NONE-|||0\nA 4 4|||Art|||the|||REQUIRED|||-NONE-|||0\nA 7 8|||x|||y|||REQUIRED|||-NONE-|||0\n\nS The dog .\n");
        var run = Tool.Run("score", "--system", system, "--m2", gold, "--metric", "m2");
        Assert.StartsWith(
            "F0.5 71.4286  (precision 66.6667, recall 100.0000: 2 right of 3, 2 wanted)\nsignature nrefs:1|case:mixed|tok:none|edits:m2|unchanged:2|version:cudaseq-", run.Out);
        Assert.Equal($"warning: 1 edits of {gold} reach beyond the end of their sentences and are left out, as m2scorer does.\n", run.Error);
        Assert.Equal("1\t71.4286\n2\t100.0000\n", Tool.Run("score", "--system", system, "--m2", gold, "--metric", "m2", "--sentence").Out);
        string one = _folder.File("one.txt", "a\n");
        Assert.EndsWith(
            $"cudaseq: {one} and {gold}: must have a line for each annotated sentence, got 1 lines and 2 sentences.\n",
            Tool.Run("score", "--system", one, "--m2", gold, "--metric", "m2").Error);
    }

    [Fact]
    public void SentencesHaveEveryMetricInItsPlace()
    {
        var (system, reference) = Files();
        string gold = _folder.File("gold.m2", "S A man rides bikes .\n\nS Two dogs run quickly away .\n");
        var run = Tool.Run(
            "score", "--system", system, "--reference", reference, "--source", system, "--m2", gold, "--metric", "gleu,rouge,m2,ter,bleu", "--sentence", "--json");
        using var second = JsonDocument.Parse(run.Out.Split('\n')[1]);
        Assert.Equal(
            ["GLEU", "ROUGE-1", "ROUGE-2", "ROUGE-L", "F0.5", "TER", "BLEU"],
            second.RootElement.GetProperty("scores").EnumerateArray().Select(score => score.GetProperty("name").GetString()!));
    }

    [Fact]
    public void JsonHasWhatEachScoreWasComputedFrom()
    {
        var (system, reference) = Files();
        string gold = _folder.File("gold.m2", "S A man rides bikes.\n\nS Two dogs run away.\n");
        var run = Tool.Run("score", "--system", system, "--reference", reference, "--source", system, "--m2", gold, "--metric", "ter,rouge,gleu,m2", "--json");
        using var scores = JsonDocument.Parse(run.Out);
        Assert.Equal("name score signature num_edits ref_length nrefs case tok norm punct asian version", Keys(scores.RootElement[0]));
        Assert.Equal("name score signature precision recall nrefs case tok stem version", Keys(scores.RootElement[1]));
        Assert.Equal("name score signature deviation interval nrefs case tok iter version", Keys(scores.RootElement[4]));
        Assert.Equal("name score signature precision recall correct proposed gold nrefs case tok edits unchanged version", Keys(scores.RootElement[5]));
        Assert.Equal(2, scores.RootElement[0].GetProperty("num_edits").GetInt64());
    }

    [Fact]
    public void SeveralSystemsStandInATable()
    {
        var (system, reference) = Files();
        var run = Tool.Run("score", "--system", reference, system, "--reference", reference, "--metric", "bleu,ter");
        string[] lines = run.Out.Split('\n');
        Assert.Matches("^system +BLEU +TER$", lines[0]);
        Assert.Equal($"{reference}  100.0000   0.0000", lines[2]);
        Assert.StartsWith($"{system}  ", lines[3]);
        Assert.EndsWith("  22.2222", lines[3]);
        Assert.Equal(["", "signatures"], lines[4..6]);
        using var json = JsonDocument.Parse(Tool.Run("score", "--system", reference, system, "--reference", reference, "--metric", "bleu,ter", "--json").Out);
        Assert.Equal([reference, system], json.RootElement.EnumerateArray().Select(s => s.GetProperty("system").GetString()!));
        Assert.Equal(22.222222, json.RootElement[1].GetProperty("scores")[1].GetProperty("score").GetDouble());
        Assert.Equal(
            "cudaseq score: --sentence must have one file in --system, got 2.\n",
            Tool.Run("score", "--system", reference, system, "--reference", reference, "--sentence").Error);
    }

    [Theory]
    [InlineData("bs", "nrefs:1|bs:20|seed:7|case:")]
    [InlineData("ar", "nrefs:1|bs:1000|ar:20|seed:7|case:")]
    public void PairedTestsCompareWithTheFirstSystem(string test, string signature)
    {
        var (system, reference) = Files();
        string[] arguments = ["score", "--system", system, reference, system, "--reference", reference, "--metric", "chrf,ter", "--paired", test, "--paired-n", "20", "--seed", "7"];
        var run = Tool.Run(arguments);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        string[] lines = run.Out.Split('\n');
        Assert.Matches(@"^system +chrF2 +mean +95 % +p$", lines[0]);
        Assert.Matches(@"  \d+\.\d{4} +\d+\.\d{4} +± \d+\.\d{4}  baseline$", lines[2]);
        Assert.Matches(@"  100\.0000 +100\.0000 +± 0\.0000 +[01]\.\d{4}$", lines[3]);
        Assert.Matches(@" 0\.0476$", lines[4]);
        Assert.Contains($"\nchrF2  {signature}mixed|", run.Out);
        Assert.Contains($"\nTER    {signature}lc|", run.Out);

        using var json = JsonDocument.Parse(Tool.Run([.. arguments, "--json"]).Out);
        var score = json.RootElement[2].GetProperty("scores")[1];
        Assert.StartsWith("name score signature mean ci p_value nrefs bs ", Keys(score));
        Assert.Equal(1 / 21.0, score.GetProperty("p_value").GetDouble());
        Assert.Equal(JsonValueKind.Null, json.RootElement[0].GetProperty("scores")[1].GetProperty("p_value").ValueKind);
    }

    private static string Keys(JsonElement element) => string.Join(' ', element.EnumerateObject().Select(p => p.Name));

    private (string System, string Reference) Files() => (
        _folder.File("system.txt", "A man rides bikes.\nTwo dogs run away.\n"),
        _folder.File("reference.txt", "A man rides a bicycle.\nTwo dogs run away.\n"));
}
