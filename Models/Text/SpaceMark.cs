namespace CudaSeq.Models;

/// <summary>
/// Pieces show a space as U+2581 (lower one eighth block), as SentencePiece does, and a U+2581 of the text as a space: exchanging the two loses nothing.
/// </summary>
internal static class SpaceMark
{
    public const char Mark = '\u2581';

    /// <summary>Exchanges spaces and marks; its own inverse.</summary>
    public static string Exchange(string text)
    {
        int first = text.AsSpan().IndexOfAny(' ', Mark);
        return first < 0 ? text : string.Create(text.Length, text, static (result, text) =>
        {
            for (int i = 0; i < result.Length; i++)
                result[i] = text[i] switch { ' ' => Mark, Mark => ' ', var c => c };
        });
    }
}
