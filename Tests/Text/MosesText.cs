using System.Text;

namespace CudaSeq.Tests;

/// <summary>Lines that ask every rule of Moses's scripts, and several at once.</summary>
internal static class MosesText
{
    private static readonly string[] Words =
    [
        "the", "house", "houses", "Jones", "A", "i", "don", "it", "1990", "5", "300", "3.5", "1,000", "U.S", "z.B", "Mr", "Dr", "St", "No", "Inc", "etc", "I", "l", "eau", "aujourd",
        "e", "li", "mail", "USA", "\u00C4rzte", "stra\u00DFe", "\u00EAtre", "\u4E2D", "\u6587", "\uAC00", "\u3042", "\u0939\u093F\u0928\u094D\u0926\u0940", "\u0905", "\u0648\u064E", "e\u0301",
        "\u2167", "\u00BD", "\u00B2", "\u0663", "\u00AA", "\u24D0", "\U0001F642", "\U0001D49C", "\u00A31", "\u20AC", "&amp;", "&apos;", "&#91;", "&bar;", "@-@", "-LRB-", "http://x.org/a-b?c=d", "me@x.org",
    ];

    private static readonly string[] Points =
    [
        ".", ".", ",", ",", "'", "'", "-", "\"", "..", "...", "....", ",,", ",,,", "''", "``", "`", ":", ";", "!", "?", "%", "(", ")", "[", "]", "{", "}", "<", ">", "/", "\\", "_", "&", "|", "@", "#",
        "$", "\u00B7", "\u00BF", "\u00A1", "\u201E", "\u201C", "\u201D", "\u2018", "\u201A", "\u2019", "\u00B4", "\u2013", "\u2014", "\u2026", "\u00AB", "\u00BB", "\u00A0", "\u00BA", "\u00A0%", "n\u00BA\u00A0",
        "\u00A0cm", "\u00A0\u00BAC", "s", "'s", ".'", ".\"", ",\"", "\t", "\u2003", "\u3000", "\u0001", "\u007F", "\u00AD", "\u200B",
    ];

    /// <summary>Lines that are not blank, without their ends.</summary>
    public static string[] Lines(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => Line(random))];
    }

    private static string Line(Random random)
    {
        var line = new StringBuilder();

        // Lines of tokens, of text, and of what is neither.
        int blanks = random.Next(3);
        for (int n = 1 + random.Next(14); n > 0; n--)
        {
            line.Append(random.Next(2) == 0 ? Words[random.Next(Words.Length)] : Points[random.Next(Points.Length)]);
            if (random.Next(3) < blanks)
                line.Append(random.Next(12) == 0 ? "  " : " ");
        }

        line.Append(random.Next(3) == 0 ? "." : "").Append('x', random.Next(2));
        string text = line.ToString();
        return string.IsNullOrWhiteSpace(text) ? "x" : text;
    }
}
