namespace CudaSeq.Tensors;

/// <summary>What turns gradients into updates of the parameters.</summary>
public interface IOptimizer : IDisposable
{
    /// <summary>Updates made so far; part of a checkpoint.</summary>
    long Updates { get; set; }

    /// <summary>What it remembers of earlier updates besides their number: for each name a tensor for each parameter, in their order. Part of a checkpoint.</summary>
    IReadOnlyList<(string Name, IReadOnlyList<Tensor> Tensors)> State { get; }

    /// <summary>Updates every parameter that has a gradient, in place; the others and their state stay as they are.</summary>
    /// <param name="learningRate">The rate of this update.</param>
    /// <param name="gradientScale">Factor of every gradient, applied before anything else: one over the number of tokens or of sentences, or the clipping factor.</param>
    /// <exception cref="ObjectDisposedException">A parameter is dead; none has changed.</exception>
    void Step(float learningRate, float gradientScale = 1);

    /// <summary>The same with a factor that is still being computed: nobody waits for it.</summary>
    /// <param name="learningRate">The rate of this update.</param>
    /// <param name="gradientScale">[1], factor of every gradient; NaN leaves parameters and state as they are, see <see cref="PendingUpdates.Factor"/>.</param>
    /// <exception cref="ArgumentException">Not a single float on the parameters' device.</exception>
    /// <exception cref="ObjectDisposedException">A parameter is dead; none has changed.</exception>
    void Step(float learningRate, Tensor gradientScale);
}
