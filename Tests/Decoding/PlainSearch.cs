using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>The searches once more, without memory, batches or early departure: every prefix is decoded whole, all continuations in the vocabulary are sorted.</summary>
internal static class PlainSearch
{
    /// <summary>Two searches may part where two continuations are this close: rounding decides.</summary>
    public const double Tie = 1e-4;

    public static void Same(IReadOnlyList<Hypothesis> expected, IReadOnlyList<Hypothesis> got)
    {
        Assert.Equal(expected.Select(h => h.Tokens), got.Select(h => h.Tokens));
        Assert.All(expected.Zip(got), p => Assert.Equal(p.First.Score, p.Second.Score, 1e-4f));
    }

    /// <summary>Log probabilities of what follows a prefix, by the whole decoder.</summary>
    public static double[] Next(Seq2SeqModel model, EncoderOutput encoded, int[] prefix, double temperature = 1)
    {
        using var scope = TensorScope.Begin();
        var features = model.Decode(Tensor.From(model.Device, prefix, [1, prefix.Length]), encoded);
        double[] logits = Array.ConvertAll(model.Logits(features).ToArray()[^model.Config.TargetVocabulary..], v => v / temperature);
        if (model.GivesLogProbabilities && temperature == 1)
            return logits;
        double total = Math.Log(logits.Sum(v => Math.Exp(v - logits.Max()))) + logits.Max();
        return Array.ConvertAll(logits, v => v - total);
    }

    /// <summary>The same where what the options forbid is -infinity.</summary>
    /// <param name="model">The model.</param>
    /// <param name="encoded">One source.</param>
    /// <param name="tokens">The output so far.</param>
    /// <param name="longest">The longest output.</param>
    /// <param name="prefix">What it begins with.</param>
    /// <param name="options">The rules.</param>
    /// <returns>[V] log probabilities, and whether only one token may come.</returns>
    public static (double[] Scores, bool Forced) Allowed(Seq2SeqModel model, EncoderOutput encoded, int[] tokens, int longest, int[] prefix, DecodingOptions options)
    {
        double[] next = Next(model, encoded, [Vocabulary.Eos, .. tokens], options.Temperature);
        double end = next[Vocabulary.Eos];
        int? only = tokens.Length >= longest ? Vocabulary.Eos : tokens.Length < prefix.Length ? prefix[tokens.Length] : null;
        for (int v = 0; v < next.Length; v++)
        {
            bool forbidden = only is { } one
                ? v != one
                : v == Vocabulary.Pad || (v == Vocabulary.Eos && tokens.Length < options.MinLength) || (v != Vocabulary.Eos && Repeats([.. tokens, v], options.NoRepeatNGramSize));
            if (forbidden)
                next[v] = double.NegativeInfinity;
        }

        if (!next.All(double.IsNegativeInfinity))
            return (next, only is not null);
        next[Vocabulary.Eos] = end;
        return (next, true);
    }

    /// <summary>Beam search and diverse beam search.</summary>
    /// <returns>All finished hypotheses, best first, and how close two continuations came to each other whose order matters.</returns>
    public static (Hypothesis[] Found, double Closest) Beam(Seq2SeqModel model, int[] source, DecodingOptions options, int[]? prefix = null)
    {
        using var scope = TensorScope.Begin();
        var encoded = TinyModels.Encode(model, [source]);
        int longest = (int)(options.MaxLengthA * source.Length) + options.MaxLengthB;
        int groups = options.DiverseBeamGroups, width = options.Beam / groups;
        List<(int[] Tokens, double Sum)>[] live = [.. Enumerable.Range(0, groups).Select(_ => new List<(int[], double)> { ([], 0) })];
        List<Hypothesis>[] finished = [.. live.Select(_ => new List<Hypothesis>())];
        double closest = double.PositiveInfinity;
        for (int step = 0; live.Any(g => g.Count > 0); step++)
        {
            List<int> taken = [];
            for (int group = 0; group < groups; group++)
            {
                List<(int[] Tokens, double Sum)> candidates = [];
                foreach (var (tokens, sum) in live[group])
                {
                    var (next, forced) = Allowed(model, encoded, tokens, longest, prefix ?? [], options);
                    for (int v = 0; v < next.Length; v++)
                    {
                        if (!double.IsNegativeInfinity(next[v]))
                            candidates.Add(([.. tokens, v], sum + next[v] - (forced ? 0 : options.DiverseBeamStrength * taken.Count(t => t == v))));
                    }
                }

                candidates.Sort((a, b) => b.Sum.CompareTo(a.Sum));
                var best = candidates.Take(2 * width).ToArray();
                closest = Math.Min(closest, candidates.Take((2 * width) + 1).Zip(candidates.Skip(1), (a, b) => a.Sum - b.Sum).Append(closest).Min());
                var ended = best.Take(width).Where(c => c.Tokens[^1] == Vocabulary.Eos).Take(width - finished[group].Count).ToArray();
                live[group] = [.. best.Where(c => c.Tokens[^1] != Vocabulary.Eos).Take(width)];
                taken.AddRange(ended.Concat(live[group]).Select(c => c.Tokens[^1]));
                finished[group].AddRange(ended.Select(c => new Hypothesis(c.Tokens[..^1], (float)Score(c.Sum, step + 1, options), [])));
                if (finished[group].Count == width)
                    live[group] = [];
            }
        }

        Hypothesis[] found = [.. finished.SelectMany(f => f).OrderByDescending(h => h.Score)];
        return (found, found.Zip(found.Skip(1), (a, b) => (double)(a.Score - b.Score)).Append(closest).Min());
    }

    /// <summary>The score of a finished output.</summary>
    public static double Score(double sum, int length, DecodingOptions options)
        => sum / Math.Pow(options.LengthPenaltyForm == LengthPenaltyForm.Gnmt ? (5.0 + length) / 6 : length, options.LengthPenalty);

    /// <summary>Whether the last n tokens are also somewhere before, never where n is 0: a prefix may hold an n-gram twice, what follows it may not add one.</summary>
    public static bool Repeats(int[] tokens, int size)
        => size > 0 && tokens.Length > size && string.Join(' ', tokens[^size..]) is var last
            && Enumerable.Range(0, tokens.Length - size).Any(i => string.Join(' ', tokens[i..(i + size)]) == last);

    /// <summary>Everything that the rules allow.</summary>
    public static List<(int[] Tokens, double Score)> Outputs(Seq2SeqModel model, int[] source, DecodingOptions options, int[] prefix)
    {
        using var scope = TensorScope.Begin();
        var encoded = TinyModels.Encode(model, [source]);
        List<(int[], double)> outputs = [];
        Extend([], 0);
        return outputs;

        void Extend(int[] tokens, double sum)
        {
            var (next, _) = Allowed(model, encoded, tokens, options.MaxLengthB, prefix, options);
            for (int v = 0; v < next.Length; v++)
            {
                if (double.IsNegativeInfinity(next[v]))
                    continue;
                if (v == Vocabulary.Eos)
                    outputs.Add((tokens, Score(sum + next[v], tokens.Length + 1, options)));
                else
                    Extend([.. tokens, v], sum + next[v]);
            }
        }
    }
}
