namespace CudaSeq.Models;

/// <summary>Says which tokens may follow an output. A rule knows nothing but the output: what it says does not depend on how outputs are chosen.</summary>
internal abstract class TokenRule
{
    /// <summary>The only token that may follow; null where this rule does not prescribe one.</summary>
    public virtual int? Forced(PartialHypothesis output) => null;

    /// <summary>Adds tokens that must not follow.</summary>
    public virtual void Forbid(PartialHypothesis output, HashSet<int> tokens)
    {
    }
}

/// <summary>What may follow one output.</summary>
/// <param name="Forced">The only token that may; null for all that are not forbidden.</param>
/// <param name="Forbidden">Tokens that must not.</param>
internal sealed record AllowedTokens(int? Forced, IReadOnlySet<int> Forbidden)
{
    /// <summary>Whether the output ends only because everything is forbidden, the end too.</summary>
    public bool IsLastResort => Forced is { } token && Forbidden.Contains(token);
}

/// <summary>
/// Several rules at once. A prescribed token overrides what other rules forbid, and of two prescriptions the earlier rule's counts. Where the rules forbid every token the
/// output ends, so that each search ends with one; where end-of-sentence ends none, it is what follows.
/// </summary>
/// <param name="vocabulary">V, tokens that there are.</param>
/// <param name="rules">The rules, the strongest first.</param>
internal sealed class TokenRules(int vocabulary, params IReadOnlyList<TokenRule> rules)
{
    /// <summary>Tokens after which an output is over as it is; end-of-sentence is a token like others then. Null where end-of-sentence ends outputs.</summary>
    public int? CutAfter { get; init; }

    /// <summary>Whether a token ends an output.</summary>
    public bool Ends(int token) => token == Vocabulary.Eos && CutAfter is null;

    /// <summary>Whether an output is over without a token that ends it.</summary>
    public bool IsOver(PartialHypothesis output) => output.Length >= CutAfter;

    /// <summary>What may follow an output; padding never.</summary>
    public AllowedTokens After(PartialHypothesis output)
    {
        var forbidden = new HashSet<int> { Vocabulary.Pad };
        foreach (var rule in rules)
        {
            if (rule.Forced(output) is { } token)
                return new AllowedTokens(token, forbidden);
        }

        foreach (var rule in rules)
            rule.Forbid(output, forbidden);
        return new AllowedTokens(forbidden.Count >= vocabulary ? Vocabulary.Eos : null, forbidden);
    }
}

/// <summary>After so many tokens the output ends.</summary>
internal sealed class MaximumLength(int length) : TokenRule
{
    public override int? Forced(PartialHypothesis output) => output.Length >= length ? Vocabulary.Eos : null;
}

/// <summary>The output does not end before so many tokens.</summary>
internal sealed class MinimumLength(int length) : TokenRule
{
    public override void Forbid(PartialHypothesis output, HashSet<int> tokens)
    {
        if (output.Length < length)
            tokens.Add(Vocabulary.Eos);
    }
}

/// <summary>These tokens never follow.</summary>
internal sealed class ForbiddenTokens(IReadOnlyList<int> forbidden) : TokenRule
{
    public override void Forbid(PartialHypothesis output, HashSet<int> tokens) => tokens.UnionWith(forbidden);
}

/// <summary>The output begins with these tokens.</summary>
internal sealed class TargetPrefix(int[] prefix) : TokenRule
{
    public override int? Forced(PartialHypothesis output) => output.Length < prefix.Length ? prefix[output.Length] : null;
}

/// <summary>No n tokens in a row come twice in one output (Paulus et al. 2018, section 2.5). The end-of-sentence that ends an output is none of them; one that ends a line in whole text is a token like others.</summary>
/// <param name="size">n, at least 1.</param>
internal sealed class NoRepeatedNGrams(int size) : TokenRule
{
    public override void Forbid(PartialHypothesis output, HashSet<int> tokens)
    {
        int[] all = output.Tokens();
        var last = all.AsSpan(Math.Max(0, all.Length - (size - 1)));
        for (int i = 0; i + size <= all.Length; i++)
        {
            if (all.AsSpan(i, size - 1).SequenceEqual(last))
                tokens.Add(all[i + size - 1]);
        }
    }
}
