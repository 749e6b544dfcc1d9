namespace CudaSeq.Models;

/// <summary>
/// The search for one sentence, fairseq's rules over numbers alone. Each step looks at the best 2 * beam continuations of all live hypotheses. Of the first beam of them,
/// those that end are finished; the first beam of those that do not end live on. The search is over when beam hypotheses have finished, or at the maximum
/// length, where every hypothesis ends.
/// </summary>
internal sealed class BeamSearch
{
    private readonly int _beam;
    private readonly int _minLength;
    private readonly int _maxLength;
    private readonly float _lengthPenalty;
    private readonly List<Candidate> _candidates = [];
    private readonly List<Hypothesis> _finished = [];
    private Node?[] _live;
    private Node?[] _next;
    private int _step;

    /// <summary>Starts with one live hypothesis, the empty one.</summary>
    /// <param name="beam">Hypotheses kept.</param>
    /// <param name="minLength">Tokens before end-of-sentence is allowed.</param>
    /// <param name="maxLength">Tokens after which end-of-sentence is forced.</param>
    /// <param name="lengthPenalty">p in score = sum / length^p.</param>
    public BeamSearch(int beam, int minLength, int maxLength, float lengthPenalty)
    {
        _beam = beam;
        _minLength = minLength;
        _maxLength = maxLength;
        _lengthPenalty = lengthPenalty;
        _live = new Node?[beam];
        _next = new Node?[beam];
        _live[0] = new Node(Vocabulary.Eos, 0, 0, null);
        Rows = new int[beam];
        Tokens = new int[beam];
        Array.Fill(Tokens, Vocabulary.Eos);
    }

    /// <summary>Whether the search is over.</summary>
    public bool IsFinished { get; private set; }

    /// <summary>Whether the next step can only end.</summary>
    public bool MustEnd => _step == _maxLength;

    /// <summary>For each row of the beam, the row before the last step that it continues.</summary>
    public int[] Rows { get; }

    /// <summary>The last token of each row. Rows without a live hypothesis repeat the first.</summary>
    public int[] Tokens { get; }

    /// <summary>Continuations a row has to offer per step: twice the beam, and those that may be forbidden.</summary>
    public static int CandidatesPerRow(int beam) => (2 * beam) + 2;

    /// <summary>Takes a step.</summary>
    /// <param name="scores">[beam, k], log probabilities of each row's best continuations, descending; k is <see cref="CandidatesPerRow"/> or the vocabulary.</param>
    /// <param name="tokens">[beam, k], which they are.</param>
    /// <param name="endScores">[beam], the log probability of end-of-sentence; read only when <see cref="MustEnd"/>.</param>
    /// <exception cref="InvalidOperationException">A log probability is not a number.</exception>
    public void Advance(ReadOnlySpan<float> scores, ReadOnlySpan<int> tokens, ReadOnlySpan<float> endScores)
    {
        Collect(scores, tokens, endScores);
        Array.Clear(_next);
        int live = 0;
        for (int i = 0; i < Math.Min(2 * _beam, _candidates.Count) && live < _beam; i++)
        {
            var candidate = _candidates[i];
            if (candidate.Token == Vocabulary.Eos)
            {
                if (i < _beam && _finished.Count < _beam)
                    Finish(candidate);
                continue;
            }

            _next[live] = new Node(candidate.Token, candidate.Sum, candidate.Score, _live[candidate.Row]);
            Rows[live] = candidate.Row;
            Tokens[live] = candidate.Token;
            live++;
        }

        for (int i = live; i < _beam; i++)
            (Rows[i], Tokens[i]) = live > 0 ? (Rows[0], Tokens[0]) : (0, Vocabulary.Eos);
        (_live, _next) = (_next, _live);
        IsFinished = _finished.Count == _beam || _step == _maxLength || live == 0;
        _step++;
    }

    /// <summary>The finished hypotheses, best first; equal scores in the order they finished.</summary>
    public IReadOnlyList<Hypothesis> Best(int count) => [.. _finished.OrderByDescending(h => h.Score).Take(count)];

    private void Collect(ReadOnlySpan<float> scores, ReadOnlySpan<int> tokens, ReadOnlySpan<float> endScores)
    {
        _candidates.Clear();
        int k = scores.Length / _beam;
        for (int row = 0; row < _beam; row++)
        {
            if (_live[row] is not { } hypothesis)
                continue;
            if (MustEnd)
            {
                Offer(row, Vocabulary.Eos, hypothesis, endScores[row]);
                continue;
            }

            for (int i = row * k; i < (row + 1) * k; i++)
            {
                bool forbidden = tokens[i] == Vocabulary.Pad || (tokens[i] == Vocabulary.Eos && _step < _minLength);
                if (!forbidden)
                    Offer(row, tokens[i], hypothesis, scores[i]);
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

    private void Offer(int row, int token, Node hypothesis, float score)
    {
        if (float.IsNaN(score))
            throw new InvalidOperationException($"SequenceGenerator: log probabilities must be numbers, got NaN for token {token} after {_step} tokens. The model is damaged.");
        if (!float.IsNegativeInfinity(score))
            _candidates.Add(new Candidate(row, token, hypothesis.Sum + score, score));
    }

    private void Finish(Candidate last)
    {
        var tokens = new int[_step];
        var scores = new float[_step + 1];
        scores[_step] = last.Score;
        var node = _live[last.Row];
        for (int i = _step - 1; i >= 0; i--)
        {
            tokens[i] = node!.Token;
            scores[i] = node.Score;
            node = node.Previous;
        }

        _finished.Add(new Hypothesis(tokens, last.Sum / MathF.Pow(_step + 1, _lengthPenalty), scores));
    }

    private readonly record struct Candidate(int Row, int Token, float Sum, float Score);

    /// <summary>The last token of a hypothesis, the sum of its log probabilities, this token's, and what came before.</summary>
    private sealed record Node(int Token, float Sum, float Score, Node? Previous);
}
