namespace CudaSeq.Models;

/// <summary>
/// Where subword-nmt sees lines. It reads with Python's codecs module, for which a line ends at LF, CR, CR LF, U+000B, U+000C, U+001C .. U+001E, U+0085,
/// U+2028 or U+2029; only CR and LF are then taken off, so the others end a word and are its last character. Words are separated by U+0020 alone.
/// </summary>
internal static class SubwordNmtText
{
    /// <summary>Takes the first line and its end off a text; empty when none is left.</summary>
    public static ReadOnlySpan<char> NextLine(ref ReadOnlySpan<char> text)
    {
        int end = 0;
        while (end < text.Length && !EndsLine(text[end]))
            end++;
        if (end + 1 < text.Length && text[end] == '\r' && text[end + 1] == '\n')
            end++;
        var line = text[..Math.Min(end + 1, text.Length)];
        text = text[line.Length..];
        return line;
    }

    /// <summary>What <c>\s</c> matches in Python: also U+001C .. U+001F.</summary>
    public static bool IsWhiteSpace(char c) => char.IsWhiteSpace(c) || c is >= '\u001C' and <= '\u001F';

    private static bool EndsLine(char c) => c is (>= '\n' and <= '\r') or (>= '\u001C' and <= '\u001E') or '\u0085' or '\u2028' or '\u2029';
}
