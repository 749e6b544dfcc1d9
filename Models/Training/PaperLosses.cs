using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>Losses of few classes, composed of other ops, and evaluation by parts.</summary>
internal static class PaperLosses
{
    private const int EvaluationBatch = 64;

    /// <summary>The mean of - log softmax(logits)[n, class n], in nats.</summary>
    /// <param name="logits">[N, classes].</param>
    /// <param name="classes">N of them.</param>
    /// <returns>[], new.</returns>
    public static Tensor CrossEntropy(Tensor logits, IReadOnlyList<int> classes)
    {
        var (loss, _) = Ops.NegativeLogLikelihood(Ops.LogSoftmax(logits), Tensor.From(logits.Device, [.. classes]), paddingIndex: -1);
        return Ops.Scale(loss, 1f / classes.Count);
    }

    /// <summary>The mean of - y log s(x) - (1 - y) log s(-x), s the sigmoid: the cross-entropy of two classes with logits x and 0, which no x overflows.</summary>
    /// <param name="logits">[N].</param>
    /// <param name="answers">y, N of them.</param>
    /// <returns>[], new.</returns>
    public static Tensor BinaryCrossEntropy(Tensor logits, IReadOnlyList<bool> answers)
    {
        var column = logits.Reshape([answers.Count, 1]);
        var pair = Ops.Concat(1, column, Tensor.Zeros(logits.Device, column.Shape, logits.DType));
        return CrossEntropy(pair, [.. answers.Select(a => a ? 0 : 1)]);
    }

    /// <summary>What a model says of many inputs, a few at a time.</summary>
    public static TResult[] InBatches<TInput, TResult>(IReadOnlyList<TInput> inputs, Func<IReadOnlyList<TInput>, TResult[]> model)
    {
        var results = new List<TResult>(inputs.Count);
        foreach (var part in inputs.Chunk(EvaluationBatch))
        {
            using var scope = TensorScope.Begin();
            results.AddRange(model(part));
        }

        return [.. results];
    }
}
