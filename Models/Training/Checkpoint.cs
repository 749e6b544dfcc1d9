using System.Text.Json;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>What a checkpoint says of itself, beside its tensors.</summary>
public sealed record CheckpointHeader
{
    /// <summary>The newest format this build reads and the one it writes.</summary>
    public const int CurrentFormat = 1;

    /// <summary>The layout of the file.</summary>
    public int Format { get; init; } = CurrentFormat;

    /// <summary>The version of CudaSeq that wrote it.</summary>
    public string Version { get; init; } = typeof(CheckpointHeader).Assembly.GetName().Version!.ToString(3);

    /// <summary>The model.</summary>
    public required ModelConfig Config { get; init; }

    /// <summary>SHA-256 of the source vocabulary: the rows of the embeddings mean nothing without it.</summary>
    public required string SourceVocabulary { get; init; }

    /// <summary>SHA-256 of the target vocabulary.</summary>
    public required string TargetVocabulary { get; init; }

    /// <summary>How much it learned from, for recognising the data again: its place in other data would mean nothing. Null in older checkpoints.</summary>
    public string? Data { get; init; }

    /// <summary>Where the run stood.</summary>
    public required TrainingState State { get; init; }

    /// <summary>
    /// What the checkpoint was chosen for, in <c>best.safetensors</c>: its BLEU, or its negated loss where the run does not translate to validate.
    /// </summary>
    public double? Score { get; init; }
}

/// <summary>
/// Checkpoints: one safetensors file of the parameters under their fairseq names and, for resuming, the optimiser's moments,
/// with a JSON header in its metadata. Written to a temporary file and renamed, so that a name never holds half a checkpoint.
/// </summary>
public static class Checkpoint
{
    private const string HeaderKey = "cudaseq";
    private const string OptimizerPrefix = "optimizer.";
    private const string FirstMoment = OptimizerPrefix + "first_moment.";
    private const string SecondMoment = OptimizerPrefix + "second_moment.";

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Writes a checkpoint.</summary>
    /// <param name="path">The file, replaced if it exists.</param>
    /// <param name="header">What it says of itself.</param>
    /// <param name="model">Its parameters.</param>
    /// <param name="optimizer">Its moments, for resuming; null for a checkpoint to translate with.</param>
    public static void Save(string path, CheckpointHeader header, Seq2SeqModel model, Adam? optimizer)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(folder);
        var metadata = new Dictionary<string, string> { [HeaderKey] = JsonSerializer.Serialize(header, Json) };
        SafetensorsWriter.Write(path, Tensors(model, optimizer), metadata);
    }

    /// <summary>Reads what a checkpoint says of itself.</summary>
    /// <exception cref="InvalidDataException">Not a checkpoint, damaged, or of a newer format.</exception>
    public static CheckpointHeader ReadHeader(string path)
    {
        using var file = SafetensorsFile.Open(path);
        return ReadHeader(path, file);
    }

    /// <summary>Reads the parameters into a model of the checkpoint's configuration, and the moments into its optimiser where one is given.</summary>
    /// <exception cref="InvalidDataException">Damaged, or the tensors are not the model's.</exception>
    public static CheckpointHeader Load(string path, Seq2SeqModel model, Adam? optimizer = null)
    {
        using var file = SafetensorsFile.Open(path);
        var header = ReadHeader(path, file);
        ParameterLoader.Load(
            model,
            Path.GetFileName(path),
            file.Names.Where(n => !n.StartsWith(OptimizerPrefix, StringComparison.Ordinal))
                .ToDictionary(n => n, n => new ParameterLoader.Entry(file.ShapeOf(n), () => file.ReadFloats(n))));
        if (optimizer is null)
            return header;
        int i = 0;
        foreach (var (name, _) in model.NamedParameters())
        {
            ReadMoment(path, file, FirstMoment + name, optimizer.FirstMoments[i]);
            ReadMoment(path, file, SecondMoment + name, optimizer.SecondMoments[i]);
            i++;
        }

        optimizer.Updates = header.State.Update;
        return header;
    }

    private static void ReadMoment(string path, SafetensorsFile file, string name, Tensor moment)
    {
        if (!file.Contains(name))
            throw new InvalidDataException($"{Path.GetFileName(path)}: has no optimiser state ({name}), so training cannot resume from it; last.safetensors has.");
        if (file.ShapeOf(name) != moment.Shape)
            throw new InvalidDataException($"{Path.GetFileName(path)}: {name} is {file.ShapeOf(name)}, the optimiser wants {moment.Shape}.");
        file.Read(name, moment);
    }

    private static CheckpointHeader ReadHeader(string path, SafetensorsFile file)
    {
        string name = Path.GetFileName(path);
        if (!file.Metadata.TryGetValue(HeaderKey, out string? json))
            throw new InvalidDataException($"{name}: is not a CudaSeq checkpoint (no \"{HeaderKey}\" in its metadata).");
        CheckpointHeader? header;
        try
        {
            header = JsonSerializer.Deserialize<CheckpointHeader>(json, Json);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{name}: its header cannot be read: {e.Message}", e);
        }

        return header switch
        {
            null => throw new InvalidDataException($"{name}: its header is empty."),
            { Format: > CheckpointHeader.CurrentFormat } => throw new InvalidDataException(
                $"{name}: is of format {header.Format}, this build reads up to {CheckpointHeader.CurrentFormat}; it was written by CudaSeq {header.Version}."),
            _ => header,
        };
    }

    private static IEnumerable<KeyValuePair<string, Tensor>> Tensors(Seq2SeqModel model, Adam? optimizer)
    {
        int i = 0;
        foreach (var (name, tensor) in model.NamedParameters())
        {
            yield return new(name, tensor);
            if (optimizer is not null)
            {
                yield return new(FirstMoment + name, optimizer.FirstMoments[i]);
                yield return new(SecondMoment + name, optimizer.SecondMoments[i]);
            }

            i++;
        }
    }
}
