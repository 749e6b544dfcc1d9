namespace CudaSeq.Models;

/// <summary>
/// Beam search, fairseq's rules. Each step looks at the best 2 * beam continuations of all live hypotheses. Of the first beam of them, those that end are finished; the first
/// beam of those that do not end live on. The search is over when beam hypotheses have finished, or when none lives on.
/// </summary>
/// <remarks>
/// Diverse beam search (Vijayakumar et al. 2018) is several such searches side by side, the groups, each with its part of the beam. A group takes its step after those before it,
/// and a token costs it the strength for each hypothesis of theirs that took that token in this step (Hamming diversity). What it costs stays in the score, as in fairseq.
/// A prescribed token costs nothing.
/// </remarks>
internal sealed class BeamSearch : SentenceSearch
{
    private readonly int _beam;
    private readonly int _width;
    private readonly float _strength;
    private readonly int[] _finished;
    private readonly List<Candidate> _candidates = [];
    private readonly Dictionary<int, int> _taken = [];
    private readonly PartialHypothesis?[] _next;

    /// <summary>Starts with one live hypothesis in each group, the empty one.</summary>
    /// <param name="beam">Hypotheses kept.</param>
    /// <param name="rules">What may follow a hypothesis.</param>
    /// <param name="score">What finished hypotheses are compared by.</param>
    /// <param name="groups">Groups; divides the beam.</param>
    /// <param name="strength">What a token costs for each hypothesis of an earlier group that took it.</param>
    public BeamSearch(int beam, TokenRules rules, LengthScore score, int groups = 1, float strength = 0)
        : base(beam, rules, score)
    {
        _beam = beam;
        _width = beam / groups;
        _strength = strength;
        _finished = new int[groups];
        _next = new PartialHypothesis?[_width];
        for (int group = 0; group < groups; group++)
            Live[group * _width] = PartialHypothesis.Empty;
        ApplyRules();
    }

    /// <summary>
    /// Twice the beam, and those that may be forbidden. That is enough for groups too: of twice their width and the tokens of all other rows, at most so many cost something.
    /// </summary>
    public override int Candidates => CandidatesFor(_beam);

    /// <inheritdoc/>
    public override void Advance(StepScores scores, int first)
    {
        _taken.Clear();
        bool finished = true;
        for (int group = 0; group < _finished.Length; group++)
            finished &= AdvanceGroup(group, scores, first);
        IsFinished = finished;
        ApplyRules();
    }

    private bool AdvanceGroup(int group, StepScores scores, int first)
    {
        int start = group * _width;
        Collect(start, scores, first);
        if (_candidates.Count == 0 && _finished[group] == 0)
            EndAnyway(start, group);
        Array.Clear(_next);
        int live = 0;
        for (int i = 0; i < Math.Min(2 * _width, _candidates.Count) && live < _width; i++)
        {
            var candidate = _candidates[i];
            var parent = Live[candidate.Row]!;
            if (Ends(candidate.Token))
            {
                if (i >= _width || _finished[group] == _width)
                    continue;
                Finish(parent, candidate.Score);
                _finished[group]++;
            }
            else
            {
                _next[live] = parent.Then(candidate.Token, candidate.Score);
                Rows[start + live] = candidate.Row;
                Tokens[start + live] = candidate.Token;
                live++;
            }

            _taken[candidate.Token] = _taken.GetValueOrDefault(candidate.Token) + 1;
        }

        bool over = _finished[group] == _width || live == 0;
        for (int i = 0; i < _width; i++)
        {
            if (i >= live)
                (Rows[start + i], Tokens[start + i]) = live > 0 ? (Rows[start], Tokens[start]) : (start, Vocabulary.Eos);
            Live[start + i] = over ? null : _next[i];
        }

        return over;
    }

    private void Collect(int start, StepScores scores, int first)
    {
        _candidates.Clear();
        for (int row = start; row < start + _width; row++)
        {
            if (Live[row] is not { } hypothesis)
                continue;
            var allowed = Allowed(row);
            if (allowed.Forced is { } forced)
            {
                Offer(row, forced, hypothesis, scores.Of(first + row, forced), cost: 0, forced: true);
                continue;
            }

            var best = scores.Best(first + row);
            var tokens = scores.Tokens(first + row);
            for (int i = 0; i < best.Length; i++)
            {
                if (!allowed.Forbidden.Contains(tokens[i]))
                    Offer(row, tokens[i], hypothesis, best[i], _strength * _taken.GetValueOrDefault(tokens[i]));
            }
        }

        // Equal scores go to the lower row, then to the lower token.
        _candidates.Sort(static (a, b) => (b.Sum.CompareTo(a.Sum), a.Row.CompareTo(b.Row)) switch
        {
            (not 0 and var bySum, _) => bySum,
            (_, not 0 and var byRow) => byRow,
            _ => a.Token.CompareTo(b.Token),
        });
    }

    // The model gives no token that may come any probability; a search ends with an output all the same.
    private void EndAnyway(int start, int group)
    {
        if (Array.FindIndex(Live, start, _width, o => o is not null) is >= 0 and var row)
        {
            Finish(Live[row]!, float.NegativeInfinity);
            _finished[group]++;
        }
    }

    private void Offer(int row, int token, PartialHypothesis hypothesis, float score, float cost, bool forced = false)
    {
        score = Number(score, token, hypothesis) - cost;
        if (forced || !float.IsNegativeInfinity(score))
            _candidates.Add(new Candidate(row, token, hypothesis.Sum + score, score));
    }

    private readonly record struct Candidate(int Row, int Token, float Sum, float Score);
}
