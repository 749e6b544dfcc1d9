using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Whether an output holds phrases, read off the definition.</summary>
internal static class PlainConstraints
{
    public static bool Hold(int[] output, IReadOnlyList<LexicalConstraint> constraints, ConstraintOrder order)
        => order == ConstraintOrder.Ordered
            ? InOrder(output, constraints, 0, 0)
            : constraints.All(c => Places(output, c).Count() >= constraints.Count(o => o.Tokens.SequenceEqual(c.Tokens)));

    public static LexicalConstraint[] Of(params int[][] phrases) => [.. phrases.Select(p => new LexicalConstraint(p))];

    private static bool InOrder(int[] output, IReadOnlyList<LexicalConstraint> constraints, int next, int from)
        => next == constraints.Count
            || Places(output, constraints[next]).Where(p => p >= from).Any(p => InOrder(output, constraints, next + 1, p + constraints[next].Tokens.Length));

    private static IEnumerable<int> Places(int[] output, LexicalConstraint constraint)
    {
        int length = constraint.Tokens.Length;
        return Enumerable.Range(0, Math.Max(0, output.Length - length + 1)).Where(p =>
            output.AsSpan(p, length).SequenceEqual(constraint.Tokens)
            && (p == 0 || constraint.Before is null || constraint.Before(output[p - 1]))
            && (p + length == output.Length || constraint.After is null || constraint.After(output[p + length])));
    }
}
