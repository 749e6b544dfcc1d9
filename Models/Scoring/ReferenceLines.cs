using System.Globalization;

namespace CudaSeq.Models;

/// <summary>The references of each line: those that are not missing.</summary>
internal static class ReferenceLines
{
    /// <summary>Turns sets of references, line n for hypothesis n, into the references of each line.</summary>
    /// <param name="metric">Who asks, for the errors.</param>
    /// <param name="hypotheses">The number of hypotheses.</param>
    /// <param name="sets">One list for each set; null is a missing reference.</param>
    /// <exception cref="ArgumentException">There are no lines or references, not as many as hypotheses, or none in a line.</exception>
    public static string[][] Of(string metric, int hypotheses, IReadOnlyList<IReadOnlyList<string?>> sets)
    {
        if (sets.Count == 0)
            throw new ArgumentException($"{metric}: must be given references, got none.");
        foreach (var set in sets)
        {
            if (set.Count != hypotheses)
                throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{metric}: hypotheses and references must have as many lines as each other, got {hypotheses} and {set.Count}."));
        }

        if (hypotheses == 0)
            throw new ArgumentException($"{metric}: must be given at least one line, got none.");
        var lines = new string[hypotheses][];
        for (int i = 0; i < hypotheses; i++)
        {
            lines[i] = [.. sets.Select(set => set[i]).OfType<string>()];
            if (lines[i].Length == 0)
                throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{metric}: every line must have a reference, line {i + 1} has none."));
        }

        return lines;
    }
}
