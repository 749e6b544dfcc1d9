namespace CudaSeq.Models;

/// <summary>How <see cref="MosesTokenizer"/> is to depart from what Moses does when nothing is said.</summary>
public sealed record MosesTokenizerOptions
{
    /// <summary>Whether a hyphen between two letters or digits becomes a token: <c>well-known</c> to <c>well @-@ known</c> (Moses: <c>-a</c>).</summary>
    public bool AggressiveDashSplits { get; init; }

    /// <summary>Whether <c>&amp; | &lt; &gt; ' " [ ]</c> become entities, for example <c>&amp;apos;</c> (Moses: <c>-no-escape</c> has it false).</summary>
    public bool Escape { get; init; } = true;

    /// <summary>
    /// Regular expressions, .NET's; what they find stays one token, whatever is in it (Moses: <c>-protected</c>). Each is looked for in the whole line, its blanks made
    /// one and one added at each end; then every place of what was found is protected. What is empty is not. To .NET a character beyond U+FFFF is two, neither
    /// of them a letter.
    /// </summary>
    public IReadOnlyList<string> ProtectedPatterns { get; init; } = [];

    /// <summary>The words that keep their full stop; null for the language's own list.</summary>
    public MosesPrefixes? Prefixes { get; init; }
}
