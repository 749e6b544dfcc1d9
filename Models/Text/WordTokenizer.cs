namespace CudaSeq.Models;

/// <summary>
/// Pieces are what stands between blanks (spaces and tabs), as in text that is already tokenised; joined by one space.
/// Reversible where the text has single spaces between its words and none at its ends.
/// </summary>
public sealed class WordTokenizer : ITokenizer
{
    private static readonly char[] Blanks = [' ', '\t'];

    /// <inheritdoc/>
    public string Name => "word";

    /// <inheritdoc/>
    public IReadOnlyList<string> Pieces => [];

    /// <inheritdoc/>
    public string[] Encode(string line) => line.Split(Blanks, StringSplitOptions.RemoveEmptyEntries);

    /// <inheritdoc/>
    public string Decode(params ReadOnlySpan<string> pieces) => string.Join(' ', pieces);
}
