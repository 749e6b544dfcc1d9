namespace CudaSeq.Models;

/// <summary>In what order phrases that must appear come.</summary>
public enum ConstraintOrder
{
    /// <summary>In any; phrases may overlap where their tokens do.</summary>
    Unordered,

    /// <summary>As they are given, each after the end of the one before.</summary>
    Ordered,
}

/// <summary>
/// A phrase that must appear in an output. The same phrase given n times must appear at n places.
/// </summary>
/// <param name="Tokens">Its token ids, at least one, none of them end-of-sentence or padding.</param>
public sealed record LexicalConstraint(int[] Tokens)
{
    /// <summary>Whether a token may stand before the phrase, so that it begins a word; null for every token. At the start of an output it always may.</summary>
    public Func<int, bool>? Before { get; init; }

    /// <summary>Whether a token may follow the phrase, so that it ends a word; null for every token. The end of an output always may.</summary>
    public Func<int, bool>? After { get; init; }
}
