using System.Globalization;
using System.Text;

namespace CudaSeq.Models;

/// <summary>A picture or a table of a page: read without colour, on a phone and by night.</summary>
/// <param name="Title">What it shows.</param>
internal abstract record Figure(string Title)
{
    /// <summary>Steps of shading that the page's style has, <c>h1</c> and on; 0 is none.</summary>
    public const int Shades = 10;

    /// <summary>The figure as HTML.</summary>
    public abstract string ToHtml();

    /// <summary>Which shade a value has between two others.</summary>
    public static int Shade(double value, double low, double high)
        => !double.IsFinite(value) || high <= low ? 0 : (int)Math.Round(Shades * Math.Clamp((value - low) / (high - low), 0, 1));

    /// <summary>A number as a format of .NET writes it, or a dash where it is none. With the format <c>%</c> whole percents, of which 0 and 100 need no more.</summary>
    public static string Shown(double value, string format) => !double.IsFinite(value) ? "–"
        : format == "%" ? Math.Round(100 * value).ToString("0", CultureInfo.InvariantCulture)
        : value.ToString(format, CultureInfo.InvariantCulture);
}

/// <summary>Curves over a common axis.</summary>
/// <param name="Title">What goes up.</param>
/// <param name="XTitle">What goes to the right.</param>
/// <param name="Series">By ascending X.</param>
/// <param name="Logarithmic">Whether upwards is a logarithmic axis; values that are not above 0 are left out.</param>
/// <param name="LogarithmicAcross">The same of the axis to the right: straight lines are powers where both are.</param>
internal sealed record Curves(string Title, string XTitle, IReadOnlyList<Series> Series, bool Logarithmic = false, bool LogarithmicAcross = false) : Figure(Title)
{
    public override string ToHtml() => new Chart(Title, XTitle, Series, Logarithmic, LogarithmicAcross).ToHtml();
}

/// <summary>Rows of text.</summary>
/// <param name="Title">What it shows; may be empty.</param>
/// <param name="Heads">Of the columns; the first is to the left.</param>
/// <param name="Rows">As many cells each.</param>
/// <param name="Prose">Whether the cells are sentences rather than numbers: to the left, and broken into lines.</param>
internal sealed record Table(string Title, IReadOnlyList<string> Heads, IReadOnlyList<IReadOnlyList<string>> Rows, bool Prose = false) : Figure(Title)
{
    public override string ToHtml()
    {
        var html = new StringBuilder("<figure class=\"whole\">\n");
        if (Title.Length > 0)
            html.Append($"<figcaption>{HtmlText.Of(Title)}</figcaption>\n");
        html.Append($"<div class=\"wide\"><table{(Prose ? " class=\"prose\"" : "")}>\n<tr>");
        foreach (string head in Heads)
            html.Append($"<th>{HtmlText.Of(head)}</th>");
        html.Append("</tr>\n");
        foreach (var row in Rows)
        {
            html.Append("<tr>");
            for (int i = 0; i < row.Count; i++)
                html.Append(i == 0 ? $"<th>{HtmlText.Of(row[i])}</th>" : $"<td dir=\"auto\">{HtmlText.Of(row[i])}</td>");
            html.Append("</tr>\n");
        }

        return html.Append("</table></div>\n</figure>\n").ToString();
    }
}

/// <summary>A sentence, each token with a value below it and the darker the higher that is.</summary>
/// <param name="Title">What the values are.</param>
/// <param name="Tokens">In order.</param>
/// <param name="Values">As many.</param>
/// <param name="Low">What has no shade.</param>
/// <param name="High">What has the darkest.</param>
/// <param name="Format">How values are written, see <see cref="Figure.Shown"/>.</param>
internal sealed record AnnotatedSentence(string Title, IReadOnlyList<string> Tokens, IReadOnlyList<double> Values, double Low, double High, string Format = "0.##") : Figure(Title)
{
    public override string ToHtml()
    {
        var html = new StringBuilder("<figure class=\"whole\">\n");
        html.Append($"<figcaption>{HtmlText.Of(Title)}</figcaption>\n<p class=\"tokens\" dir=\"auto\">");
        for (int i = 0; i < Tokens.Count; i++)
            html.Append($"<span class=\"token b{Shade(Values[i], Low, High)}\">{HtmlText.Of(Tokens[i])}<small>{Shown(Values[i], Format)}</small></span> ");
        return html.Append("</p>\n</figure>\n").ToString();
    }
}
