using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// Greedy and beam search with any <see cref="Seq2SeqModel"/>. Sources are sorted by length and batched by tokens; the hypotheses of a batch are decoded side by side,
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
public sealed class SequenceGenerator(Seq2SeqModel model)
{
    /// <summary>Searches for the best outputs of each source. Allocates nothing that outlives the call on the device.</summary>
    /// <param name="sources">Token ids, each sequence ending in end-of-sentence.</param>
    /// <param name="options">How to search.</param>
    /// <param name="cancellation">Looked at before every step.</param>
    /// <returns>For each source, in order, its hypotheses, best first: at least one, at most <see cref="DecodingOptions.NBest"/>.</returns>
    /// <exception cref="ArgumentException">The options have problems, or a source is empty, does not end in end-of-sentence or holds unknown tokens.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="InvalidOperationException">The model gives NaN.</exception>
    public IReadOnlyList<IReadOnlyList<Hypothesis>> Generate(
        IReadOnlyList<int[]> sources, DecodingOptions options, CancellationToken cancellation = default)
    {
        if (options.Validate() is { Count: > 0 } problems)
            throw new ArgumentException(string.Join('\n', problems.Select(p => $"SequenceGenerator: {p}")));
        for (int i = 0; i < sources.Count; i++)
            CheckSource(sources[i], i);
        var results = new IReadOnlyList<Hypothesis>[sources.Count];
        foreach (int[] batch in Batches(sources, options.BatchTokens))
        {
            var searches = Search([.. batch.Select(i => sources[i])], options, cancellation);
            for (int i = 0; i < batch.Length; i++)
                results[batch[i]] = searches[i].Best(options.NBest);
        }

        return results;
    }

    /// <summary>Which sources are decoded together: longest first, so that what does not fit into memory fails at once.</summary>
    internal static IEnumerable<int[]> Batches(IReadOnlyList<int[]> sources, int batchTokens)
    {
        int[] order = [.. Enumerable.Range(0, sources.Count).OrderByDescending(i => sources[i].Length)];
        for (int start = 0; start < order.Length;)
        {
            int count = Math.Clamp(batchTokens / sources[order[start]].Length, 1, order.Length - start);
            yield return order[start..(start + count)];
            start += count;
        }
    }

    private void CheckSource(int[] source, int index)
    {
        if (source.Length == 0 || source[^1] != Vocabulary.Eos)
        {
            string got = source.Length == 0 ? "an empty one" : $"{source[^1]} after {source.Length - 1} tokens";
            throw new ArgumentException($"SequenceGenerator: a source must end in end-of-sentence ({Vocabulary.Eos}), got {got} at {index}.");
        }

        int wrong = Array.FindIndex(source, t => (uint)t >= (uint)model.Config.SourceVocabulary);
        if (wrong >= 0)
        {
            throw new ArgumentException(
                $"SequenceGenerator: tokens must be in 0 .. {model.Config.SourceVocabulary - 1}, got {source[wrong]} at {wrong} of source {index}.");
        }
    }

    private BeamSearch[] Search(int[][] sources, DecodingOptions options, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        int beam = options.Beam;
        BeamSearch[] searches = [.. sources.Select(s => new BeamSearch(beam, options.MinLength, options.LongestFor(s.Length), options.LengthPenalty))];
        using var pause = new NoGrad();
        using var state = Begin(sources, beam, 1 + sources.Max(s => options.LongestFor(s.Length)));
        BeamSearch[] live = searches;
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            Step(state, live, beam);
            int[] staying = [.. Enumerable.Range(0, live.Length).Where(i => !live[i].IsFinished)];
            if (staying.Length == 0)
                return searches;
            state.Reorder([.. staying.SelectMany(i => live[i].Rows.Select(row => (i * beam) + row))]);
            live = [.. staying.Select(i => live[i])];
        }
    }

    private IncrementalState Begin(int[][] sources, int beam, int maxLength)
    {
        int width = sources.Max(s => s.Length);
        int[] padded = new int[sources.Length * width];
        Array.Fill(padded, Vocabulary.Pad);
        for (int i = 0; i < sources.Length; i++)
            sources[i].CopyTo(padded, i * width);
        int[] lengths = [.. sources.Select(s => s.Length)];
        using var scope = TensorScope.Begin();
        var encoded = model.Encode(Tensor.From(model.Device, padded, [sources.Length, width]), Tensor.From(model.Device, lengths));
        return model.Begin(encoded, beam, maxLength);
    }

    private void Step(IncrementalState state, BeamSearch[] live, int beam)
    {
        using var scope = TensorScope.Begin();
        int[] previous = [.. live.SelectMany(s => s.Tokens)];
        var features = model.DecodeStep(Tensor.From(model.Device, previous), state);
        var logProbabilities = Ops.LogSoftmax(model.Logits(features));
        int k = Math.Min(BeamSearch.CandidatesPerRow(beam), logProbabilities.Shape[1]);
        var (values, indices) = Ops.TopK(logProbabilities, k);
        float[] scores = values.ToArray();
        int[] tokens = indices.ToIntArray();
        float[] ends = live.Any(s => s.MustEnd)
            ? Ops.IndexSelect(logProbabilities, 1, Tensor.From(model.Device, [Vocabulary.Eos])).ToArray()
            : new float[previous.Length];
        for (int i = 0; i < live.Length; i++)
            live[i].Advance(scores.AsSpan(i * beam * k, beam * k), tokens.AsSpan(i * beam * k, beam * k), ends.AsSpan(i * beam, beam));
    }
}
