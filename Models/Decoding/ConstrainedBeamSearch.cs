namespace CudaSeq.Models;

/// <summary>
/// Beam search for outputs that hold given phrases: dynamic beam allocation (Post and Vilar, "Fast lexically constrained decoding with dynamic beam allocation", NAACL 2018).
/// Each step looks at the best 2 * beam continuations of all live hypotheses, at the best of each, and at those that begin or go on with a phrase that is missing. They are
/// sorted into banks by how many tokens of the phrases are said, and the beam takes the best of each bank in turn, then the second best of each, the fullest bank first, as fairseq does it.
/// What ends and what lives on is decided as in <see cref="BeamSearch"/>, where end-of-sentence ends a hypothesis; none ends before it holds every phrase.
/// </summary>
/// <remarks>
/// A phrase wins over what other rules forbid, but not over a prefix. A token after which the rest of the phrases would not fit into the longest output does not come, so that every output
/// holds its phrases.
/// </remarks>
internal sealed class ConstrainedBeamSearch : SentenceSearch
{
    private readonly int _beam;
    private readonly int _longest;
    private readonly int _most;
    private readonly ConstraintProgress?[] _progress;
    private readonly List<Candidate> _candidates = [];
    private int _finished;

    /// <summary>Starts with one live hypothesis, the empty one.</summary>
    /// <param name="beam">Hypotheses kept.</param>
    /// <param name="constraints">What each must hold.</param>
    /// <param name="longest">Tokens after which every hypothesis ends.</param>
    /// <param name="rules">What may follow a hypothesis.</param>
    /// <param name="score">What finished hypotheses are compared by.</param>
    public ConstrainedBeamSearch(int beam, ConstraintSet constraints, int longest, TokenRules rules, LengthScore score)
        : base(beam, rules, score)
    {
        _beam = beam;
        _longest = longest;
        _progress = new ConstraintProgress?[beam];
        _progress[0] = ConstraintProgress.Of(constraints);
        _most = _progress[0]!.Needed;
        Live[0] = PartialHypothesis.Empty;
        ApplyRules();
    }

    /// <inheritdoc/>
    public override int Candidates => CandidatesFor(_beam);

    /// <inheritdoc/>
    public override IEnumerable<int> Asked => base.Asked.Concat(_progress.OfType<ConstraintProgress>().SelectMany(p => p.Wanted));

    /// <summary>Where a word must end before a phrase can begin and there is no room for detours, the token that does it need not be a likely one.</summary>
    public override bool ReadsAll => Enumerable.Range(0, _beam).Any(IsPressed);

    /// <inheritdoc/>
    public override void Advance(StepScores scores, int first)
    {
        _candidates.Clear();
        for (int row = 0; row < _beam; row++)
        {
            if (Live[row] is { } hypothesis)
                Collect(row, hypothesis, scores, first + row);
        }

        if (_candidates.Count == 0 && _finished == 0)
            EndAnyway();
        Take(Allocated());
        ApplyRules();
    }

    private bool IsPressed(int row)
        => Live[row] is { } output && _progress[row] is { Wanted.Count: 0 } progress && (!progress.IsMet || progress.MayBeUndone) && _longest - output.Length <= _most + 1;

    private void Collect(int row, PartialHypothesis hypothesis, StepScores scores, int scored)
    {
        var allowed = Allowed(row);
        var progress = _progress[row]!;
        bool lastResort = allowed.IsLastResort && !progress.IsMet;
        if (allowed.Forced is { } forced && !lastResort)
        {
            Offer(forced, scores.Of(scored, forced), isWanted: true, isForced: true);
            return;
        }

        int before = _candidates.Count;
        foreach (int token in progress.Wanted)
            Offer(token, scores.Of(scored, token), isWanted: true);
        if (lastResort)
            return;
        var best = scores.Best(scored);
        var tokens = scores.Tokens(scored);
        for (int i = 0; i < best.Length; i++)
        {
            if (MayCome(tokens[i]))
                Offer(tokens[i], best[i]);
        }

        if (_candidates.Count > before || !IsPressed(row))
            return;
        for (int token = 0; token < scores.All(scored).Length; token++)
        {
            if (MayCome(token))
                Offer(token, scores.All(scored)[token]);
        }

        bool MayCome(int token) => !allowed.Forbidden.Contains(token) && !progress.Wanted.Contains(token) && (token != Vocabulary.Eos || progress.IsMet);

        void Offer(int token, float score, bool isWanted = false, bool isForced = false)
        {
            score = Number(score, token, hypothesis);
            if (!isWanted && float.IsNegativeInfinity(score))
                return;
            bool ends = token == Vocabulary.Eos;
            var next = hypothesis.Then(token, score);
            var reached = ends ? progress : progress.Then(next);
            if (isForced || ends || reached.Needed <= _longest - next.Length)
                _candidates.Add(new Candidate(row, next, reached, isWanted, reached.Needed <= progress.Needed));
        }
    }

    // Those that are looked at, in the order in which the banks are served. Equal scores go to the lower row, then to the lower token.
    private List<Candidate> Allocated()
    {
        _candidates.Sort(static (a, b) => (b.Next.Sum.CompareTo(a.Next.Sum), a.Row.CompareTo(b.Row)) switch
        {
            (not 0 and var bySum, _) => bySum,
            (_, not 0 and var byRow) => byRow,
            _ => a.Next.Token.CompareTo(b.Next.Token),
        });
        HashSet<int> rows = [], rowsThatKeep = [];
        Dictionary<int, int> banks = [];
        List<(int Rank, Candidate Candidate)> ranked = [];
        for (int i = 0; i < _candidates.Count; i++)
        {
            var candidate = _candidates[i];
            bool isBest = rows.Add(candidate.Row) | (candidate.KeepsAll && rowsThatKeep.Add(candidate.Row));
            if (i >= 2 * _beam && !isBest && !candidate.IsWanted)
                continue;
            int rank = banks.GetValueOrDefault(candidate.Progress.Needed);
            banks[candidate.Progress.Needed] = rank + 1;
            ranked.Add((rank, candidate));
        }

        return [.. ranked.OrderBy(r => r.Rank).ThenBy(r => r.Candidate.Progress.Needed).Select(r => r.Candidate).Take(2 * _beam)];
    }

    private void Take(List<Candidate> candidates)
    {
        var next = new Candidate?[_beam];
        int live = 0;
        for (int i = 0; i < candidates.Count && live < _beam; i++)
        {
            var candidate = candidates[i];
            if (candidate.Next.Token != Vocabulary.Eos)
            {
                next[live++] = candidate;
                continue;
            }

            if (i < _beam && _finished < _beam)
            {
                Finish(candidate.Next.Previous!, candidate.Next.Score);
                _finished++;
            }
        }

        IsFinished = _finished == _beam || live == 0;
        for (int row = 0; row < _beam; row++)
        {
            var from = next[row] ?? next[0];
            (Rows[row], Tokens[row]) = from is null ? (row, Vocabulary.Eos) : (from.Row, from.Next.Token);
            (Live[row], _progress[row]) = IsFinished ? (null, null) : (next[row]?.Next, next[row]?.Progress);
        }
    }

    // What may stand beside the phrases leaves no way to say them.
    private void EndAnyway()
    {
        if (Array.Find(Live, o => o is not null) is { } output)
        {
            Finish(output, float.NegativeInfinity);
            _finished++;
        }
    }

    /// <summary>A continuation.</summary>
    /// <param name="Row">The row it continues.</param>
    /// <param name="Next">The hypothesis with the token; where that is end-of-sentence, it is no live one.</param>
    /// <param name="Progress">What it has come to.</param>
    /// <param name="IsWanted">Whether it is looked at whatever its score.</param>
    /// <param name="KeepsAll">Whether nothing that was said of the phrases is undone.</param>
    private sealed record Candidate(int Row, PartialHypothesis Next, ConstraintProgress Progress, bool IsWanted, bool KeepsAll);
}
