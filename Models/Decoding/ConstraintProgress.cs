namespace CudaSeq.Models;

/// <summary>How far an output has come with the phrases that it must hold: a function of its tokens alone.</summary>
internal sealed class ConstraintProgress
{
    private readonly ConstraintSet _set;
    private readonly PartialHypothesis _output;

    // Places where each phrase is still missing.
    private readonly int[] _left;

    // Of phrases in order: the next one begins here or later.
    private readonly int _floor;

    // Phrases that the last token completed, unless the next one goes on with their last word; and the floor before.
    private readonly (int Phrase, int Floor)[] _pending;

    private ConstraintProgress(ConstraintSet set, PartialHypothesis output, int[] left, int floor, (int Phrase, int Floor)[] pending)
    {
        (_set, _output, _left, _floor, _pending) = (set, output, left, floor, pending);
        (Needed, Wanted) = Rest();
    }

    /// <summary>Whether the output may end here.</summary>
    public bool IsMet => Array.TrueForAll(_left, n => n == 0);

    /// <summary>Tokens in which all that is missing can be said: that of the phrase furthest on to its end, then the others one after the other. Shared words may make do with fewer.</summary>
    public int Needed { get; }

    /// <summary>The tokens that begin a phrase that is missing or go on with one.</summary>
    public IReadOnlyList<int> Wanted { get; }

    /// <summary>Whether the next token may undo what the last one completed.</summary>
    public bool MayBeUndone => _pending.Length > 0;

    /// <summary>That of the empty output.</summary>
    public static ConstraintProgress Of(ConstraintSet set) => new(set, PartialHypothesis.Empty, set.Counts, 0, []);

    /// <summary>That of an output with one token more.</summary>
    public ConstraintProgress Then(PartialHypothesis next)
    {
        int[] left = [.. _left];
        int floor = _floor;
        foreach (var (phrase, before) in _pending)
        {
            if (IsUndoneBy(phrase, next.Token))
                (left[phrase], floor) = (left[phrase] + 1, before);
        }

        List<(int Phrase, int Floor)> pending = [];
        for (int phrase = 0; phrase < left.Length; phrase++)
        {
            if (left[phrase] == 0)
                continue;
            if (Ends(next, phrase, _set.Phrases[phrase].Tokens.Length, floor))
            {
                left[phrase]--;
                if (_set.Phrases[phrase].After is not null)
                    pending.Add((phrase, floor));
                floor = _set.IsOrdered ? next.Length : floor;
            }

            if (_set.IsOrdered)
                break;
        }

        return new ConstraintProgress(_set, next, left, floor, [.. pending]);
    }

    // Whether an output ends in the first `count` tokens of a phrase, at a place where it may begin.
    private bool Ends(PartialHypothesis output, int phrase, int count, int floor)
    {
        if (output.Length - count < floor)
            return false;
        var constraint = _set.Phrases[phrase];
        var node = output;
        for (int i = count - 1; i >= 0; i--, node = node.Previous!)
        {
            if (node.Token != constraint.Tokens[i])
                return false;
        }

        return node.Length == 0 || constraint.Before is null || constraint.Before(node.Token);
    }

    private bool IsUndoneBy(int phrase, int token) => _set.Phrases[phrase].After is { } after && !after(token);

    private (int Needed, IReadOnlyList<int> Wanted) Rest()
    {
        int all = 0;
        for (int phrase = 0; phrase < _left.Length; phrase++)
            all += _left[phrase] * _set.Phrases[phrase].Tokens.Length;
        if (all == 0)
            return (0, []);
        int? least = null;
        List<int> wanted = [];
        for (int phrase = 0; phrase < _left.Length; phrase++)
        {
            int[] tokens = _set.Phrases[phrase].Tokens;
            for (int said = 0; said < tokens.Length && _left[phrase] > 0; said++)
            {
                if (!Ends(_output, phrase, said, _floor))
                    continue;
                int undone = _pending.Where(p => IsUndoneBy(p.Phrase, tokens[said])).Sum(p => _set.Phrases[p.Phrase].Tokens.Length);
                if (undone > 0 && _set.IsOrdered)
                    continue;
                least = Math.Min(least ?? int.MaxValue, all + undone - said);
                if (!wanted.Contains(tokens[said]))
                    wanted.Add(tokens[said]);
            }

            if (_set.IsOrdered && _left[phrase] > 0)
                break;
        }

        // Inside a word no phrase can begin: it must end first.
        return (least ?? all + 1, wanted);
    }
}
