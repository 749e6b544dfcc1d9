using System.Collections.Frozen;
using System.Globalization;

namespace CudaSeq.Models;

/// <summary>
/// Whether text is in Unicode's Normalization Form C (Unicode Standard Annex 15). The runtime's own answer is always yes where it runs without the system's
/// culture data, as this program does.
/// </summary>
internal static class CanonicalComposition
{
    private const int FirstMark = 0x300;

    // Hangul syllables are computed: a leading consonant, a vowel, perhaps a trailing consonant.
    private const int Syllable = 0xAC00, Leading = 0x1100, Vowel = 0x1161, Trailing = 0x11A7;
    private const int LeadingCount = 19, VowelCount = 21, TrailingCount = 28, SyllableCount = LeadingCount * VowelCount * TrailingCount;

    private static readonly FrozenDictionary<(int First, int Second), int> Composites = ReadComposites().ToFrozenDictionary(c => (c.First, c.Second), c => c.Composite);
    private static readonly FrozenDictionary<int, (int First, int Second)> Parts = Composites.ToFrozenDictionary(c => c.Value, c => c.Key);
    private static readonly FrozenSet<int> Never = ReadRanges(CompositionTables.Never.Split(' ')).ToFrozenSet();
    private static readonly FrozenDictionary<int, byte> Classes = ReadClasses().ToFrozenDictionary(c => c.Character, c => c.Class);

    // Those that compose with what stands before them, or are sorted among their like: without one of them, and without one of Never, text is in NFC.
    private static readonly FrozenSet<int> Joining = Composites.Keys.Select(k => k.Second).Concat(Classes.Keys)
        .Concat(Enumerable.Range(Vowel, VowelCount)).Concat(Enumerable.Range(Trailing + 1, TrailingCount - 1)).ToFrozenSet();

    /// <summary>Whether text is in NFC.</summary>
    /// <param name="text">Text whose surrogates come in pairs.</param>
    public static bool Holds(ReadOnlySpan<char> text)
    {
        if (text.IndexOfAnyInRange((char)FirstMark, char.MaxValue) < 0)
            return true;
        bool joining = false;
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value < FirstMark)
                continue;
            if (Never.Contains(rune.Value))
                return false;
            joining |= Joining.Contains(rune.Value);
        }

        if (!joining)
            return true;
        var given = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes())
            given.Add(rune.Value);
        return Compose(Sort(given.SelectMany(Decompose).ToArray())).SequenceEqual(given);
    }

    private static IEnumerable<int> Decompose(int character)
    {
        if (character is >= Syllable and < Syllable + SyllableCount)
        {
            int index = character - Syllable, trailing = index % TrailingCount;
            yield return Leading + (index / (VowelCount * TrailingCount));
            yield return Vowel + (index % (VowelCount * TrailingCount) / TrailingCount);
            if (trailing > 0)
                yield return Trailing + trailing;
        }
        else if (Parts.TryGetValue(character, out var parts))
        {
            foreach (int part in Decompose(parts.First))
                yield return part;
            yield return parts.Second;
        }
        else
        {
            yield return character;
        }
    }

    // Marks behind a character are ordered by their classes, those of one class as they came.
    private static int[] Sort(int[] text)
    {
        for (int i = 1; i < text.Length; i++)
        {
            int mark = text[i], at = i;
            for (byte order = Class(mark); order > 0 && at > 0 && Class(text[at - 1]) > order; at--)
                text[at] = text[at - 1];
            text[at] = mark;
        }

        return text;
    }

    // A mark joins the last character of class 0 unless one of its own or a higher class, or a character of class 0 that stayed, stands between them.
    private static List<int> Compose(int[] text)
    {
        var composed = new List<int>(text.Length);
        int starter = -1, last = -1;
        foreach (int character in text)
        {
            int order = Class(character);
            if (starter >= 0 && last < order && Pair(composed[starter], character) is { } pair)
            {
                composed[starter] = pair;
                continue;
            }

            if (order == 0)
                starter = composed.Count;
            last = order == 0 ? -1 : order;
            composed.Add(character);
        }

        return composed;
    }

    private static int? Pair(int first, int second)
    {
        if (first is >= Leading and < Leading + LeadingCount && second is >= Vowel and < Vowel + VowelCount)
            return Syllable + ((((first - Leading) * VowelCount) + second - Vowel) * TrailingCount);
        if (first is >= Syllable and < Syllable + SyllableCount && (first - Syllable) % TrailingCount == 0 && second is > Trailing and < Trailing + TrailingCount)
            return first + second - Trailing;
        return Composites.TryGetValue((first, second), out int composite) ? composite : null;
    }

    private static byte Class(int character) => Classes.GetValueOrDefault(character);

    private static IEnumerable<(int First, int Second, int Composite)> ReadComposites()
    {
        foreach (string group in CompositionTables.Composites.Split(' '))
        {
            int colon = group.IndexOf(':', StringComparison.Ordinal), second = Hex(group[..colon]);
            foreach (string entry in group[(colon + 1)..].Split(','))
            {
                string[] sides = entry.Split('=');
                yield return (Hex(sides[0]), second, Hex(sides[1]));
            }
        }
    }

    private static IEnumerable<(int Character, byte Class)> ReadClasses()
        => from entry in CompositionTables.Classes.Split(' ')
           let colon = entry.IndexOf(':', StringComparison.Ordinal)
           let order = byte.Parse(entry[..colon], CultureInfo.InvariantCulture)
           from character in ReadRanges(entry[(colon + 1)..].Split(','))
           select (character, order);

    private static IEnumerable<int> ReadRanges(string[] ranges)
        => ranges.Select(r => r.Split('-')).SelectMany(r => Enumerable.Range(Hex(r[0]), Hex(r[^1]) - Hex(r[0]) + 1));

    private static int Hex(string digits) => int.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
