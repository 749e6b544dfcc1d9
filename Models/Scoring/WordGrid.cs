namespace CudaSeq.Models;

/// <summary>Tables of a number for each pair of words of two texts, which grow with the product of their lengths.</summary>
internal static class WordGrid
{
    /// <summary>Some 2 GiB of whole numbers: two texts of 23,000 words.</summary>
    public const int Most = 1 << 29;

    /// <summary>How many cells there are.</summary>
    /// <param name="score">For messages.</param>
    /// <param name="rows">At least 1.</param>
    /// <param name="columns">At least 1.</param>
    /// <exception cref="InvalidDataException">Too many.</exception>
    public static int Size(string score, int rows, int columns)
        => (long)rows * columns <= Most ? rows * columns
            : throw new InvalidDataException(FormattableString.Invariant($"{score}: a text and its reference must have at most {Most:N0} pairs of words, got {rows - 1:N0} and {columns - 1:N0} words."));
}
