namespace CudaSeq.Models;

/// <summary>The phrases that an output must hold, each with the number of places where it must.</summary>
internal sealed class ConstraintSet
{
    /// <param name="constraints">At least one.</param>
    /// <param name="order">In what order they come.</param>
    public ConstraintSet(IReadOnlyList<LexicalConstraint> constraints, ConstraintOrder order)
    {
        IsOrdered = order == ConstraintOrder.Ordered;
        List<LexicalConstraint> phrases = [];
        List<int> counts = [];
        foreach (var constraint in constraints)
        {
            int known = IsOrdered ? -1 : phrases.FindIndex(p => p.Tokens.AsSpan().SequenceEqual(constraint.Tokens));
            if (known >= 0)
            {
                counts[known]++;
                continue;
            }

            phrases.Add(constraint);
            counts.Add(1);
        }

        Phrases = [.. phrases];
        Counts = [.. counts];
    }

    /// <summary>Whether each phrase comes after the end of the one before.</summary>
    public bool IsOrdered { get; }

    /// <summary>The phrases; a phrase comes once where the order is of no matter.</summary>
    public LexicalConstraint[] Phrases { get; }

    /// <summary>At how many places each must appear.</summary>
    public int[] Counts { get; }
}
