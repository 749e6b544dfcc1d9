namespace CudaSeq.Models;

/// <summary>
/// LayerDrop: A. Fan, E. Grave and A. Joulin, "Reducing transformer depth on demand with structured dropout", ICLR 2020. While it is trained, a batch passes by each layer with a probability;
/// of what was learned so, any layers can be decoded alone (<see cref="LayerPaths"/>), with nothing trained after it.
/// </summary>
public static class LayerDrop2020
{
    /// <summary>A model whose layers are dropped while training.</summary>
    /// <param name="config">A model of layers.</param>
    /// <param name="probability">p: 0.2 in the paper, 0.5 for very small models to be.</param>
    public static ModelConfig Of(ModelConfig config, float probability = 0.2f) => config with { EncoderLayerDrop = config.IsLanguageModel ? 0 : probability, DecoderLayerDrop = probability };

    /// <summary>The probability that the paper finds best for a model that will be pruned: 1 - r / N.</summary>
    /// <param name="layers">N, layers of the stack.</param>
    /// <param name="kept">r, those that will be left.</param>
    /// <exception cref="ArgumentOutOfRangeException">Not 1 to N are left.</exception>
    public static float Probability(int layers, int kept) => kept >= 1 && kept <= layers
        ? 1 - ((float)kept / layers)
        : throw new ArgumentOutOfRangeException(null, $"LayerDrop2020: 1 to {layers} layers must be left, got {kept}.");

    /// <summary>What the paper prunes, "every other": the depths d, from 1, with d mod floor(1 / p) = 0. The first layer stays.</summary>
    /// <param name="layers">N, layers of the stack.</param>
    /// <param name="probability">p, above 0 and at most 0.5: floor(1 / p) is at least 2; above it nothing would be left.</param>
    /// <returns>The layers that stay, from 1.</returns>
    /// <exception cref="ArgumentOutOfRangeException">p is not above 0 and at most 0.5.</exception>
    public static IReadOnlyList<int> EveryOther(int layers, float probability = 0.5f)
    {
        if (!(probability > 0 && probability <= 0.5f))
            throw new ArgumentOutOfRangeException(null, FormattableString.Invariant($"LayerDrop2020: the probability must be above 0 and at most 0.5, got {probability}."));
        int every = (int)MathF.Floor(1 / probability);
        return [.. Enumerable.Range(1, layers).Where(d => d % every != 0)];
    }
}
