using System.Globalization;

namespace CudaSeq.Models;

/// <summary>Which parts of a text another lacks: words, or characters where a text is written without blanks.</summary>
internal static class TextDifference
{
    // Beyond it the table of a comparison is too large, and nobody reads the marks.
    private const int MostParts = 2000;

    // A text of so many characters without a blank is none of words.
    private const int LongestWord = 24;

    /// <summary>The parts of a text in order, each with whether it is in the longest common subsequence with another text.</summary>
    /// <param name="text">To be marked.</param>
    /// <param name="other">To compare with.</param>
    /// <returns>Parts with the blanks that follow them; neighbours of one kind are one part. Together they are the text.</returns>
    public static IReadOnlyList<(string Part, bool Shared)> Mark(string text, string other)
    {
        bool characters = IsWithoutBlanks(text) || IsWithoutBlanks(other);
        string[] mine = Parts(text, characters), its = Parts(other, characters);
        if (mine.Length > MostParts || its.Length > MostParts)
            return [(text, true)];
        bool[] shared = Shared([.. mine.Select(p => p.TrimEnd())], [.. its.Select(p => p.TrimEnd())]);
        var marked = new List<(string Part, bool Shared)>();
        for (int i = 0; i < mine.Length; i++)
        {
            if (marked.Count > 0 && marked[^1].Shared == shared[i])
                marked[^1] = (marked[^1].Part + mine[i], shared[i]);
            else
                marked.Add((mine[i], shared[i]));
        }

        return marked;
    }

    private static bool IsWithoutBlanks(string text) => text.Split(' ').Any(w => w.Length > LongestWord);

    private static string[] Parts(string text, bool characters)
    {
        var parts = new List<string>();
        if (characters)
        {
            for (var e = StringInfo.GetTextElementEnumerator(text); e.MoveNext();)
                parts.Add(e.GetTextElement());
            return [.. parts];
        }

        for (int start = 0; start < text.Length;)
        {
            int end = text.IndexOf(' ', start);
            while (end >= 0 && end < text.Length && text[end] == ' ')
                end++;
            if (end < 0)
                end = text.Length;
            parts.Add(text[start..end]);
            start = end;
        }

        return [.. parts];
    }

    private static bool[] Shared(string[] mine, string[] its)
    {
        int[,] length = new int[mine.Length + 1, its.Length + 1];
        for (int i = mine.Length - 1; i >= 0; i--)
        {
            for (int j = its.Length - 1; j >= 0; j--)
                length[i, j] = mine[i] == its[j] ? length[i + 1, j + 1] + 1 : Math.Max(length[i + 1, j], length[i, j + 1]);
        }

        bool[] shared = new bool[mine.Length];
        for (int i = 0, j = 0; i < mine.Length && j < its.Length;)
        {
            if (mine[i] == its[j])
            {
                shared[i++] = true;
                j++;
            }
            else if (length[i + 1, j] >= length[i, j + 1])
            {
                i++;
            }
            else
            {
                j++;
            }
        }

        return shared;
    }
}
