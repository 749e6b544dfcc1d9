namespace CudaSeq.Models;

/// <summary>The text of a language model's recipe.</summary>
internal static class LanguageModelData
{
    /// <summary>Reads what a run trains and validates with: the one is in ids in a file of the run, the other in memory.</summary>
    /// <param name="recipe">Its task is language modeling.</param>
    /// <param name="folder">The folder of its files.</param>
    /// <param name="directory">Where the ids go.</param>
    /// <param name="codec">Text to ids.</param>
    /// <param name="status">Says in a line each what was read.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="IOException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, or no line is left to train on.</exception>
    public static TrainingData Read(Recipe recipe, string folder, RunDirectory directory, TextCodec codec, IProgress<string>? status, CancellationToken cancellation)
    {
        var data = recipe.Data;
        string text = Path.Combine(folder, data.Train![0].Files.Target);
        var train = CorpusCache.LoadText(
            directory.TrainCorpus(0), text, codec, data.SampleBreakMode, data.TokensPerSample, context: 0, data.MaxLength, status, cancellation);
        try
        {
            Check("train", train);
            var valid = data.Valid is { } files ? Held(data, Path.Combine(folder, files.Target), codec, cancellation) : null;
            if (valid is not null)
                Check("valid", valid);
            return new TrainingData { Source = codec, Target = codec, Train = train, Valid = valid };
        }
        catch
        {
            train.Dispose();
            throw;
        }

        void Check(string key, TokenBlocks blocks)
        {
            status?.Report(blocks.ToString());
            if (blocks.Count == 0)
                throw new InvalidDataException($"data.{key}: at least one line must be left, got none ({blocks}).");
        }
    }

    /// <summary>A text to validate or test with: nothing is left out, and blocks see the recipe's context.</summary>
    public static TokenBlocks Held(RecipeData data, string path, TextCodec codec, CancellationToken cancellation)
        => TokenBlocks.Load(path, codec, data.SampleBreakMode, data.TokensPerSample, data.ContextWindow, int.MaxValue, cancellation);
}
