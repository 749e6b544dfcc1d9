using System.Text.RegularExpressions;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>What to import, and to where.</summary>
public sealed record FairseqImportOptions
{
    /// <summary>A checkpoint that fairseq wrote, or a .safetensors file of its parameters.</summary>
    public required string Model { get; init; }

    /// <summary>The folder to write: all that translating needs.</summary>
    public required string Output { get; init; }

    /// <summary>The folder of <c>dict.LANGUAGE.txt</c>; that of the model where this is null.</summary>
    public string? Dictionaries { get; init; }

    /// <summary>The source language, which names its dictionary; null to believe the model's arguments.</summary>
    public string? SourceLanguage { get; init; }

    /// <summary>The target language; null to believe the model's arguments.</summary>
    public string? TargetLanguage { get; init; }

    /// <summary>Codes of subword-nmt that cut the words of both sides; null where text comes cut.</summary>
    public string? Codes { get; init; }

    /// <summary>A .model file of SentencePiece that cuts the text of both sides; null for none.</summary>
    public string? SentencePieceModel { get; init; }

    /// <summary>A JSON file of fairseq's arguments, which take the place of those in the model; null for none.</summary>
    public string? Config { get; init; }
}

/// <summary>What was imported.</summary>
/// <param name="Header">What the checkpoint says of itself.</param>
/// <param name="Architecture">What fairseq calls the architecture.</param>
/// <param name="Parameters">Number of learned values.</param>
public sealed record FairseqImported(CheckpointHeader Header, string Architecture, long Parameters);

/// <summary>
/// Makes a folder to translate with of a model that fairseq trained (Ott et al., "fairseq: A fast, extensible toolkit for sequence modeling", NAACL 2019, demonstrations):
/// Transformers, LightConv, DynamicConv and ConvS2S models. Nothing of a checkpoint is run, and nothing is written before all of it is known to be right.
/// </summary>
public static partial class FairseqImport
{
    // Of an element, in the narrowest type that is read.
    private const int FewestBytes = 2;

    // A name in a file is a hundredth of what a layer is in memory, before it has a parameter.
    private const int MostLayers = 1000;

    /// <summary>Imports a model.</summary>
    /// <param name="options">What and to where.</param>
    /// <param name="cancellation">Looked at before every tensor.</param>
    /// <returns>What was imported.</returns>
    /// <exception cref="IOException">A file is missing or cannot be written.</exception>
    /// <exception cref="InvalidDataException">
    /// A file is damaged, or the model is one that there is not here: one line for each thing, for example <c>model.pt: encoder_learned_pos must be false (positions are sinusoids), got true.</c>
    /// </exception>
    public static FairseqImported Write(FairseqImportOptions options, CancellationToken cancellation = default)
    {
        var output = new RunDirectory(options.Output);
        if (File.Exists(output.Best) || File.Exists(output.Last))
            throw new InvalidDataException($"{output.Path}: must be a folder without a model, or its own would be lost.");
        using var file = FairseqFile.Open(options.Model, options.Config);
        var config = FairseqConfig.Read(file.Arguments, file.Name);
        CheckSizes(file, config);
        var (source, target) = Codecs(options, file, config.ShareEmbeddings);
        config = config with { SourceVocabulary = source.Vocabulary.Count, TargetVocabulary = target.Vocabulary.Count };
        if (config.Validate() is { Count: > 0 } problems)
            throw new InvalidDataException(string.Join('\n', problems.Select(p => $"{file.Name}: {p}")));
        var plan = Plan(file, config);
        using var device = Device.Open("cpu");
        var parameters = new List<KeyValuePair<string, Tensor>>();
        try
        {
            foreach (var (name, shape, read) in plan)
            {
                cancellation.ThrowIfCancellationRequested();
                float[] values = read();
                if (Array.FindIndex(values, v => !float.IsFinite(v)) is >= 0 and var at)
                    throw new InvalidDataException(FormattableString.Invariant($"{file.Name}: {name} must be finite numbers, got {values[at]} at {at}."));
                parameters.Add(new(name, Tensor.From(device, values, shape)));
            }

            var header = new CheckpointHeader
            {
                Config = config,
                SourceVocabulary = source.Vocabulary.Hash,
                TargetVocabulary = target.Vocabulary.Hash,
                State = new TrainingState { Update = file.Updates },
            };
            output.SaveCodecs(source, target);
            Checkpoint.Save(output.Best, header, parameters);
            return new FairseqImported(header, FairseqConfig.ArchitectureOf(file.Arguments)!, plan.Sum(p => p.Shape.Count));
        }
        finally
        {
            foreach (var (_, tensor) in parameters)
                tensor.Dispose();
        }
    }

    // Sizes are compared with what is in the file before anything is made of them.
    private static void CheckSizes(FairseqFile file, ModelConfig config)
    {
        foreach (var (side, layers) in new[] { ("encoder", config.EncoderLayers), ("decoder", config.DecoderLayers) })
        {
            int found = file.Entries.Keys.Select(n => Layer().Match(n)).Where(m => m.Success && m.Groups[1].Value == side).Select(m => m.Groups[2].Value).Distinct().Count();
            if (found != layers)
                throw new InvalidDataException($"{file.Name}: {side}_layers must be the layers that the file holds, {found}, got {layers}.");
            if (layers > MostLayers)
                throw new InvalidDataException($"{file.Name}: {side}_layers must be at most {MostLayers}, got {layers}.");
        }

        foreach (var (name, width) in new[] { ("encoder.embed_tokens.weight", config.WidthOfEncoder), ("decoder.embed_tokens.weight", config.ModelWidth) })
        {
            if (Rows(file, name) is { } shape && (shape.Rank != 2 || shape[1] != width))
                throw new InvalidDataException($"{file.Name}: {name} is {shape}, the model wants a width of {width}.");
        }
    }

    private static Shape? Rows(FairseqFile file, string name) => file.Entries.TryGetValue(name, out var entry) ? entry.Shape : null;

    private static IReadOnlyList<(string Name, Shape Shape, Func<float[]> Read)> Plan(FairseqFile file, ModelConfig config)
    {
        Seq2SeqModel model;
        try
        {
            model = SequenceModel.Declare(config);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"{file.Name}: {e.Message}", e);
        }

        using (model)
        {
            var plan = ParameterLoader.Plan(model, file.Name, file.Entries);
            long elements = plan.Sum(p => p.Shape.Count);
            return elements <= file.Bytes / FewestBytes
                ? plan
                : throw new InvalidDataException($"{file.Name}: {elements} parameters must be in the file, each for itself, got {file.Bytes} bytes.");
        }
    }

    private static (TextCodec Source, TextCodec Target) Codecs(FairseqImportOptions options, FairseqFile file, EmbeddingSharing sharing)
    {
        ITokenizer tokenizer = options.SentencePieceModel is { } model ? SentencePieceTokenizer.Load(model) : options.Codes is null ? new WordTokenizer() : SubwordNmt.LoadCodes(options.Codes);
        string folder = options.Dictionaries ?? Path.GetDirectoryName(Path.GetFullPath(options.Model))!;
        var (source, sourcePath) = Codec(options.SourceLanguage, "source", "encoder.embed_tokens.weight");
        var (target, targetPath) = Codec(options.TargetLanguage, "target", "decoder.embed_tokens.weight");
        return sharing != EmbeddingSharing.All || source.Vocabulary.Hash == target.Vocabulary.Hash
            ? (source, target)
            : throw new InvalidDataException($"{targetPath}: must be the dictionary of {sourcePath}, as all embeddings are one table, got another.");

        (TextCodec Codec, string Path) Codec(string? given, string side, string table)
        {
            string language = given ?? file.Arguments.Text($"{side}_lang") ?? throw new InvalidDataException($"{file.Name}: must say its {side} language ({side}_lang), got none.");
            if (!FairseqDictionary.IsLanguage(language))
                throw new InvalidDataException($"{file.Name}: {FairseqDictionary.Languages}, got '{ForeignFile.Printable(language)}' for {side}_lang.");
            string path = Path.Combine(folder, FairseqDictionary.NameOf(language));
            var vocabulary = FairseqDictionary.Load(path);
            return Rows(file, table) is { Rank: 2 } shape && shape[0] != vocabulary.Count
                ? throw new InvalidDataException($"{path}: must have {shape[0] - Vocabulary.SpecialCount} tokens, for the {shape[0]} rows of {table}, got {vocabulary.Count - Vocabulary.SpecialCount}.")
                : (new TextCodec(tokenizer, vocabulary), path);
        }
    }

    [GeneratedRegex(@"^(encoder|decoder)\.(?:layers|convolutions)\.(\d+)\.")]
    private static partial Regex Layer();
}
