using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// Greedy, beam and diverse beam search and sampling with any <see cref="AutoregressiveModel"/>. Sources, or what a language model may write, are sorted by length and batched by tokens; the hypotheses of a batch are decoded side by side,
/// and finished sentences leave it. The same input gives the same output; what else is in a batch changes it by no more than rounding.
/// Rules and scores are those of fairseq's generator.
/// </summary>
/// <example>
/// <code>
/// var results = new SequenceGenerator(model).Generate([codec.Encode("ein Hund .").Append(Vocabulary.Eos).ToArray()], new DecodingOptions { Beam = 5 });
/// string translation = codec.Decode(results[0][0].Tokens);
/// </code>
/// </example>
/// <param name="model">The model; the caller keeps and disposes it.</param>
public sealed class SequenceGenerator(AutoregressiveModel model)
{
    /// <summary>Shapes of steps that a GPU launched as graphs in the last call.</summary>
    public int CapturedShapes { get; private set; }

    /// <summary>How many positions of the last call left the decoder after each layer, hypotheses that were given up included; empty without <see cref="DecodingOptions.Exit"/>.</summary>
    public IReadOnlyList<long> ExitCounts { get; private set; } = [];

    /// <summary>Why a step of the last call could not be captured and was run as it is; null when none failed.</summary>
    public string? GraphObstacle { get; private set; }

    /// <summary>Searches for the best outputs of each source. Allocates nothing that outlives the call on the device but what a model keeps of its parameters: narrow copies, normalised weights.</summary>
    /// <param name="sources">
    /// Token ids, each sequence ending in end-of-sentence. A language model reads none of them: they say how many texts there are, how long each may be, and seed its samples.
    /// </param>
    /// <param name="options">How to search.</param>
    /// <param name="cancellation">Looked at before every step.</param>
    /// <param name="prefixes">For each source the tokens that its outputs begin with, none of them padding, nor end-of-sentence where that ends an output; what is longer than the longest output is cut. Their log probabilities count.</param>
    /// <param name="constraints">For each source the phrases that its outputs must hold; an empty list where there are none. Not with sampling or diverse beams, nor where end-of-sentence ends no output.</param>
    /// <returns>For each source, in order, its hypotheses, best first: at least one, at most <see cref="DecodingOptions.NBest"/>.</returns>
    /// <exception cref="ArgumentException">The options have problems, or a source is empty, does not end in end-of-sentence, holds unknown tokens or is longer than the model's positions; prefixes or constraints are not as many as sources, or hold what they must not; constraints do not fit into the longest output.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="InvalidOperationException">The model gives NaN.</exception>
    public IReadOnlyList<IReadOnlyList<Hypothesis>> Generate(
        IReadOnlyList<int[]> sources,
        DecodingOptions options,
        CancellationToken cancellation = default,
        IReadOnlyList<int[]>? prefixes = null,
        IReadOnlyList<IReadOnlyList<LexicalConstraint>>? constraints = null)
    {
        // The end of the sentence is predicted from a position of its own.
        if (options.MaxLength >= model.Config.MostPositions)
            options = options with { MaxLength = model.Config.MostPositions - 1 };
        if (options.Validate() is { Count: > 0 } problems)
            throw new ArgumentException(string.Join('\n', problems.Select(p => $"SequenceGenerator: {p}")));
        if (options.Exit?.Problem(model.Config) is { } problem)
            throw new ArgumentException($"SequenceGenerator: {problem}");
        if (options.Alignments && model is not Seq2SeqModel)
            throw new ArgumentException("SequenceGenerator: alignments need a source, a language model has none.");
        for (int i = 0; i < sources.Count; i++)
            CheckSource(sources[i], i);
        CheckPrefixes(prefixes, sources.Count, options.StopsAtEndOfSentence);
        CheckConstraints(constraints, sources, prefixes, options);
        (CapturedShapes, GraphObstacle) = (0, null);
        var results = new IReadOnlyList<Hypothesis>[sources.Count];
        using var steps = new DecodingSteps(model, options.Rows, options.Graphs, options.Temperature, options.Exit);
        try
        {
            foreach (int[] batch in Batches(sources, options))
            {
                SentenceSearch[] searches = [.. batch.Select(i => options.Search(sources[i], prefixes?[i] ?? [], model.Config.TargetVocabulary, constraints?[i] ?? []))];
                Search(steps, [.. batch.Select(i => sources[i])], searches, options, cancellation);
                IReadOnlyList<Hypothesis>[] found = [.. searches.Select(s => s.Best(options.NBest))];
                if (options.Alignments)
                    found = HardAlignment.Of((Seq2SeqModel)model, [.. batch.Select(i => sources[i])], found);
                for (int i = 0; i < batch.Length; i++)
                    results[batch[i]] = found[i];
            }
        }
        finally
        {
            (CapturedShapes, GraphObstacle, ExitCounts) = (steps.Captured, steps.Obstacle, steps.ExitCounts);
        }

        return results;
    }

    /// <summary>
    /// Which sources are decoded together: longest first, so that what does not fit into memory fails at once. A language model remembers what it writes alone: there the longest output, in which the
    /// prefix is, counts in place of the source.
    /// </summary>
    internal IEnumerable<int[]> Batches(IReadOnlyList<int[]> sources, DecodingOptions options)
    {
        int[] lengths = [.. sources.Select(s => model.Config.IsLanguageModel ? options.LongestFor(s.Length) : s.Length)];
        int[] order = [.. Enumerable.Range(0, lengths.Length).OrderByDescending(i => lengths[i])];
        for (int start = 0; start < order.Length;)
        {
            int count = Math.Clamp(options.BatchTokens / lengths[order[start]], 1, order.Length - start);
            yield return order[start..(start + count)];
            start += count;
        }
    }

    /// <summary>What is wrong with a source of so many tokens, its end included, one sentence; only where they are more than the model's positions.</summary>
    internal string TooLong(int tokens) => $"a source must have at most max_positions, {model.Config.MostPositions}, tokens, its end included, got {tokens}.";

    private void CheckSource(int[] source, int index)
    {
        if (source.Length == 0 || source[^1] != Vocabulary.Eos)
        {
            string got = source.Length == 0 ? "an empty one" : $"{source[^1]} after {source.Length - 1} tokens";
            throw new ArgumentException($"SequenceGenerator: a source must end in end-of-sentence ({Vocabulary.Eos}), got {got} at {index}.");
        }

        if (source.Length > model.Config.MostPositions)
            throw new ArgumentException($"SequenceGenerator: {TooLong(source.Length)[..^1]} at {index}.");
        int vocabulary = model.Config.IsLanguageModel ? model.Config.TargetVocabulary : model.Config.SourceVocabulary;
        int wrong = Array.FindIndex(source, t => (uint)t >= (uint)vocabulary);
        if (wrong >= 0)
        {
            throw new ArgumentException(
                $"SequenceGenerator: tokens must be in 0 .. {vocabulary - 1}, got {source[wrong]} at {wrong} of source {index}.");
        }
    }

    private void CheckPrefixes(IReadOnlyList<int[]>? prefixes, int sources, bool stops)
    {
        if (prefixes is null)
            return;
        if (prefixes.Count != sources)
            throw new ArgumentException($"SequenceGenerator: prefixes must be as many as sources, got {prefixes.Count} and {sources}.");
        int vocabulary = model.Config.TargetVocabulary;
        for (int i = 0; i < prefixes.Count; i++)
        {
            int wrong = Array.FindIndex(prefixes[i], t => IsNoWord(t, vocabulary) && (stops || t != Vocabulary.Eos));
            if (wrong >= 0)
            {
                string not = stops ? $"neither padding ({Vocabulary.Pad}) nor end-of-sentence ({Vocabulary.Eos})" : $"not padding ({Vocabulary.Pad})";
                throw new ArgumentException($"SequenceGenerator: tokens of a prefix must be in 0 .. {vocabulary - 1} and {not}, got {prefixes[i][wrong]} at {wrong} of prefix {i}.");
            }
        }
    }

    private void CheckConstraints(
        IReadOnlyList<IReadOnlyList<LexicalConstraint>>? constraints, IReadOnlyList<int[]> sources, IReadOnlyList<int[]>? prefixes, DecodingOptions options)
    {
        if (constraints is null)
            return;
        if (constraints.Count != sources.Count)
            throw new ArgumentException($"SequenceGenerator: constraints must be as many as sources, got {constraints.Count} and {sources.Count}.");
        int vocabulary = model.Config.TargetVocabulary;
        for (int i = 0; i < constraints.Count; i++)
        {
            foreach (var constraint in constraints[i])
            {
                int wrong = Array.FindIndex(constraint.Tokens, t => IsNoWord(t, vocabulary));
                if (wrong >= 0 || constraint.Tokens.Length == 0)
                {
                    string got = wrong >= 0 ? $"{constraint.Tokens[wrong]} at {wrong}" : "none";
                    throw new ArgumentException(
                        $"SequenceGenerator: tokens of a constraint must be in 0 .. {vocabulary - 1} and neither padding ({Vocabulary.Pad}) nor end-of-sentence ({Vocabulary.Eos}), got {got} of constraints {i}.");
                }
            }

            if (options.ConstraintProblem(sources[i].Length, prefixes?[i] ?? [], constraints[i]) is { } problem)
                throw new ArgumentException($"SequenceGenerator: {problem[..^1]} for source {i}.");
        }
    }

    private static bool IsNoWord(int token, int vocabulary) => token is Vocabulary.Pad or Vocabulary.Eos || (uint)token >= (uint)vocabulary;

    private static void Search(DecodingSteps steps, int[][] sources, SentenceSearch[] searches, DecodingOptions options, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        int beam = options.Rows;

        // A place without a search is decoded too, for nothing: batches of few sizes are worth it.
        SentenceSearch?[] places = [.. searches, .. new SentenceSearch?[steps.Sizes.Sentences(sources.Length) - sources.Length]];
        int[][] padded = [.. sources, .. Enumerable.Repeat<int[]>([Vocabulary.Eos], places.Length - sources.Length)];
        using var pause = new NoGrad();
        using var state = steps.Begin(padded, 1 + sources.Max(s => options.LongestFor(s.Length)));
        int[]? rows = null;
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            Step(steps, state, places, rows, beam);
            for (int i = 0; i < places.Length; i++)
            {
                if (places[i] is { IsFinished: true })
                    places[i] = null;
            }

            int live = places.Count(p => p is not null);
            if (live == 0)
                return;
            rows = Rows(places, beam);
            if (steps.Sizes.Sentences(live) is int fewer && fewer < places.Length)
            {
                int[] staying = Staying(places, fewer);
                state.Reorder([.. staying.SelectMany(i => rows[(i * beam)..((i + 1) * beam)])]);
                places = [.. staying.Select(i => places[i])];
                rows = null;
            }
            else if (IsInOrder(rows))
            {
                rows = null;
            }
        }
    }

    private static bool IsInOrder(int[] rows)
    {
        for (int n = 0; n < rows.Length; n++)
        {
            if (rows[n] != n)
                return false;
        }

        return true;
    }

    // Those that are searched for, and as many others as it takes to have `count`.
    private static int[] Staying(SentenceSearch?[] places, int count)
    {
        int others = count - places.Count(p => p is not null);
        return [.. Enumerable.Range(0, places.Length).Where(i => places[i] is not null || others-- > 0)];
    }

    // The row each row goes on from.
    private static int[] Rows(SentenceSearch?[] places, int beam)
    {
        var rows = new int[places.Length * beam];
        for (int n = 0; n < rows.Length; n++)
            rows[n] = places[n / beam] is { } search ? (n / beam * beam) + search.Rows[n % beam] : n;
        return rows;
    }

    private static void Step(DecodingSteps steps, IncrementalState state, SentenceSearch?[] places, int[]? rows, int beam)
    {
        int[] previous = [.. places.SelectMany(s => s is null ? Enumerable.Repeat(Vocabulary.Eos, beam) : s.Tokens)];
        SentenceSearch[] live = [.. places.OfType<SentenceSearch>()];
        int[] asked = [.. live.SelectMany(s => s.Asked).Distinct()];
        var scores = steps.Take(state, previous, rows, live.Max(s => s.Candidates), asked, live.Any(s => s.ReadsAll));
        for (int i = 0; i < places.Length; i++)
            places[i]?.Advance(scores, i * beam);
    }
}
