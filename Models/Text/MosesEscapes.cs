namespace CudaSeq.Models;

/// <summary>The characters that mean something to Moses's decoder (factors, markup, non-terminals) as entities.</summary>
internal static class MosesEscapes
{
    /// <summary>Escapes; the ampersand first, so that the others' stay.</summary>
    public static string Escape(string text) => text.AsSpan().IndexOfAny("&|<>'\"[]") < 0
        ? text
        : text.Replace("&", "&amp;", StringComparison.Ordinal)
            .Replace("|", "&#124;", StringComparison.Ordinal)
            .Replace("<", "&lt;", StringComparison.Ordinal)
            .Replace(">", "&gt;", StringComparison.Ordinal)
            .Replace("'", "&apos;", StringComparison.Ordinal)
            .Replace("\"", "&quot;", StringComparison.Ordinal)
            .Replace("[", "&#91;", StringComparison.Ordinal)
            .Replace("]", "&#93;", StringComparison.Ordinal);

    /// <summary>Takes escapes back, those of older versions of Moses among them; the ampersand last.</summary>
    public static string Undo(string text) => !text.Contains('&')
        ? text
        : text.Replace("&bar;", "|", StringComparison.Ordinal)
            .Replace("&#124;", "|", StringComparison.Ordinal)
            .Replace("&lt;", "<", StringComparison.Ordinal)
            .Replace("&gt;", ">", StringComparison.Ordinal)
            .Replace("&bra;", "[", StringComparison.Ordinal)
            .Replace("&ket;", "]", StringComparison.Ordinal)
            .Replace("&quot;", "\"", StringComparison.Ordinal)
            .Replace("&apos;", "'", StringComparison.Ordinal)
            .Replace("&#91;", "[", StringComparison.Ordinal)
            .Replace("&#93;", "]", StringComparison.Ordinal)
            .Replace("&amp;", "&", StringComparison.Ordinal);
}
