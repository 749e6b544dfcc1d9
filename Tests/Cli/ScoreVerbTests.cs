using System.Text.Json;

namespace CudaSeq.Tests;

/// <summary>The verb that scores; its numbers were made with sacreBLEU 2.6 (commit f615c728).</summary>
public sealed class ScoreVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void APerfectTranslationScores100()
    {
        string path = _folder.File("a.txt", "The cat sat on the mat.\nA second line, with a comma.\n");
        var run = Tool.Run("score", "--system", path, "--reference", path);
        Assert.Equal(0, run.ExitCode);
        Assert.StartsWith(
            "BLEU 100.0000  100.0/100.0/100.0/100.0  (brevity penalty 1.000, length ratio 1.000: 15 / 15)\nsignature nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:",
            run.Out);
    }

    [Fact]
    public void AByteOrderMarkCountsAsItDoesForSacreBleu()
    {
        string marked = _folder.File("a.txt", "\uFEFFA man rides a bicycle .\n"), plain = _folder.File("b.txt", "A man rides a bicycle .\n");
        Assert.StartsWith("BLEU 75.9836  83.3/80.0/75.0/66.7", Tool.Run("score", "--system", marked, "--reference", plain).Out);
    }

    [Fact]
    public void CompoundsAreSplitWhereThatIsAskedFor()
    {
        string system = _folder.File("a.txt", "ein Vier-Sterne-Hotel ist hoch-modern\n"), reference = _folder.File("b.txt", "ein Drei-Sterne-Hotel ist hoch-modern\n");
        string split = _folder.File("a.split", "ein Vier ##AT##-##AT## Sterne ##AT##-##AT## Hotel ist hoch ##AT##-##AT## modern\n"), wanted = _folder.File("b.split", "ein Drei ##AT##-##AT## Sterne ##AT##-##AT## Hotel ist hoch ##AT##-##AT## modern\n");
        var run = Tool.Run("score", "--system", system, "--reference", reference, "--tokenize", "none", "--split-compounds");
        Assert.Equal(Tool.Run("score", "--system", split, "--reference", wanted, "--tokenize", "none").Out.Split('\n')[0], run.Out.Split('\n')[0]);
        Assert.Contains("|tok:none|smooth:exp|compounds:split|", run.Out);
        using var json = JsonDocument.Parse(Tool.Run("score", "--system", system, "--reference", reference, "--tokenize", "none", "--split-compounds", "--json").Out);
        Assert.Equal("split", json.RootElement.GetProperty("compounds").GetString());
        var refused = Tool.Run("score", "--system", system, "--reference", reference, "--metric", "ter", "--split-compounds");
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("--split-compounds is for bleu, which --metric ter leaves out.", refused.Error);
    }

    [Fact]
    public void SeveralMetricsStandBelowEachOther()
    {
        var (system, first, second) = Files();
        var run = Tool.Run("score", "--system", system, "--reference", first, second, "--metric", "bleu,chrf,chrf++", "--lowercase");
        Assert.Equal("", run.Error);
        string[] lines = run.Out.Split('\n');
        Assert.Equal(
            [
                "BLEU     80.6801  100.0/88.9/85.7/80.0  (brevity penalty 0.913, length ratio 0.917: 11 / 12)",
                "chrF2    88.3705",
                "chrF2++  86.6347",
                "",
                "signatures",
            ],
            lines[..5]);
        Assert.StartsWith("BLEU     nrefs:2|case:lc|eff:no|tok:13a|smooth:exp|version:cudaseq-", lines[5]);
        Assert.StartsWith("chrF2    nrefs:2|case:lc|eff:yes|nc:6|nw:0|space:no|version:cudaseq-", lines[6]);
        Assert.StartsWith("chrF2++  nrefs:2|case:lc|eff:yes|nc:6|nw:2|space:no|version:cudaseq-", lines[7]);
    }

    [Fact]
    public void ReferencesMayBeNamedOneByOne()
    {
        var (system, first, second) = Files();
        var together = Tool.Run("score", "--reference", first, second, "--system", system);
        Assert.Equal(0, together.ExitCode);
        Assert.Equal(together, Tool.Run("score", "--reference", first, "--system", system, "--reference", second));
    }

    [Theory]
    [InlineData("A man rides a bicycle.\r\nTwo dogs run quickly away.\r\n")]
    [InlineData("A man rides a bicycle. \t\u3000\nTwo dogs run quickly away.")]
    public void EndsOfLinesDoNotCount(string reference)
    {
        var (system, first, _) = Files();
        string other = _folder.File("other.txt", reference);
        var run = Tool.Run("score", "--system", system, "--reference", other, "--metric", "bleu,chrf,chrf++");
        Assert.Equal(Tool.Run("score", "--system", system, "--reference", first, "--metric", "bleu,chrf,chrf++"), run);
        Assert.StartsWith("BLEU     67.7470  ", run.Out);
    }

    [Fact]
    public void OptionsOfBleuArriveInItsSignature()
    {
        var (system, first, _) = Files();
        var run = Tool.Run("score", "--system", system, "--reference", first, "--tokenize", "char", "--smooth", "add-k", "--smooth-value", "0.5", "--metric", "bleu");
        Assert.Contains("\nsignature nrefs:1|case:mixed|eff:no|tok:char|smooth:add-k[0.50]|version:cudaseq-", run.Out);
    }

    [Fact]
    public void SentencesAreScoredLineByLine()
    {
        var (system, first, _) = Files();
        var run = Tool.Run("score", "--system", system, "--reference", first, "--sentence", "--metric", "bleu,chrf");
        Assert.Equal("1\t34.9833\t47.7186\n2\t100.0000\t100.0000\n", run.Out);
        Assert.Matches(@"^BLEU nrefs:1\|case:mixed\|eff:yes\|tok:13a\|smooth:exp\|version:\S+\nchrF2 nrefs:1\|case:mixed\|eff:yes\|nc:6\|nw:0\|space:no\|version:\S+\n$", run.Error);
    }

    [Fact]
    public void JsonHasSacreBleusKeysAndTheCounts()
    {
        var (system, first, _) = Files();
        using var bleu = JsonDocument.Parse(Tool.Run("score", "--system", system, "--reference", first, "--json").Out);
        var root = bleu.RootElement;
        Assert.Equal(
            "name score signature verbose_score counts totals precisions bp ratio sys_len ref_len nrefs case eff tok smooth version",
            string.Join(' ', root.EnumerateObject().Select(p => p.Name)));
        Assert.Equal("BLEU", root.GetProperty("name").GetString());
        Assert.Equal(67.747020, root.GetProperty("score").GetDouble());
        Assert.Equal("90.9/77.8/71.4/60.0 (BP = 0.913 ratio = 0.917 hyp_len = 11 ref_len = 12)", root.GetProperty("verbose_score").GetString());
        Assert.Equal([10, 7, 5, 3], root.GetProperty("counts").EnumerateArray().Select(e => e.GetInt64()));
        Assert.Equal("13a", root.GetProperty("tok").GetString());

        using var both = JsonDocument.Parse(Tool.Run("score", "--system", system, "--reference", first, "--json", "--metric", "chrf++,bleu").Out);
        Assert.Equal(["chrF2++", "BLEU"], both.RootElement.EnumerateArray().Select(m => m.GetProperty("name").GetString()!));
        Assert.Equal(
            "name score signature counts sys_totals ref_totals nrefs case eff nc nw space version",
            string.Join(' ', both.RootElement[0].EnumerateObject().Select(p => p.Name)));
    }

    [Fact]
    public void JsonOfSentencesIsALineEach()
    {
        var (system, first, _) = Files();
        string[] lines = Tool.Run("score", "--system", system, "--reference", first, "--json", "--sentence", "--metric", "chrf").Out.Split('\n');
        Assert.Equal(3, lines.Length);
        using var second = JsonDocument.Parse(lines[1]);
        Assert.Equal(2, second.RootElement.GetProperty("line").GetInt32());
        Assert.Equal(100, second.RootElement.GetProperty("scores")[0].GetProperty("score").GetDouble());
    }

    [Fact]
    public void TextThatLooksTokenisedIsRemarkedOn()
    {
        string path = _folder.File("a.txt", string.Concat(Enumerable.Repeat("A man rides a bicycle .\n", 100)));
        string remark = $"warning: 100 lines of {path} end in a blank and a full stop and look tokenised; BLEU can be compared with others' only on text that is not.\n";
        Assert.Equal(remark, Tool.Run("score", "--system", path, "--reference", path).Error);
        Assert.Equal("", Tool.Run("score", "--system", path, "--reference", path, "--tokenize", "none").Error);
        Assert.Equal("", Tool.Run("score", "--system", path, "--reference", path, "--metric", "chrf").Error);
    }

    [Fact]
    public void UnequalFilesAreRefusedWithBothCounts()
    {
        string a = _folder.File("a.txt", "one\ntwo\nthree\n"), b = _folder.File("b.txt", "one\n");
        var run = Tool.Run("score", "--system", a, "--reference", b);
        Assert.Equal(1, run.ExitCode);
        Assert.Equal($"cudaseq: {a} and {b}: must have as many lines as each other, got 3 and 1; line 2 of {a} is the first without a partner.\n", run.Error);
        run = Tool.Run("score", "--system", b, "--reference", b, a);
        Assert.Equal($"cudaseq: {b} and {a}: must have as many lines as each other, got 1 and 3; line 2 of {a} is the first without a partner.\n", run.Error);
    }

    [Fact]
    public void NothingToScoreIsAFailure()
    {
        string a = _folder.File("a.txt", "");
        var run = Tool.Run("score", "--system", a, "--reference", a);
        Assert.Equal(1, run.ExitCode);
        Assert.Equal($"cudaseq: {a}: must have at least one line to score, got none.\n", run.Error);
    }

    [Theory]
    [InlineData("--metric must be one or more of bleu, chrf, chrf++, ter, rouge, gleu and m2 with commas between, got wer.", "--metric", "wer")]
    [InlineData("--metric must be one or more of bleu, chrf, chrf++, ter, rouge, gleu and m2 with commas between, got bleu, chrf.", "--metric", "bleu, chrf")]
    [InlineData("--metric must name each metric once, got bleu,bleu.", "--metric", "bleu,bleu")]
    [InlineData("--tokenize must be 13a, intl, char or none, got zh.", "--tokenize", "zh")]
    [InlineData("--smooth must be exp, floor, add-k or none, got max.", "--smooth", "max")]
    [InlineData("--smooth-value is for --smooth floor and add-k, got 1 for exp.", "--smooth-value", "1")]
    [InlineData("--smooth-value must be a number of at least 0, got 1,5.", "--smooth", "floor", "--smooth-value", "1,5")]
    [InlineData("--smooth-value must be a number of at least 0, got NaN.", "--smooth", "floor", "--smooth-value", "NaN")]
    [InlineData("--tokenize is for bleu, which --metric chrf,chrf++ leaves out.", "--metric", "chrf,chrf++", "--tokenize", "char")]
    [InlineData("--smooth is for bleu, which --metric chrf leaves out.", "--metric", "chrf", "--smooth", "exp")]
    [InlineData("--lowercase is for bleu, chrf, chrf++ and gleu, which --metric ter,rouge leaves out.", "--metric", "ter,rouge", "--lowercase")]
    [InlineData("--ter-no-punct is for ter, which --metric bleu leaves out.", "--metric", "bleu", "--ter-no-punct")]
    [InlineData("--stem is for rouge, which --metric bleu,ter leaves out.", "--metric", "bleu,ter", "--stem")]
    [InlineData("--sentence-separator is for rouge, which --metric bleu leaves out.", "--metric", "bleu", "--sentence-separator", "<n>")]
    [InlineData("--source FILE must be given for gleu.", "--metric", "gleu")]
    [InlineData("--m2 FILE must be given for m2.", "--metric", "m2")]
    [InlineData("--source is for gleu, which --metric bleu leaves out.", "--metric", "bleu", "--source", "no-such")]
    [InlineData("--m2 is for m2, which --metric ter leaves out.", "--metric", "ter", "--m2", "no-such")]
    [InlineData("--reference is for bleu, chrf, chrf++, ter, rouge and gleu, which --metric m2 leaves out.", "--metric", "m2", "--m2", "no-such")]
    [InlineData("--paired must be bs or ar, got no.", "--paired", "no")]
    [InlineData("--paired must have two files or more in --system, got 1.", "--paired", "bs")]
    [InlineData("--paired-n is for --paired, which is not given.", "--paired-n", "7")]
    [InlineData("--seed is for --paired, which is not given.", "--seed", "7")]
    [InlineData("--paired-n must be a whole number of at least 1, got 0.", "--paired-n", "0")]
    public void WhatIsNoChoiceIsNotUnderstood(string message, params string[] options)
    {
        var (system, first, _) = Files();
        var run = Tool.Run(["score", "--system", system, "--reference", first, .. options]);
        Assert.Equal((2, "", $"cudaseq score: {message}\n"), (run.ExitCode, run.Out, run.Error));
    }

    private (string System, string First, string Second) Files() => (
        _folder.File("system.txt", "A man rides bikes.\nTwo dogs run quickly away.\n"),
        _folder.File("first.txt", "A man rides a bicycle.\nTwo dogs run quickly away.\n"),
        _folder.File("second.txt", "a man RIDES bikes, too.\nTwo dogs ran.\n"));
}
