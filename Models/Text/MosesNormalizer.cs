using System.Text.RegularExpressions;

namespace CudaSeq.Models;

/// <summary>
/// Makes punctuation uniform before a text is tokenised, byte for byte as Moses's script <c>normalize-punctuation.perl</c> (Koehn et al., "Moses: open source toolkit
/// for statistical machine translation", ACL 2007): quotation marks, dashes and ellipses become those of ASCII, blanks are set as English sets them around brackets
/// and punctuation, no-break spaces before punctuation go, and the order of a full stop or comma and a closing quotation mark becomes the language's.
/// </summary>
/// <remarks>
/// A digit is one of ASCII. The language matters thrice: in English a comma or full stop goes before the closing quotation mark, in Czech it stays where it is, in
/// all others it goes behind it; and a no-break space between two digits becomes a comma in cs, de, es and fr, a full stop in all others. sacremoses does the same
/// with <c>perl_parity</c>; without it, a U+2019 that is not between two letters becomes an apostrophe, here and in Moses a quotation mark.
/// </remarks>
public sealed partial class MosesNormalizer
{
    private const string NoBreakSpace = "\u00A0";
    private const string Quote = "\"";

    private readonly string _language;

    /// <summary>A normaliser for a language.</summary>
    /// <param name="language">Its code: two or three small letters, for example en.</param>
    /// <exception cref="ArgumentException"><paramref name="language"/> is no such code.</exception>
    public MosesNormalizer(string language) => _language = MosesPrefixes.CheckLanguage(nameof(MosesNormalizer), language);

    /// <summary>Normalises a line.</summary>
    /// <param name="line">
    /// A line, with its line feed if it has one. Where only English has the full stop inside the quotation marks, <c>."</c> at the end of a line becomes
    /// <c>".</c> if the line feed follows it, and stays without: so has the script it.
    /// </param>
    public string Normalize(string line)
    {
        string text = SpaceBrackets(line.Replace("\r", "", StringComparison.Ordinal));
        text = Replaced(text, ("`", "'"), ("''", " \" "));
        text = MakeAscii(text);
        text = DropNoBreakSpaces(text);
        text = _language switch
        {
            "en" => PointsAfterQuote().Replace(text, "$1\""),
            "cs" or "cz" => text,
            _ => FullStopsBeforeQuote().Replace(text.Replace(",\"", "\",", StringComparison.Ordinal), "\"$1$2"),
        };
        return SplitNumber().Replace(text, _language is "cs" or "cz" or "de" or "es" or "fr" ? "$1,$2" : "$1.$2");
    }

    private static string SpaceBrackets(string text)
    {
        text = OneSpace(Replaced(text, ("(", " ("), (")", ") ")));
        text = PointAfterBracket().Replace(text, ")$1");
        text = Replaced(text, ("( ", "("), (" )", ")"));
        return Replaced(Percentage().Replace(text, "$1%"), (" :", ":"), (" ;", ";"));
    }

    private static string MakeAscii(string text)
    {
        text = OneSpace(Replaced(text, ("\u201E", Quote), ("\u201C", Quote), ("\u201D", Quote), ("\u2013", "-"), ("\u2014", " - ")));
        text = text.Replace("\u00B4", "'", StringComparison.Ordinal);
        text = RightApostrophe().Replace(LeftApostrophe().Replace(text, "$1'$2"), "$1'$2");
        return Replaced(text, ("\u2018", "'"), ("\u201A", "'"), ("\u2019", Quote), ("''", Quote), ("\u2026", "..."));
    }

    private static string DropNoBreakSpaces(string text)
    {
        // Guillemets with the space that French sets inside them.
        text = Replaced(text, ($"{NoBreakSpace}\u00AB{NoBreakSpace}", " \""), ($"\u00AB{NoBreakSpace}", Quote), ("\u00AB", Quote));
        text = Replaced(text, ($"{NoBreakSpace}\u00BB{NoBreakSpace}", "\" "), ($"{NoBreakSpace}\u00BB", Quote), ("\u00BB", Quote));
        if (!text.Contains(NoBreakSpace, StringComparison.Ordinal))
            return OneSpace(text);
        text = Replaced(text, ($"{NoBreakSpace}%", "%"), ($"n\u00BA{NoBreakSpace}", "n\u00BA "), ($"{NoBreakSpace}:", ":"), ($"{NoBreakSpace}\u00BAC", " \u00BAC"));
        text = Replaced(text, ($"{NoBreakSpace}cm", " cm"), ($"{NoBreakSpace}?", "?"), ($"{NoBreakSpace}!", "!"), ($"{NoBreakSpace};", ";"), ($",{NoBreakSpace}", ", "));
        return OneSpace(text);
    }

    private static string Replaced(string text, params ReadOnlySpan<(string Old, string New)> all)
    {
        foreach (var (old, by) in all)
            text = text.Replace(old, by, StringComparison.Ordinal);
        return text;
    }

    private static string OneSpace(string text) => Spaces().Replace(text, " ");

    [GeneratedRegex(" {2,}")]
    private static partial Regex Spaces();

    [GeneratedRegex(@"\) ([.!:?;,])")]
    private static partial Regex PointAfterBracket();

    [GeneratedRegex("([0-9]) %")]
    private static partial Regex Percentage();

    [GeneratedRegex("([a-zA-Z])\u2018([a-zA-Z])")]
    private static partial Regex LeftApostrophe();

    [GeneratedRegex("([a-zA-Z])\u2019([a-zA-Z])")]
    private static partial Regex RightApostrophe();

    [GeneratedRegex("\"([,.]+)")]
    private static partial Regex PointsAfterQuote();

    [GeneratedRegex(@"(\.+)""([\t-\r ]*[^<])")]
    private static partial Regex FullStopsBeforeQuote();

    [GeneratedRegex("([0-9])\u00A0([0-9])")]
    private static partial Regex SplitNumber();
}
