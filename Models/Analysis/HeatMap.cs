using System.Globalization;
using System.Text;

namespace CudaSeq.Models;

/// <summary>A table of numbers as cells, the darker the higher, each with its number in it. Wider ones than a phone are moved sideways.</summary>
/// <param name="Title">What the numbers are.</param>
/// <param name="RowTitle">What the rows are.</param>
/// <param name="ColumnTitle">What the columns are.</param>
/// <param name="Rows">Names from the top.</param>
/// <param name="Columns">Names from the left.</param>
/// <param name="Values">A row each; what is not finite is left empty.</param>
internal sealed record HeatMap(string Title, string RowTitle, string ColumnTitle, IReadOnlyList<string> Rows, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<double>> Values) : Figure(Title)
{
    private const int Letter = 7;
    private const int Line = 20;
    private const int LongestName = 16;

    /// <summary>How numbers are written, see <see cref="Figure.Shown"/>.</summary>
    public string Format { get; init; } = "0.00";

    /// <summary>What has no shade; the lowest number, or 0 where none is below it, when null.</summary>
    public double? Low { get; init; }

    /// <summary>What has the darkest; the highest number when null.</summary>
    public double? High { get; init; }

    /// <summary>Whether shades are of the numbers' size, whatever their sign.</summary>
    public bool Signed { get; init; }

    /// <summary>Whether cells that would show 0 are left empty, so that large maps stay small and clear.</summary>
    public bool Sparse { get; init; }

    public override string ToHtml()
    {
        double[] all = [.. Values.SelectMany(r => r).Where(double.IsFinite)];
        double[] shaded = Signed ? Array.ConvertAll(all, Math.Abs) : all;
        double low = Low ?? Math.Min(0, shaded.DefaultIfEmpty(0).Min()), high = High ?? shaded.DefaultIfEmpty(0).Max();
        string[] rows = [.. Rows.Select(r => HtmlText.Short(r, LongestName))], columns = [.. Columns.Select(c => HtmlText.Short(c, LongestName))];
        int cell = Math.Max(20, (Letter * all.Select(v => Shown(v, Format).Length).DefaultIfEmpty(0).Max()) + 8);

        // Names that are wider than a cell stand on end.
        int[] widths = [.. columns.Select(c => HtmlText.Width(c) * Letter)];
        int widest = widths.DefaultIfEmpty(0).Max();
        int left = (Math.Max(rows.Select(HtmlText.Width).DefaultIfEmpty(0).Max(), RowTitle.Length) * Letter) + 8, top = Line + (widest > cell ? widest + 6 : Line);
        int width = Math.Max(left + (cell * Columns.Count) + 4, left + (Letter * HtmlText.Width(ColumnTitle)) + 4), height = top + (Line * Rows.Count) + 4;
        var html = new StringBuilder();
        html.Append($"<figure class=\"heat\">\n<figcaption>{HtmlText.Of(Title)}</figcaption>\n<div class=\"wide\">");
        html.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {width} {height}\" style=\"width: {width}px\" role=\"img\" aria-label=\"{HtmlText.Of(Spoken(all))}\">\n");
        html.Append(CultureInfo.InvariantCulture, $"<text x=\"{left}\" y=\"12\">{HtmlText.Of(ColumnTitle)}</text><text x=\"{left - 5}\" y=\"{top - 6}\" text-anchor=\"end\">{HtmlText.Of(RowTitle)}</text>\n");
        for (int c = 0; c < columns.Length; c++)
        {
            int x = left + (cell * c) + (cell / 2);
            html.Append(widths[c] > cell
                ? string.Create(CultureInfo.InvariantCulture, $"<text class=\"name\" transform=\"translate({x + 4} {top - 4}) rotate(-90)\">{HtmlText.Of(columns[c])}</text>")
                : string.Create(CultureInfo.InvariantCulture, $"<text class=\"name\" x=\"{x}\" y=\"{top - 6}\" text-anchor=\"middle\">{HtmlText.Of(columns[c])}</text>"));
        }

        // One path for each shade: a map of a long sentence has thousands of cells.
        var shades = new StringBuilder[Shades + 1];
        var numbers = new StringBuilder();
        for (int r = 0; r < rows.Length; r++)
        {
            int y = top + (Line * r);
            html.Append(CultureInfo.InvariantCulture, $"<text class=\"name\" x=\"{left - 5}\" y=\"{y + 14}\" text-anchor=\"end\">{HtmlText.Of(rows[r])}</text>");
            for (int c = 0; c < columns.Length; c++)
            {
                double value = Values[r][c];
                string shown = Shown(value, Format);
                if (!double.IsFinite(value) || (Sparse && shown.All(l => l is '0' or '.' or '-')))
                    continue;
                int x = left + (cell * c);
                (shades[Shade(Signed ? Math.Abs(value) : value, low, high)] ??= new StringBuilder()).Append(CultureInfo.InvariantCulture, $"M{x} {y}h{cell - 1}v{Line - 1}h-{cell - 1}z");
                numbers.Append(CultureInfo.InvariantCulture, $"<text x=\"{x + (cell / 2)}\" y=\"{y + 14}\">{shown}</text>");
            }
        }

        html.Append('\n');
        for (int s = 0; s <= Shades; s++)
        {
            if (shades[s] is { } d)
                html.Append($"<path class=\"h{s}\" d=\"{d}\"/>\n");
        }

        return html.Append($"<g class=\"numbers\">{numbers}</g>\n</svg></div>\n</figure>\n").ToString();
    }

    private string Spoken(double[] all) => all.Length == 0 ? $"{Title}: no numbers" : $"{Title}: {RowTitle} by {ColumnTitle}, from {Shown(all.Min(), Format)} to {Shown(all.Max(), Format)}";
}
