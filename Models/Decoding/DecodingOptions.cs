namespace CudaSeq.Models;

/// <summary>How sequences are searched for. The defaults are fairseq's.</summary>
public sealed record DecodingOptions
{
    /// <summary>Hypotheses kept of each sentence; 1 is greedy search.</summary>
    public int Beam { get; init; } = 5;

    /// <summary>Hypotheses returned of each sentence, at most <see cref="Beam"/>; fewer are returned where fewer ended.</summary>
    public int NBest { get; init; } = 1;

    /// <summary>
    /// p in score = (sum of log probabilities) / length^p, where the length counts end-of-sentence. Above 1 favours long outputs, below 1 short ones, 0 compares
    /// plain log probabilities. This is fairseq's form, not the one of Wu et al. 2016 (GNMT).
    /// </summary>
    public float LengthPenalty { get; init; } = 1;

    /// <summary>a in the longest output, a |x| + b tokens before end-of-sentence, where |x| counts the source's end-of-sentence.</summary>
    public double MaxLengthA { get; init; }

    /// <summary>b in the longest output.</summary>
    public int MaxLengthB { get; init; } = 200;

    /// <summary>No output is longer than this, whatever a |x| + b says.</summary>
    public int MaxLength { get; init; } = 1023;

    /// <summary>The shortest output, in tokens before end-of-sentence.</summary>
    public int MinLength { get; init; } = 1;

    /// <summary>
    /// Source tokens of a batch, padding included: sentences * longest, before a GPU rounds both up. A longer sentence is a batch of its own. Results do not depend on it beyond rounding.
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
        AtLeast(1, Beam, "beam");
        AtLeast(1, NBest, "nbest");
        AtLeast(0, MaxLengthB, "max_length_b");
        AtLeast(1, MaxLength, "max_length");
        AtLeast(0, MinLength, "min_length");
        AtLeast(1, BatchTokens, "batch_tokens");
        if (NBest > Beam)
            problems.Add($"nbest must be at most beam, got {NBest} and {Beam}.");
        if (MinLength > MaxLength)
            problems.Add($"min_length must be at most max_length, got {MinLength} and {MaxLength}.");
        if (!double.IsFinite(MaxLengthA) || MaxLengthA < 0)
            problems.Add(FormattableString.Invariant($"max_length_a must be a finite number of at least 0, got {MaxLengthA}."));
        if (!float.IsFinite(LengthPenalty))
            problems.Add(FormattableString.Invariant($"length_penalty must be a finite number, got {LengthPenalty}."));
        return problems;

        void AtLeast(int least, int value, string key)
        {
            if (value < least)
                problems.Add($"{key} must be at least {least}, got {value}.");
        }
    }

    /// <summary>The longest output for one source: a |x| + b, at most <see cref="MaxLength"/>, at least <see cref="MinLength"/> and 1.</summary>
    internal int LongestFor(int sourceLength)
        => (int)Math.Clamp(Math.Floor((MaxLengthA * sourceLength) + MaxLengthB), Math.Max(1, MinLength), MaxLength);
}
