namespace CudaSeq.Models;

/// <summary>
/// Which layers of a trained model to apply, and in what order, in place of those it was trained with: fewer recurrences of a stacked model, a model pruned of some layers
/// (LayerDrop), or one that ends earlier. Layers count from 1.
/// </summary>
/// <param name="Encoder">The encoder's path; null for the model's own.</param>
/// <param name="Decoder">The decoder's; null for the model's own.</param>
public sealed record LayerPaths(IReadOnlyList<int>? Encoder = null, IReadOnlyList<int>? Decoder = null)
{
    /// <summary>The configuration of a trained model with these paths.</summary>
    /// <exception cref="ArgumentException">It has no such layers: one line for each problem.</exception>
    internal ModelConfig Of(ModelConfig trained)
    {
        var config = trained with { EncoderPath = Encoder ?? trained.EncoderPath, DecoderPath = Decoder ?? trained.DecoderPath };
        bool isBeginning = Path(trained).Take(config.DecoderDepth).SequenceEqual(Path(config));

        // As an exit there would have it: what leaves before attends with what it leaves with.
        if (isBeginning)
            config = config with { SurfaceLayer = Math.Min(trained.SurfaceLayer, config.DecoderDepth) };
        List<string> problems = [.. config.Validate()];
        if (trained.SurfaceLayer > 0 && !isBeginning)
            problems.Add($"decoder_path must be the beginning of [{string.Join(", ", Path(trained))}], of whose places surface_layer is one, got [{string.Join(", ", config.DecoderPath)}].");
        if (trained.EncoderFusion != EncoderFusion.None)
        {
            // Its weights have a row for each application of the decoder's layers and a column for each of the encoder's.
            Same("encoder_path", config.EncoderDepth, trained.EncoderDepth);
            Same("decoder_path", config.DecoderDepth, trained.DecoderDepth);
        }

        if (trained.ExitClassifiers == ExitClassifierKind.Separate && config.DecoderDepth != trained.DecoderDepth)
            problems.Add($"decoder_path must name {trained.DecoderDepth} layers, as many as the model has exit_classifiers, got [{string.Join(", ", config.DecoderPath)}]; an exit ends it earlier.");
        return problems.Count > 0 ? throw new ArgumentException(string.Join('\n', problems)) : config;

        static IEnumerable<int> Path(ModelConfig of) => of.DecoderPath.Count > 0 ? of.DecoderPath : Enumerable.Range(1, of.DecoderLayers);

        void Same(string key, int layers, int before)
        {
            if (layers != before)
                problems.Add(FormattableString.Invariant($"{key} must keep the {before} layers that the weights of encoder_fusion are for, got {layers}."));
        }
    }
}
