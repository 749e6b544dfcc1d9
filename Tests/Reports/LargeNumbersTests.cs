using System.Text.Json.Nodes;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>A run that goes wrong has losses whose perplexity no double holds: its log, its pages and its lines stay readable.</summary>
public sealed class LargeNumbersTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(18.424, "f2", "18.42")]
    [InlineData(9_999_999, "f1", "9999999.0")]
    [InlineData(1.2345e153, "f2", "1.23e+153")]
    [InlineData(-3e9, "f4", "-3.00e+9")]
    [InlineData(123_456_789, "N0", "123,456,789")]
    [InlineData(double.PositiveInfinity, "f2", "infinite")]
    public void NumbersStayShort(double value, string format, string text) => Assert.Equal(text, ReadableNumber.Of(value, format));

    [Fact]
    public void ALogHoldsWhatIsNotFinite()
    {
        string path = _folder.PathOf("log.jsonl");
        using (var log = TrainingLog.Create(path))
        {
            log.Write("run", 0, 0, ("parameters", 5));
            log.Write("update", 1, 1, ("epoch", 1), ("tokens", 10), ("loss", 750.25), ("ppl", Math.Exp(750.25)));
            log.Write("validation", 1, 1, ("epoch", 1), ("loss", 350.0), ("ppl", Math.Exp(350)), ("best", true));
        }

        var events = TrainingLog.Read(path).ToArray();
        Assert.True(events[1].ContainsKey("ppl"));
        Assert.Null(events[1]["ppl"]);
        Assert.Equal(750.25, (double)events[1]["loss"]!);
        var run = RunLog.ReadFile(path);
        string page = HtmlReport.Write("large", [(run, null)]);
        Assert.Contains("1.01e+152", page);
        Assert.DoesNotContain("000000000000", page);
    }

    [Fact]
    public void ATestWhosePerplexityNoDoubleHoldsIsShownAsInfinite()
    {
        string path = _folder.PathOf("log.jsonl");
        using (var log = TrainingLog.Create(path))
        {
            log.Write("run", 0, 0, ("parameters", 5), ("train_blocks", 1));
            log.Write("update", 1, 1, ("epoch", 1), ("tokens", 10), ("loss", 750.25), ("ppl", double.PositiveInfinity));
            log.Write("test", 1, 1, ("source", "t.txt"), ("loss", 750.25), ("ppl", double.PositiveInfinity), ("tokens", 10));
        }

        string page = HtmlReport.Write("large", [(RunLog.ReadFile(path), null)]);
        Assert.Contains("<td>infinite</td>", page);
        Assert.Contains("test perplexity <strong>infinite</strong>", page);
    }

    // At that rate losses come that are finite, and whose perplexity is not.
    [Fact]
    public void TrainingGoesOnBeyondThePerplexityOfADouble()
    {
        string run = _folder.PathOf("run");
        TinyTraining.Train(Architecture.LightConv, new RunDirectory(run), TinyTraining.Options(6) with { Schedule = new CudaSeq.Tensors.FixedSchedule(300), ClipNorm = 0, ValidateEvery = 3, ValidationDecoding = null });
        JsonObject[] updates = [.. TinyTraining.Events(new RunDirectory(run), "update")];
        Assert.Contains(updates, e => (double)e["loss"]! > 710 && e["ppl"] is null);
        Assert.Equal(2, TinyTraining.Events(new RunDirectory(run), "validation").Count());
    }
}
