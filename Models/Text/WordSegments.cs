using System.Globalization;
using System.Text;

namespace CudaSeq.Models;

/// <summary>
/// The stretches of a line inside which byte pair encoding may merge. A stretch begins at every space mark, and where letters, digits and other characters meet;
/// combining marks and joiners stay with what they stand on.
/// </summary>
internal ref struct WordSegments(ReadOnlySpan<char> text)
{
    private ReadOnlySpan<char> _rest = text;

    private enum Kind
    {
        Any,
        Letter,
        Digit,
        Other,
    }

    /// <summary>Takes the next stretch; false when none is left.</summary>
    public bool Next(out ReadOnlySpan<char> segment)
    {
        var kind = Kind.Any;
        int end = 0;
        while (end < _rest.Length)
        {
            if (end > 0 && _rest[end] == SpaceMark.Mark)
                break;
            _ = Rune.DecodeFromUtf16(_rest[end..], out var rune, out int length);
            var own = _rest[end] == SpaceMark.Mark ? Kind.Any : KindOf(rune);
            if (own != Kind.Any && kind != Kind.Any && own != kind)
                break;
            if (own != Kind.Any)
                kind = own;
            end += length;
        }

        segment = _rest[..end];
        _rest = _rest[end..];
        return end > 0;
    }

    private static Kind KindOf(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
            or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => Kind.Letter,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Kind.Digit,
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark
            or UnicodeCategory.Format => Kind.Any,
        _ => Kind.Other,
    };
}
