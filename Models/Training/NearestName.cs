namespace CudaSeq.Models;

/// <summary>Guesses what a misspelt name was meant to be.</summary>
internal static class NearestName
{
    /// <summary>The choice nearest to <paramref name="given"/>; null when none is near enough to be worth suggesting.</summary>
    public static string? Of(string given, IEnumerable<string> choices)
    {
        string? nearest = null;
        int least = int.MaxValue;
        foreach (string choice in choices)
        {
            int distance = Distance(given, choice);
            bool near = distance <= Math.Max(1, Math.Min(given.Length, choice.Length) / 3) || IsPartOf(given, choice);
            if (near && distance < least)
                (nearest, least) = (choice, distance);
        }

        return nearest;
    }

    // The beginning of a name, or one or more of its words: warmup for warmup_updates, kernel_widths for encoder_kernel_widths.
    private static bool IsPartOf(string given, string choice)
    {
        if (given.Length < 3)
            return false;
        if (choice.StartsWith(given, StringComparison.OrdinalIgnoreCase))
            return true;
        int at = choice.IndexOf(given, StringComparison.OrdinalIgnoreCase);
        return at > 0 && choice[at - 1] is '_' or '-' && (at + given.Length == choice.Length || choice[at + given.Length] is '_' or '-');
    }

    // Insertions, deletions, substitutions and swaps of neighbours, whatever the case.
    private static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
            rows[i, 0] = i;
        for (int j = 0; j <= b.Length; j++)
            rows[0, j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++)
            {
                int cost = Same(a[i - 1], b[j - 1]) ? 0 : 1;
                int least = Math.Min(Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1, rows[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && Same(a[i - 1], b[j - 2]) && Same(a[i - 2], b[j - 1]))
                    least = Math.Min(least, rows[i - 2, j - 2] + 1);
                rows[i, j] = least;
            }
        }

        return rows[a.Length, b.Length];
    }

    private static bool Same(char a, char b) => char.ToLowerInvariant(a) == char.ToLowerInvariant(b);
}
