using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>How well a model predicts a text whose tokens it is given one after the other (teacher forcing), without label smoothing.</summary>
/// <param name="NegativeLogLikelihood">The sum over all tokens, in nats.</param>
/// <param name="Tokens">Tokens predicted, ends of lines included; each counts once.</param>
/// <param name="Unknown">Those of them that are <see cref="Vocabulary.Unk"/>: pieces that are not in the vocabulary, or are written <c>&lt;unk&gt;</c>. Predicting one costs less than writing it would.</param>
/// <param name="Measures">How long the text is in words and characters.</param>
public sealed record EvaluationScores(double NegativeLogLikelihood, long Tokens, long Unknown, TextMeasures Measures)
{
    /// <summary>Whether the model's probabilities sum to 1; those of hard surface fusion, a weighted geometric mean, sum to less, and compare with no other model's.</summary>
    public bool IsNormalized { get; init; } = true;

    /// <summary>Nats a token.</summary>
    public double Loss => NegativeLogLikelihood / Tokens;

    /// <summary>e to the loss.</summary>
    public double Perplexity => Math.Exp(Loss);

    /// <summary>Bits a character, an end of line counting as one: comparable whatever the pieces.</summary>
    public double BitsPerCharacter => NegativeLogLikelihood / Math.Log(2) / Measures.Characters;

    /// <summary>Bits a word between blanks, an end of line counting as one: comparable whatever the pieces.</summary>
    public double BitsPerWord => NegativeLogLikelihood / Math.Log(2) / Measures.Words;
}

/// <summary>Scores models on given text.</summary>
public static class Evaluation
{
    /// <summary>Tokens of a batch where a call does not say it.</summary>
    public const int UsualBatchTokens = 4096;

    /// <summary>Scores a language model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="blocks">The text, cut as it is to be read; what is before a block is what its context is.</param>
    /// <param name="batchTokens">Tokens of a batch, padding included; the scores do not depend on it beyond rounding.</param>
    /// <param name="cancellation">Looked at before every batch.</param>
    /// <exception cref="ArgumentException">There is no block.</exception>
    public static EvaluationScores Of(LanguageModel model, TokenBlocks blocks, int batchTokens = UsualBatchTokens, CancellationToken cancellation = default)
        => Of(model, blocks, blocks.Unknown, blocks.Measures, batchTokens, cancellation);

    /// <summary>Scores a translation model on pairs: how well it predicts the targets.</summary>
    /// <param name="model">The model.</param>
    /// <param name="pairs">The pairs.</param>
    /// <param name="targets">The lines of the file that the targets stand in.</param>
    /// <param name="batchTokens">Tokens of a batch on the longer side, padding included; the scores do not depend on it beyond rounding.</param>
    /// <param name="cancellation">Looked at before every batch.</param>
    /// <exception cref="ArgumentException">There is no pair, or one is longer than the model's positions.</exception>
    public static EvaluationScores Of(
        Seq2SeqModel model, Corpus pairs, IReadOnlyList<string> targets, int batchTokens = UsualBatchTokens, CancellationToken cancellation = default)
    {
        var measures = new TextMeasures(0, 0, 0);
        for (int i = 0; i < pairs.Count; i++)
        {
            var (s, t) = pairs.Lengths(i);
            if (Math.Max(s, t) > model.Config.MostPositions)
                throw new ArgumentException($"Evaluation: a side of a pair must have at most max_positions, {model.Config.MostPositions}, tokens, its end included, got {Math.Max(s, t)} in line {pairs.LineOf(i)}.");
            measures = measures.With(targets[pairs.LineOf(i) - 1]);
        }

        return Of(model, pairs, pairs.Report.TargetUnknown, measures, batchTokens, cancellation);
    }

    /// <summary>The sums over the tokens of all batches of an epoch, in nats; no gradient.</summary>
    internal static (double Loss, double NegativeLogLikelihood, long Tokens) Sum(
        AutoregressiveModel model, BatchIterator batches, float smoothing, LabelSmoothing form, CancellationToken cancellation = default)
    {
        using var pause = new NoGrad();
        double loss = 0, negativeLogLikelihood = 0;
        long tokens = 0;
        foreach (var batch in batches.Epoch(0))
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = TensorScope.Begin();
            var (l, n) = model.Loss(new BatchTensors(model.Device, batch), smoothing, form, random: null);
            loss += l.Item();
            negativeLogLikelihood += n.Item();
            tokens += batch.TargetTokens;
        }

        return (loss, negativeLogLikelihood, tokens);
    }

    private static EvaluationScores Of(AutoregressiveModel model, ISamples samples, long unknown, TextMeasures measures, int batchTokens, CancellationToken cancellation)
    {
        var (_, negativeLogLikelihood, tokens) = Sum(model, new BatchIterator(samples, batchTokens, shuffle: false), smoothing: 0, LabelSmoothing.OverOthers, cancellation);
        return new EvaluationScores(negativeLogLikelihood, tokens, unknown, measures) { IsNormalized = model.Config.SurfaceFusion != SurfaceFusion.Hard };
    }
}
