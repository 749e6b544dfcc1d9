namespace CudaSeq.Models;

/// <summary>The text of a language model's recipe.</summary>
internal static class LanguageModelData
{
    /// <summary>Reads what a run trains and validates with.</summary>
    /// <param name="recipe">Its task is language modeling.</param>
    /// <param name="folder">The folder of its files.</param>
    /// <param name="codec">Text to ids.</param>
    /// <param name="status">Says in a line each what was read.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="IOException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, or no line is left to train on.</exception>
    public static TrainingData Read(Recipe recipe, string folder, TextCodec codec, IProgress<string>? status, CancellationToken cancellation)
    {
        var data = recipe.Data;
        var train = Blocks(data, Path.Combine(folder, data.Train![0].Files.Target), codec, context: 0, data.MaxLength, cancellation);
        var valid = data.Valid is { } files ? Held(data, Path.Combine(folder, files.Target), codec, cancellation) : null;
        foreach (var (key, blocks) in new[] { ("train", train), ("valid", valid) })
        {
            if (blocks is null)
                continue;
            status?.Report(blocks.ToString());
            if (blocks.Count == 0)
                throw new InvalidDataException($"data.{key}: at least one line must be left, got none ({blocks}).");
        }

        return new TrainingData { Source = codec, Target = codec, Train = train, Valid = valid };
    }

    /// <summary>A text to validate or test with: nothing is left out, and blocks see the recipe's context.</summary>
    public static TokenBlocks Held(RecipeData data, string path, TextCodec codec, CancellationToken cancellation)
        => Blocks(data, path, codec, data.ContextWindow, int.MaxValue, cancellation);

    private static TokenBlocks Blocks(RecipeData data, string path, TextCodec codec, int context, int maxLength, CancellationToken cancellation)
        => TokenBlocks.Load(path, codec, data.SampleBreakMode, data.TokensPerSample, context, maxLength, cancellation);
}
