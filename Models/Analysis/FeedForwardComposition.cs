using System.Runtime.InteropServices;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>Which part of the stream the token of a layer's output comes from; o = r + y.</summary>
public enum LayerUpdate
{
    /// <summary>From what was in front of the block: top(o) = top(r), and the block stands for another.</summary>
    Residual,

    /// <summary>From both: all three are one token.</summary>
    Agreement,

    /// <summary>From the block: top(o) = top(y), and what was in front of it stands for another.</summary>
    FeedForward,

    /// <summary>From neither: top(o) differs from both.</summary>
    Composition,
}

/// <summary>How the memories of one layer add up.</summary>
/// <param name="Layer">From 1.</param>
/// <param name="Active">What part of the layer's cells has a coefficient above 0, in the mean over prefixes.</param>
/// <param name="ActiveQuartiles">The same part over prefixes.</param>
/// <param name="Composed">The share of prefixes where the token of y is the token of no active cell's value.</param>
/// <param name="Agreeing">Prefixes where it is that of at least one.</param>
/// <param name="AgreeingStopWords">The share of those whose token is a stop word.</param>
/// <param name="AgreeingShort">The share of those whose prefix has fewer than <see cref="FeedForwardComposition.ShortPrefix"/> tokens.</param>
/// <param name="Decided">The share of prefixes where what is in front of the block already stands for the token of the last layer's output.</param>
/// <param name="Confidence">The probability that it gives to that token, over prefixes.</param>
/// <param name="Residual">Prefixes of <see cref="LayerUpdate.Residual"/>; the four counts add up to all prefixes.</param>
/// <param name="Agreement">Of <see cref="LayerUpdate.Agreement"/>.</param>
/// <param name="FeedForward">Of <see cref="LayerUpdate.FeedForward"/>.</param>
/// <param name="Composition">Of <see cref="LayerUpdate.Composition"/>.</param>
/// <param name="Overruled">
/// Those of <paramref name="Composition"/> where r and y stand for one token and o for another. Logits are linear where no layer norm follows the last layer and the output is one table, and there are none then but
/// by rounding.
/// </param>
public sealed record LayerComposition(
    int Layer, double Active, Quartiles ActiveQuartiles, double Composed, int Agreeing, double AgreeingStopWords, double AgreeingShort, double Decided, Quartiles Confidence,
    int Residual, int Agreement, int FeedForward, int Composition, int Overruled);

/// <summary>A prefix at whose last layer the output stands for another token than both of its parts.</summary>
/// <param name="Sentence">By its index in the text.</param>
/// <param name="Length">Tokens of the prefix.</param>
/// <param name="Before">What r stands for.</param>
/// <param name="Added">What y stands for.</param>
/// <param name="After">What o stands for.</param>
public readonly record struct CompositionExample(int Sentence, int Length, int Before, int Added, int After);

/// <summary>
/// How memories add up within a layer and layers in the residual stream (Geva et al. 2021, section 5), on one random prefix of each of some random sentences, the same for all
/// layers: r is the stream in front of a feed-forward block, y what the block adds, bias included, o = r + y.
/// </summary>
/// <remarks>
/// The token of a vector is the likeliest one that a text may have, the first of equal ones. A cell is active where its coefficient is above 0: only active ones are compared with y, for a value
/// times 0 stands for nothing. Every prefix is in exactly one of the four cases of <see cref="LayerUpdate"/>.
/// </remarks>
public sealed class FeedForwardComposition
{
    /// <summary>Prefixes with fewer tokens are short.</summary>
    public const int ShortPrefix = 5;

    private const int MostExamples = 100;

    private FeedForwardComposition(string projection) => Projection = projection;

    /// <summary>How vectors were turned into tokens, in words.</summary>
    public string Projection { get; }

    /// <summary>How many prefixes were looked at: at most one for each sentence that has one.</summary>
    public int Prefixes { get; private init; }

    /// <summary>The share of them that are short.</summary>
    public double Short { get; private init; }

    /// <summary>The layers, ascending.</summary>
    public IReadOnlyList<LayerComposition> Layers { get; private init; } = [];

    /// <summary>At most 100 random compositions of the last layer, for reading, in the order of the text.</summary>
    public IReadOnlyList<CompositionExample> Examples { get; private init; } = [];

    /// <summary>Looks at random prefixes of a text, as a rule one that the model was not trained on.</summary>
    /// <param name="model">A pre-norm model.</param>
    /// <param name="text">The sentences: lines (<see cref="SampleBreak.Eos"/>), or pairs.</param>
    /// <param name="stopWords">Tokens that say little, see <see cref="TokenCounts.StopWords"/>.</param>
    /// <param name="options">Layers, how many prefixes, the longest one, tokens of a batch and the seed.</param>
    /// <param name="progress">Hears after every batch.</param>
    /// <param name="cancellation">Looked at before every batch.</param>
    /// <exception cref="ArgumentException">The model is a post-norm one, has no such layers, or the text is not one of sentences.</exception>
    /// <exception cref="InvalidDataException">The text has no prefix.</exception>
    public static FeedForwardComposition Of(
        AutoregressiveModel model,
        ISamples text,
        IReadOnlySet<int> stopWords,
        FeedForwardOptions? options = null,
        IProgress<AnalysisProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        options ??= new FeedForwardOptions();
        var trace = new FeedForwardTrace(model);
        if (!trace.IsPreNorm)
            throw new ArgumentException("FeedForwardComposition: pre_norm must be true, got false: a post-norm model normalises the stream after every block, so that what is in front of it and what it adds have no common scale.");
        int[] layers = options.Of(trace.Depth);
        var random = new RandomSource(options.Seed);
        var prefixes = Drawn(text, options, random);
        var tallies = layers.Select(layer => new CompositionTally(layer, ValueScan.Of(trace, layer, given: null, progress, cancellation).Tokens, stopWords, prefixes.Length)).ToArray();
        var examples = new List<CompositionExample>();
        int done = 0;
        foreach (var range in PrefixBatch.Ranges([.. prefixes.Select(p => p.Length)], options.BatchTokens, ValueScan.TileRows(trace.Vocabulary)))
        {
            cancellation.ThrowIfCancellationRequested();
            var some = prefixes[range];
            var batch = PrefixBatch.Of(text, Array.ConvertAll(some, p => p.Sentence), Array.ConvertAll(some, p => p.Length));
            Look(trace, batch, tallies, examples);
            done += some.Length;
            progress?.Report(new AnalysisProgress("prefixes", done, prefixes.Length));
        }

        random.Shuffle(CollectionsMarshal.AsSpan(examples));
        return new FeedForwardComposition(trace.Projection)
        {
            Prefixes = prefixes.Length,
            Short = (double)prefixes.Count(p => p.Length < ShortPrefix) / prefixes.Length,
            Layers = [.. tallies.Select(t => t.Finish())],
            Examples = [.. examples.Take(MostExamples).OrderBy(e => e.Sentence)],
        };
    }

    // Sorted by length; one position for each sentence, all of its positions equally likely.
    private static (int Sentence, int Length)[] Drawn(ISamples text, FeedForwardOptions options, RandomSource random)
    {
        int left = Enumerable.Range(0, text.Count).Count(Readable);
        if (left == 0)
            throw new InvalidDataException($"{text.Name}: must have at least one sentence with a token, got none.");

        // Every set of so many sentences is equally likely, and no list of all is kept.
        int[] sentences = new int[Math.Min(left, options.Prefixes)];
        int drawn = 0;
        for (int i = 0; drawn < sentences.Length; i++)
        {
            if (!Readable(i))
                continue;
            if (random.Below(left) < sentences.Length - drawn)
                sentences[drawn++] = i;
            left--;
        }

        bool Readable(int sentence) => PrefixBatch.Readable(text, sentence, options.LongestPrefix) > 0;
        float[] draws = new float[sentences.Length];
        random.Uniform(draws, 0, 1);
        return [.. sentences.Select((s, i) =>
        {
            int readable = PrefixBatch.Readable(text, s, options.LongestPrefix);
            return (Sentence: s, Length: Math.Min(1 + (int)(draws[i] * (double)readable), readable));
        }).OrderBy(p => p.Length)];
    }

    private static void Look(FeedForwardTrace trace, PrefixBatch batch, CompositionTally[] tallies, List<CompositionExample> examples)
    {
        int vocabulary = trace.Vocabulary;
        var before = new Dictionary<int, Tensor>();
        var seen = new Dictionary<int, (float[] Coefficients, int[] Added, int[] After)>();
        int[] final = [];
        using var scope = TensorScope.Begin();
        using var pause = new NoGrad();
        var rows = Tensor.From(trace.Device, batch.LastRows);
        trace.Visit(batch, trace.Depth, (layer, residual, input) =>
        {
            bool counts = tallies.Any(t => t.Layer == layer);
            if (!counts && layer < trace.Depth)
                return null;
            var r = Ops.IndexSelect(residual.Reshape([batch.B * batch.T, trace.Width]), 0, rows);
            var m = trace.Coefficients(layer, Ops.IndexSelect(input.Reshape([batch.B * batch.T, trace.Width]), 0, rows));
            var y = trace.Output(layer, m);
            int[] after = Ops.ArgMax(trace.StateLogits(trace.After(layer, r, y))).ToIntArray();
            if (layer == trace.Depth)
                final = after;
            if (counts)
            {
                seen.Add(layer, (m.ToArray(), Ops.ArgMax(trace.AddendLogits(y)).ToIntArray(), after));

                // Out of the layer's scope and of the visit's.
                before.Add(layer, r.Keep().Keep());
            }

            return null;
        });
        foreach (var tally in tallies)
        {
            float[] logits = trace.StateLogits(before[tally.Layer]).ToArray();
            var (coefficients, added, after) = seen[tally.Layer];
            for (int b = 0; b < batch.B; b++)
            {
                var row = logits.AsSpan(b * vocabulary, vocabulary);
                int top = ValueScan.Likeliest(row).Token;
                var update = tally.Add(batch.Lengths[b], coefficients.AsSpan(b * trace.Cells, trace.Cells), top, added[b], after[b], final[b], ValueScan.Probability(row, final[b]));
                if (tally.Layer == trace.Depth && update == LayerUpdate.Composition)
                    examples.Add(new CompositionExample(batch.Sentences[b], batch.Lengths[b], top, added[b], after[b]));
            }
        }
    }
}
