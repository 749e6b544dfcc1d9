using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// Independent samples, one a row, each drawn token by token. What a sentence's samples are depends on the seed and on the sentence alone, not on its place or on
/// what else is in the batch, so equal sentences get equal samples. A sample that has ended leaves its row idle.
/// </summary>
internal sealed class SamplingSearch : SentenceSearch
{
    private readonly TokenSampler _sampler;
    private readonly RandomSource[] _random;

    /// <summary>Starts with an empty output in every row.</summary>
    /// <param name="samples">Rows.</param>
    /// <param name="rules">What may follow an output.</param>
    /// <param name="score">What finished outputs are compared by.</param>
    /// <param name="sampler">Draws.</param>
    /// <param name="seed">The seed of all sentences.</param>
    /// <param name="source">The sentence.</param>
    public SamplingSearch(int samples, TokenRules rules, LengthScore score, TokenSampler sampler, ulong seed, ReadOnlySpan<int> source)
        : base(samples, rules, score)
    {
        _sampler = sampler;
        _random = new RandomSource[samples];
        for (int row = 0; row < samples; row++)
        {
            _random[row] = new RandomSource(SeedOf(seed, source, row));
            Rows[row] = row;
        }

        Array.Fill(Live, PartialHypothesis.Empty);
        ApplyRules();
    }

    /// <inheritdoc/>
    public override int Candidates => 1;

    /// <inheritdoc/>
    public override bool ReadsAll => true;

    /// <summary>The seed of one sample: all of (seed, sentence, row) mixed (FNV-1a, then the finaliser of SplitMix64).</summary>
    public static ulong SeedOf(ulong seed, ReadOnlySpan<int> source, int row)
    {
        ulong hash = 14695981039346656037UL;
        Add(seed);
        foreach (int token in source)
            Add((ulong)token);
        Add((ulong)row);
        hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9UL;
        hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EBUL;
        return hash ^ (hash >> 31);

        void Add(ulong value)
        {
            for (int shift = 0; shift < 64; shift += 8)
                hash = unchecked((hash ^ ((value >> shift) & 0xFF)) * 1099511628211UL);
        }
    }

    /// <inheritdoc/>
    public override void Advance(StepScores scores, int first)
    {
        Span<float> random = stackalloc float[1];
        for (int row = 0; row < Live.Length; row++)
        {
            if (Live[row] is not { } output)
                continue;
            var all = scores.All(first + row);
            for (int i = 0; i < all.Length; i++)
                Number(all[i], i, output);
            _random[row].Uniform(random, 0, 1);
            var allowed = Allowed(row);
            int token = allowed.Forced ?? _sampler.Draw(all, allowed.Forbidden, random[0]) ?? Vocabulary.Eos;
            bool ends = Ends(token);
            if (ends)
                Finish(output, all[token]);
            Live[row] = ends ? null : output.Then(token, all[token]);
            Tokens[row] = token;
        }

        IsFinished = Array.TrueForAll(Live, o => o is null);
        ApplyRules();
    }
}
