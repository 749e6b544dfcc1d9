using System.Globalization;
using System.Text;
using CudaSeq.Models;

namespace CudaSeq.Benchmarks;

/// <summary>
/// How fast each case is over how much it computes with a byte, below the two roofs of the machine: the bytes that memory gives, and the multiply-adds of the registers. Both axes are logarithmic.
/// Cases are dots with the number of their group, where there is room for it. S. Williams, A. Waterman and D. Patterson, "Roofline: an insightful visual performance model", CACM 2009.
/// </summary>
/// <param name="Title">What it shows.</param>
/// <param name="Peak">GFLOP/s of multiply-adds.</param>
/// <param name="Bandwidth">GB/s of memory.</param>
/// <param name="Groups">For each its name and its cases: operations for each byte, and GFLOP/s; both above 0.</param>
internal sealed record Roofline(string Title, double Peak, double Bandwidth, IReadOnlyList<(string Name, IReadOnlyList<(double Intensity, double Rate)> Points)> Groups) : Figure(Title)
{
    private const int Width = 340;
    private const int Height = 260;
    private const int Left = 46;
    private const int Right = 18;
    private const int Top = 12;
    private const int Bottom = 34;

    // Of a number beside its dot.
    private const int LabelWidth = 13;
    private const int LabelHeight = 10;

    /// <inheritdoc/>
    public override string ToHtml()
    {
        (double Intensity, double Rate)[] all = [.. Groups.SelectMany(g => g.Points)];
        var across = Decades.Of([.. all.Select(p => p.Intensity), Peak / Bandwidth]);
        var up = Decades.Of([.. all.Select(p => p.Rate), Peak]);
        var html = new StringBuilder();
        html.Append($"<figure>\n<figcaption>{HtmlText.Of(Title)}</figcaption>\n");
        html.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{HtmlText.Of(Spoken())}\">\n");
        foreach (double tick in up.Ticks)
            html.Append(CultureInfo.InvariantCulture, $"<path class=\"grid\" d=\"M{Left} {Y(tick):0.#}H{Width - Right}\"/><text x=\"{Left - 5}\" y=\"{Y(tick) + 3.5:0.#}\" text-anchor=\"end\">{Number(tick)}</text>\n");
        foreach (double tick in across.Ticks)
            html.Append(CultureInfo.InvariantCulture, $"<path class=\"grid\" d=\"M{X(tick):0.#} {Height - Bottom}v4\"/><text x=\"{X(tick):0.#}\" y=\"{Height - Bottom + 15}\" text-anchor=\"middle\">{Number(tick)}</text>\n");
        html.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left}\" y=\"{Top - 3}\">GFLOP/s</text><text x=\"{Width - Right}\" y=\"{Height - 4}\" text-anchor=\"end\">operations for each byte</text>\n");

        // Memory's roof rises as the bytes are used more often; it begins where it enters the picture.
        double begin = Math.Max(across.Low, up.Low / Bandwidth);
        html.Append(CultureInfo.InvariantCulture, $"<path class=\"roof\" d=\"M{X(begin):0.#} {Y(begin * Bandwidth):0.#}L{X(Peak / Bandwidth):0.#} {Y(Peak):0.#}H{Width - Right}\"/>\n");
        var labels = new List<(double X, double Y)>();
        for (int g = 0; g < Groups.Count; g++)
        {
            foreach (var (intensity, rate) in Groups[g].Points)
            {
                double x = X(intensity), y = Y(rate);
                html.Append(CultureInfo.InvariantCulture, $"<circle class=\"dot\" cx=\"{x:0.#}\" cy=\"{y:0.#}\" r=\"2\"/>");
                if (labels.Any(l => Math.Abs(l.X - x) < LabelWidth && Math.Abs(l.Y - y) < LabelHeight))
                    continue;
                labels.Add((x, y));
                html.Append(CultureInfo.InvariantCulture, $"<text class=\"number\" x=\"{x + 3:0.#}\" y=\"{y - 2:0.#}\">{g + 1}</text>");
            }

            html.Append('\n');
        }

        html.Append("</svg>\n<ol class=\"legend numbered\">");
        foreach (var (name, _) in Groups)
            html.Append($"<li>{HtmlText.Of(name)}</li>");
        return html.Append("</ol>\n</figure>\n").ToString();

        double X(double value) => Left + ((Width - Left - Right) * across.Fraction(value));

        double Y(double value) => Height - Bottom - ((Height - Top - Bottom) * up.Fraction(value));
    }

    private string Spoken() => $"{Title}: {string.Join("; ", Groups.Select((g, i) => string.Create(CultureInfo.InvariantCulture, $"{i + 1} {g.Name}, at most {g.Points.Max(p => p.Rate):0.#} GFLOP/s")))}";

    private static string Number(double tick) => tick.ToString(tick is >= 1e5 or < 1e-4 ? "0e0" : "0.####", CultureInfo.InvariantCulture);

    /// <summary>A logarithmic axis from a power of ten to 1, 2 or 5 times another, with ticks at powers of ten.</summary>
    private readonly record struct Decades(double Low, double High)
    {
        public IEnumerable<double> Ticks
        {
            get
            {
                for (double tick = Low; tick <= High * 1.001; tick *= 10)
                    yield return tick;
            }
        }

        public static Decades Of(IReadOnlyCollection<double> values)
        {
            double low = Math.Pow(10, Math.Floor(Math.Log10(values.Min()))), most = values.Max(), power = Math.Pow(10, Math.Floor(Math.Log10(most)));
            double high = power * (most / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
            return new Decades(low, Math.Max(high, 10 * low));
        }

        public double Fraction(double value) => Math.Log10(value / Low) / Math.Log10(High / Low);
    }
}
