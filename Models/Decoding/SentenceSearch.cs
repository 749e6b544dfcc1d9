namespace CudaSeq.Models;

/// <summary>
/// The search for the outputs of one sentence, over numbers alone: unfinished outputs side by side in rows, rules for what may follow each, and a way to choose, which
/// a search of each kind has of its own.
/// </summary>
internal abstract class SentenceSearch
{
    // How many tokens are forbidden varies from step to step; a GPU captures each number of candidates.
    private const int CandidateMultiple = 8;
    private const int UsuallyForbidden = 2;

    private readonly TokenRules _rules;
    private readonly LengthScore _score;
    private readonly List<Hypothesis> _finished = [];
    private readonly AllowedTokens?[] _allowed;

    /// <param name="rows">Outputs side by side.</param>
    /// <param name="rules">What may follow an output.</param>
    /// <param name="score">What finished outputs are compared by.</param>
    protected SentenceSearch(int rows, TokenRules rules, LengthScore score)
    {
        _rules = rules;
        _score = score;
        _allowed = new AllowedTokens?[rows];
        Live = new PartialHypothesis?[rows];
        Rows = new int[rows];
        Tokens = new int[rows];
        Array.Fill(Tokens, Vocabulary.Eos);
    }

    /// <summary>Whether the search is over.</summary>
    public bool IsFinished { get; protected set; }

    /// <summary>For each row, the row before the last step that it continues.</summary>
    public int[] Rows { get; }

    /// <summary>The last token of each row. What it is where no output goes on means nothing.</summary>
    public int[] Tokens { get; }

    /// <summary>Tokens whose scores the next step must give for every row: those that rules prescribe, at least.</summary>
    public virtual IEnumerable<int> Asked => _allowed.OfType<AllowedTokens>().Select(a => a.Forced).OfType<int>();

    /// <summary>The likeliest tokens that the next step must give for every row.</summary>
    public abstract int Candidates { get; }

    /// <summary>Whether the next step must give all scores.</summary>
    public virtual bool ReadsAll => false;

    /// <summary>The unfinished output of each row; null where there is none.</summary>
    protected PartialHypothesis?[] Live { get; }

    private int MostForbidden => _allowed.Max(a => a is null or { Forced: not null } ? 0 : a.Forbidden.Count);

    /// <summary>Takes a step.</summary>
    /// <param name="scores">What the model says of the rows of all searches.</param>
    /// <param name="first">The first of this search's rows.</param>
    /// <exception cref="InvalidOperationException">A log probability is not a number.</exception>
    public abstract void Advance(StepScores scores, int first);

    /// <summary>The finished hypotheses, best first; equal scores in the order they finished.</summary>
    public IReadOnlyList<Hypothesis> Best(int count) => [.. _finished.OrderByDescending(h => h.Score).Take(count)];

    /// <summary>Twice the beam, and those that may be forbidden.</summary>
    protected int CandidatesFor(int beam)
        => (2 * beam) + UsuallyForbidden + ((Math.Max(0, MostForbidden - UsuallyForbidden) + CandidateMultiple - 1) / CandidateMultiple * CandidateMultiple);

    /// <summary>What may follow a row's output.</summary>
    protected AllowedTokens Allowed(int row) => _allowed[row]!;

    /// <summary>Asks the rules again, once the rows have changed. An output that is over without end-of-sentence leaves its row; when none is left, so is the search.</summary>
    protected void ApplyRules()
    {
        for (int row = 0; row < Live.Length; row++)
        {
            if (Live[row] is { } output && _rules.IsOver(output))
            {
                _finished.Add(output.Cut(_score));
                Live[row] = null;
            }

            _allowed[row] = Live[row] is { } live ? _rules.After(live) : null;
        }

        IsFinished |= Array.TrueForAll(Live, o => o is null);
    }

    /// <summary>Whether a token ends an output.</summary>
    protected bool Ends(int token) => _rules.Ends(token);

    /// <summary>Keeps an output that ends.</summary>
    protected void Finish(PartialHypothesis output, float endScore) => _finished.Add(output.End(endScore, _score));

    /// <summary>Refuses what is not a number.</summary>
    protected static float Number(float score, int token, PartialHypothesis output) => !float.IsNaN(score)
        ? score
        : throw new InvalidOperationException($"SequenceGenerator: log probabilities must be numbers, got NaN for token {token} after {output.Length} tokens. The model is damaged.");
}
