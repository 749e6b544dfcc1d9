using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>A trained model that is looked into: one that translates or a language model, with its vocabularies.</summary>
public sealed class AnalysisRun : IDisposable
{
    private readonly Translator? _translator;
    private readonly TextGenerator? _generator;

    /// <summary>Takes a model that translates.</summary>
    /// <param name="folder">What it is called, as a rule the run's folder.</param>
    /// <param name="translator">The model; disposed with the run.</param>
    public AnalysisRun(string folder, Translator translator)
    {
        (Folder, _translator) = (folder, translator);
        (Model, Target) = (translator.Model, translator.Target);
    }

    /// <summary>Takes a language model.</summary>
    /// <param name="folder">What it is called, as a rule the run's folder.</param>
    /// <param name="generator">The model; disposed with the run.</param>
    public AnalysisRun(string folder, TextGenerator generator)
    {
        (Folder, _generator) = (folder, generator);
        (Model, Target) = (generator.Model, generator.Codec);
    }

    /// <summary>The folder of the run, as it was named.</summary>
    public string Folder { get; }

    /// <summary>The last part of <see cref="Folder"/>, as pages call the run.</summary>
    internal string Name => Path.GetFileName(Path.TrimEndingDirectorySeparator(Folder));

    /// <summary>The model.</summary>
    public AutoregressiveModel Model { get; }

    /// <summary>What determines it.</summary>
    public ModelConfig Config => Model.Config;

    /// <summary>Where it is.</summary>
    public Device Device => Model.Device;

    /// <summary>The model that translates, with its search.</summary>
    /// <exception cref="InvalidOperationException">It is a language model.</exception>
    public Translator Translator => _translator ?? throw new InvalidOperationException($"AnalysisRun: {Folder} holds a language model.");

    /// <summary>The language model, with its search.</summary>
    /// <exception cref="InvalidOperationException">It is none.</exception>
    public TextGenerator Generator => _generator ?? throw new InvalidOperationException($"AnalysisRun: {Folder} holds no language model.");

    /// <summary>Source text to ids; a language model's own text where there is no source.</summary>
    public TextCodec Source => _translator?.Source ?? Target;

    /// <summary>Target text to ids.</summary>
    public TextCodec Target { get; }

    /// <summary>Updates of the parameters that are looked at; null where the model was never saved.</summary>
    public long? Update { get; private init; }

    /// <summary>The files of the run.</summary>
    internal RunDirectory Directory => new(Folder);

    /// <summary>Encoder and decoder.</summary>
    internal EncoderDecoderModel Layers => (EncoderDecoderModel)Translator.Model;

    /// <summary>The decoder, of either kind of model.</summary>
    internal Decoder Decoder => _generator?.Model.Decoder ?? Layers.Decoder;

    /// <summary>Loads the best parameters of a run, or the last where nothing was validated yet.</summary>
    /// <param name="folder">What <c>cudaseq train</c> wrote.</param>
    /// <param name="device">Where the model will be; the caller disposes it after the run.</param>
    /// <param name="precision">What it computes in.</param>
    /// <param name="paths">Which of its layers to apply; null for those it was trained with.</param>
    /// <exception cref="IOException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, or a parameter is not finite: nothing that is seen of such a model means anything.</exception>
    /// <exception cref="ArgumentException">The device does not compute in the precision, or the model has no such layers.</exception>
    public static AnalysisRun Load(string folder, Device device, DType precision = DType.Float32, LayerPaths? paths = null)
    {
        if (!System.IO.Directory.Exists(folder))
            throw new DirectoryNotFoundException($"{folder}: there is no such folder.");
        var header = Checkpoint.ReadHeader(new RunDirectory(folder).BestOrLast);
        var run = header.Config.IsLanguageModel
            ? new AnalysisRun(folder, TextGenerator.Load(folder, device, precision, paths)) { Update = header.State.Update }
            : new AnalysisRun(folder, Translator.Load(folder, device, precision, paths)) { Update = header.State.Update };
        foreach (var (name, tensor) in run.Model.NamedParameters())
        {
            using var scope = TensorScope.Begin();
            if (Array.FindIndex(tensor.ToArray(), v => !float.IsFinite(v)) is >= 0 and var index)
            {
                run.Dispose();
                throw new InvalidDataException($"analyze: the model in {folder} must have finite parameters, {name} has one that is not, at {index}.");
            }
        }

        return run;
    }

    /// <summary>Frees the model.</summary>
    public void Dispose()
    {
        _translator?.Dispose();
        _generator?.Dispose();
    }
}
