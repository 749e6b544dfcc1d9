using System.Globalization;
using System.Net;
using System.Text;

namespace CudaSeq.Models;

/// <summary>
/// Curves as one SVG without a script. Series differ by the pattern of their lines and the form of their marks first and by colour last, so that the chart is read in print
/// and by whoever does not see colours. Letters have a readable size on a screen as narrow as a phone's.
/// </summary>
/// <param name="title">What goes up.</param>
/// <param name="xTitle">What goes to the right.</param>
/// <param name="series">Those without points are left out.</param>
/// <param name="logarithmicUp">Whether upwards is a logarithmic axis; points that are not above 0 there are left out.</param>
/// <param name="logarithmicAcross">The same of the axis to the right.</param>
internal sealed class Chart(string title, string xTitle, IReadOnlyList<Series> series, bool logarithmicUp = false, bool logarithmicAcross = false)
{
    // In the units of the picture, which is as wide as a small phone has pixels.
    private const int Width = 340;
    private const int Height = 210;
    private const int Left = 50;
    private const int Right = 16;
    private const int Top = 10;
    private const int Bottom = 34;
    private const int XTicks = 5;
    private const int YTicks = 5;
    private const int Marks = 6;
    private const int MostCounted = 12;

    private readonly Series[] _series =
        [.. series.Select(s => s with { Points = [.. s.Points.Where(p => (p.Y > 0 || !logarithmicUp) && (p.X > 0 || !logarithmicAcross))] }).Where(s => s.Points.Count > 0)];

    /// <summary>The chart with its heading and legend as HTML; empty where no series has a point.</summary>
    public string ToHtml()
    {
        if (_series.Length == 0)
            return "";
        double[] xs = [.. _series.SelectMany(s => s.Points).Select(p => p.X)], ys = [.. _series.SelectMany(s => s.Points).Select(p => p.Y)];
        var across = logarithmicAcross ? Axis.Logarithmic(xs.Min(), xs.Max(), XTicks) : IsCounted(xs) ? new Axis(xs.Min(), xs.Max(), 1) : Axis.Of(xs.Min(), xs.Max(), XTicks, round: false);
        var up = logarithmicUp ? Axis.Logarithmic(ys.Min(), ys.Max(), YTicks) : Axis.Of(ys.Min(), ys.Max(), YTicks, round: true);
        var html = new StringBuilder();
        html.Append($"<figure>\n<figcaption>{WebUtility.HtmlEncode(title)}</figcaption>\n");
        html.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{WebUtility.HtmlEncode(Spoken())}\">\n");
        foreach (double tick in up.Ticks)
        {
            double y = Y(up, tick);
            html.Append(CultureInfo.InvariantCulture, $"<path class=\"grid\" d=\"M{Left} {y:0.#}H{Width - Right}\"/><text x=\"{Left - 5}\" y=\"{y + 3.5:0.#}\" text-anchor=\"end\">{up.Label(tick)}</text>\n");
        }

        foreach (double tick in across.Ticks)
        {
            double x = X(across, tick);
            html.Append(CultureInfo.InvariantCulture, $"<path class=\"grid\" d=\"M{x:0.#} {Height - Bottom}v4\"/><text x=\"{x:0.#}\" y=\"{Height - Bottom + 15}\" text-anchor=\"middle\">{across.Label(tick)}</text>\n");
        }

        html.Append(CultureInfo.InvariantCulture, $"<text x=\"{Width - Right}\" y=\"{Height - 4}\" text-anchor=\"end\">{WebUtility.HtmlEncode(xTitle)}</text>\n");
        for (int i = 0; i < _series.Length; i++)
        {
            var points = _series[i].Points;
            var line = new StringBuilder();
            foreach (var (x, y) in points)
                line.Append(CultureInfo.InvariantCulture, $"{(line.Length == 0 ? 'M' : 'L')}{X(across, x):0.#} {Y(up, y):0.#}");
            html.Append(CultureInfo.InvariantCulture, $"<path class=\"line s{i % Styles}\" d=\"{line}\"/>\n");
            int every = Math.Max(1, (points.Count + Marks - 1) / Marks);
            for (int p = points.Count - 1; p >= 0 && series.Count > 1; p -= every)
                html.Append(Mark(i, X(across, points[p].X), Y(up, points[p].Y)));
            if (points.Count == 1 && series.Count == 1)
                html.Append(Mark(0, X(across, points[0].X), Y(up, points[0].Y)));
        }

        html.Append("</svg>\n");
        if (series.Count > 1)
        {
            html.Append("<ul class=\"legend\">");
            for (int i = 0; i < _series.Length; i++)
                html.Append(CultureInfo.InvariantCulture, $"<li><svg class=\"key\" viewBox=\"0 0 30 10\" aria-hidden=\"true\"><path class=\"line s{i % Styles}\" d=\"M0 5H30\"/>{Mark(i, 15, 5)}</svg> {WebUtility.HtmlEncode(_series[i].Name)}</li>");
            html.Append("</ul>\n");
        }

        return html.Append("</figure>\n").ToString();

        static double X(Axis axis, double value) => Left + ((Width - Left - Right) * axis.Fraction(value));

        static double Y(Axis axis, double value) => Height - Bottom - ((Height - Top - Bottom) * axis.Fraction(value));
    }

    /// <summary>Patterns of lines that the page's style has, <c>s0</c> and on.</summary>
    public const int Styles = 6;

    // Layers and the like: there is no layer 0, and each has its tick.
    private static bool IsCounted(double[] values)
        => values.Min() >= 1 && values.Max() <= MostCounted && values.Max() > values.Min() && values.All(v => v == Math.Floor(v));

    private string Spoken() => $"{title}: {string.Join("; ", _series.Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.Name} ends at {ReadableNumber.Of(s.Points[^1].Y, "0.####")}")))}";

    private static string Mark(int series, double x, double y)
    {
        string d = (series % Styles) switch
        {
            0 => string.Create(CultureInfo.InvariantCulture, $"M{x - 3:0.#} {y:0.#}a3 3 0 1 0 6 0a3 3 0 1 0 -6 0"),
            1 => string.Create(CultureInfo.InvariantCulture, $"M{x - 3:0.#} {y - 3:0.#}h6v6h-6z"),
            2 => string.Create(CultureInfo.InvariantCulture, $"M{x:0.#} {y - 4:0.#}l4 7h-8z"),
            3 => string.Create(CultureInfo.InvariantCulture, $"M{x:0.#} {y - 4:0.#}l4 4l-4 4l-4 -4z"),
            4 => string.Create(CultureInfo.InvariantCulture, $"M{x:0.#} {y + 4:0.#}l4 -7h-8z"),
            _ => string.Create(CultureInfo.InvariantCulture, $"M{x - 1:0.#} {y - 4:0.#}h2v8h-2z"),
        };
        return string.Create(CultureInfo.InvariantCulture, $"<path class=\"mark s{series % Styles}\" d=\"{d}\"/>");
    }

    /// <summary>A range with ticks at round numbers.</summary>
    private sealed record Axis(double Low, double High, double Step)
    {
        // Of a logarithmic axis, whose other numbers are logarithms to base 10.
        private IReadOnlyList<double>? Marked { get; init; }

        /// <summary>A range with ticks at powers of ten, or of a narrow one at 1, 2 and 5 times those.</summary>
        /// <param name="low">The least value, above 0.</param>
        /// <param name="high">The largest.</param>
        /// <param name="ticks">About how many there will be.</param>
        public static Axis Logarithmic(double low, double high, int ticks)
        {
            int from = (int)Math.Floor(Math.Log10(low) + 1e-9), to = (int)Math.Ceiling(Math.Log10(high) - 1e-9), every = Math.Max(1, (to - from + ticks - 1) / ticks);
            double[] marks = to - from > 2
                ? [.. Enumerable.Range(0, ((to - from + every - 1) / every) + 1).Select(i => (double)(from + (i * every)))]
                : [.. Enumerable.Range(from, Math.Max(1, to - from)).SelectMany(d => new[] { d, d + Math.Log10(2), d + Math.Log10(5) }), Math.Max(to, from + 1)];
            int first = Math.Max(0, Array.FindLastIndex(marks, m => m <= Math.Log10(low) + 1e-9)), last = Array.FindIndex(marks, m => m >= Math.Log10(high) - 1e-9);
            marks = marks[first..((last > first ? last : marks.Length - 1) + 1)];
            return new Axis(marks[0], marks[^1], 1) { Marked = marks };
        }

        /// <param name="low">The least value.</param>
        /// <param name="high">The largest.</param>
        /// <param name="ticks">About how many there will be.</param>
        /// <param name="round">Whether the range ends at ticks, or where the values do.</param>
        public static Axis Of(double low, double high, int ticks, bool round)
        {
            if (high - low <= 1e-12 * Math.Max(Math.Abs(low), Math.Abs(high)))
            {
                double room = low == 0 ? 1 : Math.Abs(low) / 2;
                (low, high) = (low - room, high + room);
            }

            double rough = (high - low) / ticks, power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
            double step = power * (rough / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };

            // A range that begins near zero begins at zero.
            double from = low >= 0 && low <= (high - low) / 2 ? 0 : Math.Floor(low / step) * step;
            return new Axis(from, round ? Math.Ceiling(high / step) * step : high, step);
        }

        public IEnumerable<double> Ticks => Marked?.Select(m => Math.Pow(10, m)) ?? Enumerable.Range(0, (int)Math.Floor(((High - Low) / Step) + 1e-6) + 1).Select(i => Low + (i * Step));

        public double Fraction(double value) => ((Marked is null ? value : Math.Log10(value)) - Low) / (High - Low);

        public string Label(double tick)
        {
            if (Marked is not null)
                return tick.ToString(tick is >= 1e5 or < 1e-3 ? "0.#e0" : "0.####", CultureInfo.InvariantCulture);
            double most = Math.Max(Math.Abs(Low), Math.Abs(High));
            if (Math.Abs(tick) < Step / 2)
                return "0";
            if (most is >= 1e4 or < 1e-3)
            {
                return most switch
                {
                    >= 1e9 => string.Create(CultureInfo.InvariantCulture, $"{tick / 1e9:0.###} G"),
                    >= 1e6 => string.Create(CultureInfo.InvariantCulture, $"{tick / 1e6:0.###} M"),
                    >= 1e4 => string.Create(CultureInfo.InvariantCulture, $"{tick / 1e3:0.###} k"),
                    _ => tick.ToString("0.##e0", CultureInfo.InvariantCulture),
                };
            }

            return tick.ToString("0.######", CultureInfo.InvariantCulture);
        }
    }
}
