using System.Text;

namespace CudaSeq.Tests;

/// <summary>Text as bad as text gets.</summary>
internal static class RandomText
{
    private static readonly string[] Oddities =
    [
        " ", "  ", "\t", "\u2581", "\u2581\u2581", " \u2581 ", "\u00A0", "\u2028", "\u2029", "\u0085", "\r", "\0", "\uFEFF", "\u200D", "e\u0301", "\u0301",
        "\u00E9", "\u1E9E", "\u4E2D\u6587", "\uAC00", "\U0001F469\u200D\U0001F4BB", "\U0001F1E9\U0001F1EA", "\U0001F642", "\U0010FFFF", "<s>", "</s>", "<unk>",
        "@@", "&amp;", "\\", "\\n", "\"", "1,000.50", "don't", "A", "a", "b", "the ", "\u0648\u064E", "\u0E01\u0E33",
    ];

    /// <summary>A line without LF: oddities and random characters of all planes.</summary>
    public static string Line(Random random, int most)
    {
        var line = new StringBuilder();
        for (int n = random.Next(most + 1); n > 0; n--)
        {
            line.Append(random.Next(4) switch
            {
                0 => Oddities[random.Next(Oddities.Length)],
                1 => Scalar(random, 0x10FFFF).ToString(),
                _ => Scalar(random, 0x7F).ToString(),
            });
        }

        return line.ToString();
    }

    private static Rune Scalar(Random random, int largest)
    {
        while (true)
        {
            if (Rune.TryCreate(random.Next(largest + 1), out var rune) && rune.Value != '\n')
                return rune;
        }
    }
}
