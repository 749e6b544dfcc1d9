using System.Globalization;
using System.Text;

namespace CudaSeq.Models;

/// <summary>Bars from a common zero, each with its number at its end. Several series differ by the form of their bars: filled, empty, of half the height.</summary>
/// <param name="Title">What the numbers are.</param>
/// <param name="Labels">Names from the top.</param>
/// <param name="Series">For each its name and a number for each label; what is not finite is a dash.</param>
/// <param name="Format">How numbers are written, see <see cref="Figure.Shown"/>.</param>
internal sealed record Bars(string Title, IReadOnlyList<string> Labels, IReadOnlyList<(string Name, IReadOnlyList<double> Values)> Series, string Format = "0.##") : Figure(Title)
{
    /// <summary>The most series that a figure has.</summary>
    public const int MostSeries = 3;

    private const int Width = 340;
    private const int Letter = 7;

    // Short names may be of wide letters alone.
    private const int WideLetter = 8;
    private const int Line = 16;

    /// <summary>Bars of one series.</summary>
    public Bars(string title, IReadOnlyList<string> labels, IReadOnlyList<double> values, string format = "0.##")
        : this(title, labels, [("", values)], format)
    {
    }

    public override string ToHtml()
    {
        double[] all = [.. Series.SelectMany(s => s.Values).Where(double.IsFinite)];
        double low = Math.Min(0, all.DefaultIfEmpty(0).Min()), high = Math.Max(0, all.DefaultIfEmpty(0).Max());
        if (high - low == 0)
            high = 1;
        string[] labels = [.. Labels.Select(l => HtmlText.Short(l, 20))];
        int left = (labels.Select(HtmlText.Width).DefaultIfEmpty(0).Max() * WideLetter) + 8, number = (Letter * all.Select(v => Shown(v, Format).Length).DefaultIfEmpty(1).Max()) + 6;

        // Numbers stand at the ends of their bars, on both sides where there are bars on both.
        int first = left + (low < 0 ? number : 0), room = Width - first - number;
        double zero = first + (room * -low / (high - low));
        int group = (Line * Series.Count) + 5, height = (group * labels.Length) + 4;
        var html = new StringBuilder();
        html.Append($"<figure>\n<figcaption>{HtmlText.Of(Title)}</figcaption>\n");
        html.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Width} {height}\" role=\"img\" aria-label=\"{HtmlText.Of(Spoken())}\">\n");
        for (int i = 0; i < labels.Length; i++)
        {
            int y = group * i;
            html.Append(CultureInfo.InvariantCulture, $"<text class=\"name\" x=\"{left - 5}\" y=\"{y + (group / 2) + 3}\" text-anchor=\"end\">{HtmlText.Of(labels[i])}</text>");
            for (int s = 0; s < Series.Count; s++)
            {
                double value = Series[s].Values[i], end = first + (room * ((double.IsFinite(value) ? value : 0) - low) / (high - low));
                double thick = s == 2 ? Line / 2.0 : Line - 3, top = y + (Line * s) + 2 + ((Line - 3 - thick) / 2);
                html.Append(CultureInfo.InvariantCulture, $"<path class=\"bar f{s}\" d=\"M{zero:0.#} {top:0.#}H{end:0.#}v{thick:0.#}H{zero:0.#}z\"/>");
                html.Append(CultureInfo.InvariantCulture, $"<text class=\"number\" x=\"{(value < 0 ? end - 4 : end + 4):0.#}\" y=\"{y + (Line * s) + 12}\" text-anchor=\"{(value < 0 ? "end" : "start")}\">{Shown(value, Format)}</text>");
            }

            html.Append('\n');
        }

        html.Append(CultureInfo.InvariantCulture, $"<path class=\"axis\" d=\"M{zero:0.#} 0V{height}\"/>\n</svg>\n");
        if (Series.Count > 1)
        {
            html.Append("<ul class=\"legend\">");
            for (int s = 0; s < Series.Count; s++)
                html.Append(CultureInfo.InvariantCulture, $"<li><svg class=\"key\" viewBox=\"0 0 30 10\" aria-hidden=\"true\"><path class=\"bar f{s}\" d=\"{(s == 2 ? "M1 3H29v4H1z" : "M1 1H29v8H1z")}\"/></svg> {HtmlText.Of(Series[s].Name)}</li>");
            html.Append("</ul>\n");
        }

        return html.Append("</figure>\n").ToString();
    }

    private string Spoken() => $"{Title}: {string.Join("; ", Labels.Select((l, i) => $"{l} {string.Join(", ", Series.Select(s => Shown(s.Values[i], Format)))}"))}";
}
