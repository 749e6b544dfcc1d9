namespace CudaSeq.Tests;

public sealed class ScoreVerbTests
{
    [Fact]
    public void APerfectTranslationScores100()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("a.txt", "The cat sat on the mat.\nA second line, with a comma.\n");
        var run = Tool.Run("score", "--system", path, "--reference", path);
        Assert.Equal(0, run.ExitCode);
        Assert.StartsWith(
            "BLEU 100.0000  100.0/100.0/100.0/100.0  (brevity penalty 1.000, length ratio 1.000: 15 / 15)\nsignature nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:",
            run.Out);
    }

    [Fact]
    public void AByteOrderMarkCountsAsItDoesForSacreBleu()
    {
        using var folder = new TemporaryFolder();
        string marked = folder.File("a.txt", "\uFEFFA man rides a bicycle .\n"), plain = folder.File("b.txt", "A man rides a bicycle .\n");
        Assert.StartsWith("BLEU 75.9836  83.3/80.0/75.0/66.7", Tool.Run("score", "--system", marked, "--reference", plain).Out);
    }

    [Fact]
    public void UnequalFilesAreRefusedWithBothCounts()
    {
        using var folder = new TemporaryFolder();
        string a = folder.File("a.txt", "one\ntwo\nthree\n"), b = folder.File("b.txt", "one\n");
        var run = Tool.Run("score", "--system", a, "--reference", b);
        Assert.Equal(1, run.ExitCode);
        Assert.Equal($"cudaseq: {a} and {b}: must have as many lines as each other, got 3 and 1; line 2 of {a} is the first without a partner.\n", run.Error);
    }

    [Fact]
    public void NothingToScoreIsAFailure()
    {
        using var folder = new TemporaryFolder();
        string a = folder.File("a.txt", "");
        var run = Tool.Run("score", "--system", a, "--reference", a);
        Assert.Equal(1, run.ExitCode);
        Assert.Equal($"cudaseq: {a}: must have at least one line to score, got none.\n", run.Error);
    }
}
