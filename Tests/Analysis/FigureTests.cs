using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Pictures of pages: every number is there as text, and lies where it belongs.</summary>
public sealed class FigureTests
{
    [Fact]
    public void AHeatMapHasItsNumbersInItsCellsAndShadesByThem()
    {
        var map = new HeatMap("w <1>", "encoder", "decoder", ["a", "b"], ["x", "y", "z"], [[0, 0.5, 1], [0.25, double.NaN, 0.004]]);
        var svg = XElement.Parse(map.ToHtml()).Descendants("svg").Single();
        Assert.Equal("w <1>: encoder by decoder, from 0.00 to 1.00", svg.Attribute("aria-label")!.Value);
        Assert.Equal(["0.00", "0.50", "1.00", "0.25", "0.00"], svg.Descendants("g").Single().Elements("text").Select(t => t.Value));
        Assert.Equal(["decoder", "encoder", "x", "y", "z", "a", "b"], svg.Elements("text").Select(t => t.Value));

        // Cells of the shades 0, 2 or 3, 5 and 10, each in the place of its row and column.
        var cells = svg.Elements("path").SelectMany(p => Corners(p).Select(c => (p.Attribute("class")!.Value, c))).ToArray();
        Assert.Equal(["h0", "h0", "h2", "h5", "h10"], cells.Select(c => c.Value));
        int cell = cells[3].c.X - cells[0].c.X;
        Assert.Equal((cells[0].c.X + (2 * cell), cells[0].c.Y), cells[4].c);
        Assert.Equal((cells[0].c.X, cells[1].c.Y), cells[2].c);
        Assert.True(cells[1].c.Y > cells[0].c.Y, "the second row is below the first");

        var sparse = XElement.Parse((map with { Sparse = true, Format = "%" }).ToHtml()).Descendants("g").Single();
        Assert.Equal(["50", "100", "25"], sparse.Elements("text").Select(t => t.Value));

        // The darkest is the largest whatever its sign, and nothing has no shade.
        var signed = XElement.Parse((map with { Values = [[0, 0.5, -1], [0.25, double.NaN, -0.5]], Signed = true }).ToHtml()).Descendants("svg").Single();
        Assert.Equal([("h0", 1), ("h2", 1), ("h5", 2), ("h10", 1)], signed.Elements("path").Select(p => (p.Attribute("class")!.Value, Corners(p).Length)));

        static (int X, int Y)[] Corners(XElement path)
            => [.. Regex.Matches(path.Attribute("d")!.Value, "M([0-9]+) ([0-9]+)").Select(m => (int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture), int.Parse(m.Groups[2].Value, CultureInfo.InvariantCulture)))];
    }

    [Fact]
    public void BarsBeginAtZeroAndEndAtTheirNumbers()
    {
        var bars = XElement.Parse(new Bars("change", ["Emb", "1"], [("a", (double[])[-3, 1]), ("b", [0, double.NaN])], "0.0").ToHtml());
        var svg = bars.Element("svg")!;
        Assert.Equal("change: Emb -3.0, 0.0; 1 1.0, –", svg.Attribute("aria-label")!.Value);
        var ends = svg.Elements("path").Where(p => p.Attribute("class")!.Value.StartsWith("bar", StringComparison.Ordinal)).Select(p => Regex.Match(p.Attribute("d")!.Value, "^M([0-9.]+) [0-9.]+H([0-9.]+)")).Select(m => (From: Number(m, 1), To: Number(m, 2))).ToArray();
        Assert.Single(ends.Select(e => e.From).Distinct());
        double unit = ends[2].To - ends[2].From;
        Assert.True(unit > 10, "to the right");
        Assert.Equal(-3 * unit, ends[0].To - ends[0].From, 0.4);
        Assert.All(ends[1..2].Concat(ends[3..]), e => Assert.Equal(e.From, e.To));
        Assert.Equal(["a", "b"], bars.Descendants("li").Select(l => l.Value.Trim()));
        Assert.Equal(["-3.0", "0.0", "1.0", "–"], svg.Elements("text").Where(t => t.Attribute("class")!.Value == "number").Select(t => t.Value));
        Assert.DoesNotContain("NaN", new Bars("nothing", [], Array.Empty<double>()).ToHtml());
    }

    [Theory]
    [InlineData(1, 1000, "1|10|100|1000")]
    [InlineData(0.3, 1, "0.2|0.5|1")]
    [InlineData(1e-5, 1, "1e-5|1e-4|0.001|0.01|0.1|1")]
    [InlineData(1, 1, "1|2|5|10")]
    [InlineData(1e-9, 1, "1e-9|1e-7|1e-5|0.001|0.1|10")]
    public void ALogarithmicAxisHasRoundTicksAndEvenSteps(double low, double high, string ticks)
    {
        string html = new Curves("value", "n", [new Series("a", [(0, low), (1, Math.Sqrt(low * high)), (2, high), (3, 0), (4, -1)])], Logarithmic: true).ToHtml();
        var svg = XElement.Parse(html).Element("svg")!;
        Assert.Equal(ticks.Split('|'), svg.Elements("text").Where(t => t.Attribute("text-anchor")!.Value == "end").Select(t => t.Value).SkipLast(1));
        var points = Regex.Matches(svg.Elements("path").Single(p => p.Attribute("class")!.Value == "line s0").Attribute("d")!.Value, "[ML][0-9.]+ ([0-9.]+)").Select(m => Number(m, 1)).ToArray();
        Assert.Equal(3, points.Length);
        Assert.Equal((points[0] + points[2]) / 2, points[1], 0.11);
        Assert.All(points, p => Assert.InRange(p, 9.9, 176.1));
    }

    [Fact]
    public void APowerIsAStraightLineWhereBothAxesAreLogarithmic()
    {
        double[] xs = [0, 16, 64, 256, 1024, 4096];
        string html = new Curves("milliseconds", "length", [new Series("a", [.. xs.Select(x => (x, x * x))])], Logarithmic: true, LogarithmicAcross: true).ToHtml();
        var svg = XElement.Parse(html).Element("svg")!;
        Assert.Equal(["10", "100", "1000", "10000"], svg.Elements("text").Where(t => t.Attribute("text-anchor")!.Value == "middle").Select(t => t.Value));
        var points = Regex.Matches(svg.Elements("path").Single(p => p.Attribute("class")!.Value == "line s0").Attribute("d")!.Value, "[ML]([0-9.]+) ([0-9.]+)").Select(m => (X: Number(m, 1), Y: Number(m, 2))).ToArray();
        Assert.Equal(5, points.Length);
        for (int i = 1; i < 4; i++)
        {
            Assert.Equal((points[i - 1].X + points[i + 1].X) / 2, points[i].X, 0.11);
            Assert.Equal((points[i - 1].Y + points[i + 1].Y) / 2, points[i].Y, 0.11);
        }
    }

    [Fact]
    public void TokensAndTablesHaveWhatTheyWereGiven()
    {
        var sentence = XElement.Parse(new AnnotatedSentence("depth", ["a<b", "日本\u0001"], [1, double.NaN], 0, 2).ToHtml());
        Assert.Equal(["token b5", "token b0"], sentence.Descendants("span").Select(s => s.Attribute("class")!.Value));
        Assert.Equal(["a<b1", "日本\ufffd–"], sentence.Descendants("span").Select(s => s.Value));
        var table = XElement.Parse(new Table("t", ["n", "v"], [["1", "x & y"]]).ToHtml());
        Assert.Equal(["n", "v", "1", "x & y"], table.Descendants().Where(e => e.Name.LocalName is "th" or "td").Select(e => e.Value));
        Assert.Equal(("abc", "ab…", 4), (HtmlText.Short("abc", 3), HtmlText.Short("abcd", 3), HtmlText.Width("日本")));
    }

    private static double Number(Match match, int group) => double.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);
}
