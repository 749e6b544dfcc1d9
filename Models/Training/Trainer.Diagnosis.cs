using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <content>What went wrong with an update that could not be made.</content>
public sealed partial class Trainer
{
    /// <summary>Runs a failed update once more with the same masks: names the first tensor that is not finite, and the batch.</summary>
    private (string What, BatchPosition At) Diagnose(QueuedUpdate update)
    {
        foreach (var (batch, at, position) in update.Batches)
        {
            using var scope = TensorScope.Begin();
            using var watch = new NonFiniteWatch(_model.NamedParameters().Select(p => KeyValuePair.Create(p.Name, p.Tensor)));
            var (loss, _) = _steps.Forward(batch, new RandomSource(_random.Seed, position));
            if (watch.First is { } first)
                return (first, at);
            if (!float.IsFinite(loss.Item()))
                return ("the loss itself", at);
        }

        foreach (var (batch, _, position) in update.Batches)
        {
            using var scope = TensorScope.Begin();
            _steps.Forward(batch, new RandomSource(_random.Seed, position)).Loss.Backward();
        }

        string what = FirstNonFiniteGradient();
        ZeroGradients();
        return (what, update.Batches[^1].Position);
    }

    private string FirstNonFiniteGradient()
    {
        foreach (var (name, tensor) in _model.NamedParameters())
        {
            if (tensor.Grad is { } gradient && !Ops.IsFinite(gradient))
                return $"gradient of {name} {tensor.Shape}";
        }

        return "the gradient's norm";
    }
}
