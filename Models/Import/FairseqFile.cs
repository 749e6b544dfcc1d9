using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>A model of fairseq in a file: its checkpoint, or a safetensors file of its parameters. Values are read when they are asked for.</summary>
internal sealed class FairseqFile : IDisposable
{
    /// <summary>What a safetensors file calls fairseq's arguments in its metadata.</summary>
    public const string ArgumentsKey = "fairseq.args";

    private const string Safetensors = ".safetensors";

    private readonly IDisposable _file;

    private FairseqFile(string path, IDisposable file, FairseqArguments arguments, IReadOnlyDictionary<string, ParameterLoader.Entry> entries)
    {
        Name = Path.GetFileName(path);
        Bytes = new FileInfo(path).Length;
        _file = file;
        Arguments = arguments;
        Entries = entries;
    }

    /// <summary>The file's name, for error messages.</summary>
    public string Name { get; }

    /// <summary>Bytes of the file.</summary>
    public long Bytes { get; }

    /// <summary>What the model was trained with.</summary>
    public FairseqArguments Arguments { get; }

    /// <summary>The tensors of the model.</summary>
    public IReadOnlyDictionary<string, ParameterLoader.Entry> Entries { get; }

    /// <summary>Updates that it was trained for; 0 where the file does not say it.</summary>
    public long Updates { get; private init; }

    /// <summary>Opens a file.</summary>
    /// <param name="path">A checkpoint, or a file called .safetensors.</param>
    /// <param name="config">A JSON file of arguments that take the place of the file's own; null for none.</param>
    /// <returns>The open file, which the caller disposes.</returns>
    /// <exception cref="IOException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is damaged or not what it should be.</exception>
    public static FairseqFile Open(string path, string? config)
    {
        var arguments = new FairseqArguments();
        if (config is not null)
            arguments.AddJson(string.Join('\n', TextFile.ReadLines(config)), Path.GetFileName(config));
        if (path.EndsWith(Safetensors, StringComparison.OrdinalIgnoreCase))
            return OfSafetensors(path, arguments);
        var checkpoint = TorchCheckpoint.Open(path);
        try
        {
            return OfCheckpoint(path, checkpoint, arguments);
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();

    private static FairseqFile OfSafetensors(string path, FairseqArguments arguments)
    {
        if (!File.Exists(path))
            throw TextFile.NotThere(path);
        var file = SafetensorsFile.Open(path);
        try
        {
            if (file.Metadata.TryGetValue(ArgumentsKey, out string? json))
                arguments.AddJson(json, $"{Path.GetFileName(path)}: {ArgumentsKey}");
            return new FairseqFile(path, file, arguments, file.Names.ToDictionary(n => n, n => new ParameterLoader.Entry(file.ShapeOf(n), () => file.ReadFloats(n))));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static FairseqFile OfCheckpoint(string path, TorchCheckpoint checkpoint, FairseqArguments arguments)
    {
        if (checkpoint.Root is not PickleDictionary root || !root.Texts.TryGetValue("model", out object? model) || model is not PickleDictionary parameters)
            throw new InvalidDataException($"{path}: must be a checkpoint of fairseq, a dictionary with a model, got something else.");
        var entries = new Dictionary<string, ParameterLoader.Entry>(StringComparer.Ordinal);
        foreach (var (name, value) in parameters.Texts)
        {
            // They are shown where they do not fit.
            if (ForeignFile.Printable(name) != name)
                throw new InvalidDataException($"{path}: model must name its tensors in at most {ForeignFile.LongestName} characters, none of them a control character, got {ForeignFile.Printable(name)}.");
            if (value is not TorchTensor tensor)
                throw new InvalidDataException($"{path}: model must hold tensors alone, got something else called {name}.");
            entries.Add(name, new ParameterLoader.Entry(checkpoint.ShapeOf(name, tensor), () => checkpoint.Read(name, tensor)));
        }

        arguments.Add(root.Texts.GetValueOrDefault("args")).Add(root.Texts.GetValueOrDefault("cfg"));
        var history = FairseqArguments.Items(root.Texts.GetValueOrDefault("optimizer_history"));
        object? updates = history is { Count: > 0 } ? FairseqArguments.Members(history[^1]).GetValueOrDefault("num_updates") : null;
        return new FairseqFile(path, checkpoint, arguments, entries) { Updates = updates is long and >= 0 ? (long)updates : 0 };
    }
}
