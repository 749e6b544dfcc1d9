using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>Scores a model on the validation pairs. Draws nothing at random and changes nothing.</summary>
internal sealed class Validator(Seq2SeqModel model, TrainingData data, Corpus corpus, TrainerOptions options)
{
    private readonly BatchIterator _batches = new(corpus, options.BatchTokens, shuffle: false);

    /// <summary>Why a step of a translation could not be captured as a graph; null when none has failed.</summary>
    public string? GraphObstacle { get; private set; }

    public ValidationScores Run()
    {
        using var noGrad = new NoGrad();
        double loss = 0, negativeLogLikelihood = 0;
        long tokens = 0;
        foreach (var batch in _batches.Epoch(0))
        {
            using var scope = TensorScope.Begin();
            var (l, n) = model.Loss(
                Tensor.From(model.Device, batch.Source, [batch.B, batch.S]),
                Tensor.From(model.Device, batch.SourceLengths, [batch.B]),
                Tensor.From(model.Device, batch.PreviousTarget, [batch.B, batch.T]),
                Tensor.From(model.Device, batch.Target, [batch.B * batch.T]),
                options.LabelSmoothing,
                options.SmoothingForm,
                random: null);
            loss += l.Item();
            negativeLogLikelihood += n.Item();
            tokens += batch.TargetTokens;
        }

        var bleu = options.ValidationDecoding is { } decoding ? Translate(decoding) : null;
        return new ValidationScores(loss / tokens, negativeLogLikelihood / tokens, bleu?.Score, bleu?.Signature, IsBest: false);
    }

    private BleuScore Translate(DecodingOptions decoding)
    {
        var generator = new SequenceGenerator(model);
        var results = generator.Generate([.. corpus.Select(p => p.Source)], decoding, CancellationToken.None);
        GraphObstacle ??= generator.GraphObstacle;
        return Bleu.Corpus([.. results.Select(r => data.Target.Decode(r[0].Tokens))], data.ValidReferences);
    }
}
