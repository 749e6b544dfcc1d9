namespace CudaSeq.Models;

/// <summary>How sequences are searched for. The defaults are fairseq's.</summary>
public sealed record DecodingOptions
{
    /// <summary>The most hypotheses of a sentence.</summary>
    public const int MostBeam = 1000;

    /// <summary>The most samples of a sentence.</summary>
    public const int MostSamples = 100_000;

    /// <summary>The most and, negative, the least power of the length.</summary>
    public const float MostLengthPenalty = 10;

    private const float LeastTemperature = 1e-6f;

    /// <summary>Hypotheses kept of each sentence; 1 is greedy search.</summary>
    public int Beam { get; init; } = 5;

    /// <summary>
    /// Hypotheses returned of each sentence, at most <see cref="Beam"/>; fewer are returned where fewer ended. With <see cref="Sampling"/> the samples that are drawn, all of
    /// which are returned; the beam does not count then.
    /// </summary>
    public int NBest { get; init; } = 1;

    /// <summary>
    /// p in score = (sum of log probabilities) / length^p, where the length counts the end-of-sentence that ends an output. Above 1 favours long outputs, below 1 short ones, 0 compares
    /// plain log probabilities. What takes the place of the length is a matter of <see cref="LengthPenaltyForm"/>.
    /// </summary>
    public float LengthPenalty { get; init; } = 1;

    /// <summary>Whether the length itself or GNMT's (5 + length) / 6 is raised to the power of the length penalty.</summary>
    public LengthPenaltyForm LengthPenaltyForm { get; init; }

    /// <summary>a in the longest output, a |x| + b tokens before end-of-sentence, where |x| counts the source's end-of-sentence.</summary>
    public double MaxLengthA { get; init; }

    /// <summary>b in the longest output.</summary>
    public int MaxLengthB { get; init; } = 200;

    /// <summary>No output is longer than this, whatever a |x| + b says.</summary>
    public int MaxLength { get; init; } = 1023;

    /// <summary>
    /// Whether end-of-sentence ends an output. Where it does not, as in text that a language model writes over several lines, it is a token like others, the end of a line, and an
    /// output ends when it is as long as it may be; <see cref="MinLength"/> says nothing then, and phrases cannot be asked for.
    /// </summary>
    public bool StopsAtEndOfSentence { get; init; } = true;

    /// <summary>The shortest output, in tokens before end-of-sentence.</summary>
    public int MinLength { get; init; } = 1;

    /// <summary>n: no n tokens in a row come twice in an output; 0 lets them. Tokens of a prefix are not kept from it. Where nothing else is left, an output ends.</summary>
    public int NoRepeatNGramSize { get; init; }

    /// <summary>
    /// What logits are divided by before their softmax, in every kind of search: above 1 flattens the distribution, below 1 sharpens it. Scores are those of the changed distribution.
    /// At least 0.000001: below it logits need not be numbers any more.
    /// </summary>
    public float Temperature { get; init; } = 1;

    /// <summary>
    /// Whether <see cref="NBest"/> independent samples are drawn instead of a search for likely outputs. They are returned in the order of their scores, which are the model's log
    /// probabilities, whatever was kept from being drawn.
    /// </summary>
    public bool Sampling { get; init; }

    /// <summary>k: samples are drawn from the k likeliest tokens of each step; 0 for all.</summary>
    public int SamplingTopK { get; init; }

    /// <summary>p: samples are drawn from the smallest set of likeliest tokens whose probability reaches p, the token that crosses it included; 1 for all.</summary>
    public float SamplingTopP { get; init; } = 1;

    /// <summary>The seed of samples. The same seed gives a sentence the same samples, up to rounding, whatever its place and its batch; equal sentences get equal ones.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>
    /// Groups of diverse beam search (Vijayakumar et al. 2018); divides <see cref="Beam"/>, 1 is plain beam search. Each group is a beam search of its own with an equal part of the beam.
    /// </summary>
    public int DiverseBeamGroups { get; init; } = 1;

    /// <summary>What a token costs a group for each hypothesis of the groups before it that took the same token in the same step, in nats. The costs are part of the scores, as in fairseq.</summary>
    public float DiverseBeamStrength { get; init; } = 0.5f;

    /// <summary>In what order phrases that must appear come, where a sentence has such constraints.</summary>
    public ConstraintOrder ConstraintOrder { get; init; }

    /// <summary>Whether hypotheses say which source token each of their tokens is aligned to. The decoder then reads each of them once more.</summary>
    public bool Alignments { get; init; }

    /// <summary>
    /// Source tokens of a batch, padding included: sentences * longest, before a GPU rounds both up. A longer sentence is a batch of its own. Results do not depend on it beyond rounding.
    /// A language model has no source: what counts is the longest output, the prefix included.
    /// </summary>
    public int BatchTokens { get; init; } = 2048;

    /// <summary>
    /// Whether a GPU captures the steps of each shape as a CUDA graph when it comes for the second time. No bit changes by it: on a GPU numbers of sentences, widths of sources and
    /// room for positions are rounded up to a power of two or one and a half of it, with graphs and without.
    /// </summary>
    public bool Graphs { get; init; } = true;

    /// <summary>Checks the options.</summary>
    /// <returns>One sentence for each problem; empty if there is none.</returns>
    public IReadOnlyList<string> Validate()
    {
        var problems = new List<string>();
        Between(1, MostBeam, Beam, "beam");
        Between(1, Sampling ? MostSamples : MostBeam, NBest, "nbest");
        AtLeast(0, MaxLengthB, "max_length_b");
        AtLeast(1, MaxLength, "max_length");
        AtLeast(0, MinLength, "min_length");
        AtLeast(1, BatchTokens, "batch_tokens");
        AtLeast(0, NoRepeatNGramSize, "no_repeat_ngram_size");
        AtLeast(0, SamplingTopK, "sampling_topk");
        AtLeast(1, DiverseBeamGroups, "diverse_beam_groups");
        if (NBest > Beam && !Sampling)
            problems.Add($"nbest must be at most beam, got {NBest} and {Beam}.");
        if (StopsAtEndOfSentence && MinLength > MaxLength)
            problems.Add($"min_length must be at most max_length, got {MinLength} and {MaxLength}.");
        if (!double.IsFinite(MaxLengthA) || MaxLengthA < 0)
            problems.Add(FormattableString.Invariant($"max_length_a must be a finite number of at least 0, got {MaxLengthA}."));
        if (!(Math.Abs(LengthPenalty) <= MostLengthPenalty))
            problems.Add(FormattableString.Invariant($"length_penalty must be from {-MostLengthPenalty} to {MostLengthPenalty}, got {LengthPenalty}."));
        if (!float.IsFinite(Temperature) || Temperature < LeastTemperature)
            problems.Add(FormattableString.Invariant($"temperature must be a finite number of at least {LeastTemperature:f6}, got {Temperature}."));
        if (!(SamplingTopP > 0 && SamplingTopP <= 1))
            problems.Add(FormattableString.Invariant($"sampling_topp must be above 0 and at most 1, got {SamplingTopP}."));
        if (!Sampling && SamplingTopK != 0)
            problems.Add($"sampling_topk must be 0 without sampling, got {SamplingTopK}.");
        if (!Sampling && SamplingTopP != 1)
            problems.Add(FormattableString.Invariant($"sampling_topp must be 1 without sampling, got {SamplingTopP}."));
        if (Sampling && DiverseBeamGroups > 1)
            problems.Add($"diverse_beam_groups must be 1 with sampling, got {DiverseBeamGroups}.");
        else if (DiverseBeamGroups > 1 && Beam % DiverseBeamGroups != 0)
            problems.Add($"diverse_beam_groups must divide beam, got {DiverseBeamGroups} and {Beam}.");
        if (Alignments && Exit is not null)
            problems.Add("alignments are of the decoder's last layer, they cannot be had with exits before it.");
        if (!float.IsFinite(DiverseBeamStrength) || DiverseBeamStrength < 0)
            problems.Add(FormattableString.Invariant($"diverse_beam_strength must be a finite number of at least 0, got {DiverseBeamStrength}."));
        return problems;

        void Between(int least, int most, int value, string key)
        {
            if (value < least || value > most)
                problems.Add($"{key} must be from {least} to {most}, got {value}.");
        }

        void AtLeast(int least, int value, string key)
        {
            if (value < least)
                problems.Add($"{key} must be at least {least}, got {value}.");
        }
    }

    /// <summary>The same rules and lengths without a beam and without chance.</summary>
    public DecodingOptions Greedy() => this with { Beam = 1, NBest = 1, DiverseBeamGroups = 1, Sampling = false, SamplingTopK = 0, SamplingTopP = 1 };

    /// <summary>When positions leave the decoder before its last layer; null for never. A GPU captures no steps then.</summary>
    public ExitRule? Exit { get; init; }

    /// <summary>Tokens that outputs never hold, besides padding.</summary>
    internal IReadOnlyList<int> Never { get; init; } = [];

    /// <summary>Whether <see cref="MinLength"/> counts the tokens that follow a prefix rather than all of them.</summary>
    internal bool MinLengthFollowsPrefix { get; init; }

    /// <summary>Outputs of a sentence side by side.</summary>
    internal int Rows => Sampling ? NBest : Beam;

    /// <summary>Makes the search for one sentence.</summary>
    /// <param name="source">Its tokens.</param>
    /// <param name="prefix">What the output begins with.</param>
    /// <param name="vocabulary">V of the target.</param>
    /// <param name="constraints">Phrases that the output must hold; without any the search is as if there were no such thing.</param>
    internal SentenceSearch Search(int[] source, int[] prefix, int vocabulary, IReadOnlyList<LexicalConstraint> constraints)
    {
        int longest = LongestFor(source.Length);
        List<TokenRule> rules = StopsAtEndOfSentence
            ? [new MaximumLength(longest), new TargetPrefix(prefix), new MinimumLength((MinLengthFollowsPrefix ? prefix.Length : 0) + MinLength)]
            : [new TargetPrefix(prefix)];
        if (Never.Count > 0)
            rules.Add(new ForbiddenTokens(Never));
        if (NoRepeatNGramSize > 0)
            rules.Add(new NoRepeatedNGrams(NoRepeatNGramSize));
        var allowed = new TokenRules(vocabulary, rules) { CutAfter = StopsAtEndOfSentence ? null : longest };
        var score = new LengthScore(LengthPenaltyForm, LengthPenalty);
        if (constraints.Count > 0)
            return new ConstrainedBeamSearch(Beam, new ConstraintSet(constraints, ConstraintOrder), longest, allowed, score);
        return Sampling
            ? new SamplingSearch(NBest, allowed, score, new TokenSampler(SamplingTopK, SamplingTopP), Seed, source)
            : new BeamSearch(Beam, allowed, score, DiverseBeamGroups, DiverseBeamStrength);
    }

    /// <summary>Why outputs cannot be made to hold phrases, in one sentence; null where they can.</summary>
    /// <param name="sourceLength">Tokens of the source.</param>
    /// <param name="prefix">What the output begins with.</param>
    /// <param name="constraints">The phrases.</param>
    internal string? ConstraintProblem(int sourceLength, int[] prefix, IReadOnlyList<LexicalConstraint> constraints)
    {
        if (constraints.Count == 0)
            return null;
        if (Sampling || DiverseBeamGroups > 1)
            return $"constraints need plain beam search, got {(Sampling ? "sampling" : $"{DiverseBeamGroups} diverse beam groups")}.";
        if (!StopsAtEndOfSentence)
            return "constraints need outputs that end-of-sentence ends, got outputs that go on after it.";
        int longest = LongestFor(sourceLength);
        var (output, progress) = (PartialHypothesis.Empty, ConstraintProgress.Of(new ConstraintSet(constraints, ConstraintOrder)));
        foreach (int token in prefix.AsSpan(0, Math.Min(prefix.Length, longest)))
        {
            output = output.Then(token, 0);
            progress = progress.Then(output);
        }

        return progress.Needed <= longest - output.Length
            ? null
            : $"constraints must fit into the longest output, got {progress.Needed} tokens of them{(output.Length == 0 ? "" : $" after a prefix of {output.Length}")} and at most {longest}.";
    }

    /// <summary>The longest output for one source: a |x| + b, at most <see cref="MaxLength"/>, at least 1 and, where end-of-sentence ends an output, <see cref="MinLength"/>.</summary>
    internal int LongestFor(int sourceLength)
        => (int)Math.Clamp(Math.Floor((MaxLengthA * sourceLength) + MaxLengthB), Math.Max(1, StopsAtEndOfSentence ? MinLength : 1), MaxLength);
}
