using CudaSeq.Cli;
using CudaSeq.Models;

namespace CudaSeq.Tests;

public sealed class TrainingDisplayTests
{
    private static readonly TrainingProgress At1200 = new()
    {
        Update = 1200,
        MaxUpdates = 8000,
        Epoch = 3,
        Loss = 3.4561,
        Perplexity = 18.421,
        LearningRate = 4.2e-4,
        GradientNorm = 0.834,
        TokensPerSecond = 5432.1,
        Tokens = 1_000_000,
        Elapsed = TimeSpan.FromSeconds(221),
        Remaining = TimeSpan.FromSeconds(754),
    };

    [Fact]
    public void ElsewhereThanOnAScreenLinesArePlainAndRare()
    {
        string text = Shown(live: false, 80, display =>
        {
            display.Report(At1200);
            display.Report(At1200 with { Update = 1210, Elapsed = TimeSpan.FromSeconds(222) });
            display.Report(At1200 with { Update = 1300, Elapsed = TimeSpan.FromSeconds(231), Remaining = null });
            display.Finish();
        });
        Assert.Equal(
            """
            update 1,200/8,000  epoch 3  loss 3.456  ppl 18.42  lr 4.20e-4  norm 0.83  5,432 tokens/s  left 12:34
            update 1,300/8,000  epoch 3  loss 3.456  ppl 18.42  lr 4.20e-4  norm 0.83  5,432 tokens/s

            """.ReplaceLineEndings("\n"),
            text);
    }

    [Fact]
    public void OnAScreenOneLineIsRewrittenAndValidationStays()
    {
        var scores = new ValidationScores(2.5, Math.Log(8), 31.234, "sig", IsBest: true);
        string text = Shown(live: true, 132, display =>
        {
            display.Report(At1200);
            display.Report(At1200 with { Update = 1201 });
            display.Report(At1200 with { Update = 1201, Validation = scores });
            display.Finish();
        });
        Assert.Equal(
            "\r\e[Kupdate 1,200/8,000  epoch 3  loss 3.456  ppl 18.42  lr 4.20e-4  norm 0.83  5,432 tokens/s  left 12:34"
            + "\r\e[Kupdate 1,201/8,000  epoch 3  loss 3.456  ppl 18.42  lr 4.20e-4  norm 0.83  5,432 tokens/s  left 12:34\n"
            + "valid  update 1,201  epoch 3  loss 2.500  ppl 8.00  BLEU 31.23  after 3:41  best so far\n",
            text);
    }

    [Theory]
    [InlineData(90, "update 1200/8000  loss 3.456  ppl 18.42  lr 4.2e-4  norm 0.83  5432 tokens/s  left 12:34")]
    [InlineData(80, "update 1200/8000  loss 3.456  ppl 18.42  lr 4.2e-4  5432 tokens/s  left 12:34")]
    [InlineData(70, "1200/8000 loss 3.46 ppl 18.4 lr 4.2e-4 norm 0.8 5432 tok/s 12:34")]
    [InlineData(40, "1200/8000 loss 3.46 ppl 18.4 lr 4.2e-4")]
    public void ANarrowScreenGetsAShortLine(int width, string line)
        => Assert.Equal($"\r\e[K{line}", Shown(live: true, width, d => d.Report(At1200)).TrimEnd());

    private static string Shown(bool live, int width, Action<TrainingDisplay> show)
    {
        var output = new StringWriter { NewLine = "\n" };
        using var terminal = new Terminal(Stream.Null, output, TextWriter.Null, live, () => width);
        show(new TrainingDisplay(terminal));
        return output.ToString();
    }
}
