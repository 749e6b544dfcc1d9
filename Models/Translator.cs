using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>One translation of a line.</summary>
/// <param name="Text">The translation.</param>
/// <param name="Score">Its log-probability over its length to the power of the length penalty: nearer to 0 is likelier.</param>
public sealed record Translation(string Text, float Score);

/// <summary>
/// Text in, text out: a trained model with its tokenisers and vocabularies. This is all that an application needs.
/// </summary>
/// <example>
/// <code>
/// using var device = Device.Open("cpu");
/// using var translator = Translator.Load("runs/multi30k-dynamicconv", device);
/// Console.WriteLine(translator.Translate("A man rides a bicycle."));
/// </code>
/// </example>
public sealed class Translator : IDisposable
{
    private readonly SequenceGenerator _generator;

    /// <summary>Puts a translator together.</summary>
    /// <param name="model">The model; the translator disposes it.</param>
    /// <param name="source">Source text to ids.</param>
    /// <param name="target">Ids to target text.</param>
    /// <param name="decoding">How to search where a call does not say it; fairseq's defaults when omitted.</param>
    /// <exception cref="ArgumentException">A vocabulary has another size than the model's.</exception>
    public Translator(Seq2SeqModel model, TextCodec source, TextCodec target, DecodingOptions? decoding = null)
    {
        Check("source", source.Vocabulary.Count, model.Config.SourceVocabulary);
        Check("target", target.Vocabulary.Count, model.Config.TargetVocabulary);
        Model = model;
        Source = source;
        Target = target;
        Decoding = decoding ?? new DecodingOptions();
        _generator = new SequenceGenerator(model);

        static void Check(string side, int vocabulary, int rows)
        {
            if (vocabulary != rows)
                throw new ArgumentException($"Translator: the {side} vocabulary must be the model's, got {vocabulary} pieces and {rows} rows.");
        }
    }

    /// <summary>The model.</summary>
    public Seq2SeqModel Model { get; }

    /// <summary>Source text to ids.</summary>
    public TextCodec Source { get; }

    /// <summary>Ids to target text.</summary>
    public TextCodec Target { get; }

    /// <summary>How a call searches that does not say it: as the run's recipe says, for a translator that was loaded.</summary>
    public DecodingOptions Decoding { get; }

    /// <summary>Why steps of the last call could not be captured as graphs and were run as they are; null when none failed, and elsewhere than on a GPU.</summary>
    public string? GraphObstacle => _generator.GraphObstacle;

    /// <summary>Loads the best checkpoint of a run directory, or the last where nothing was validated yet. It searches as the run's recipe says.</summary>
    /// <param name="directory">What <c>cudaseq train</c> wrote.</param>
    /// <param name="device">Where the model will run; the caller disposes it after the translator.</param>
    /// <param name="precision">What it computes in, whatever it was trained in.</param>
    /// <exception cref="IOException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, or the vocabularies are not the model's.</exception>
    /// <exception cref="ArgumentException">The device does not compute in the precision.</exception>
    public static Translator Load(string directory, Device device, DType precision = DType.Float32)
    {
        Precisions.Check(device, precision);
        var run = new RunDirectory(directory);
        string path = run.BestOrLast;
        var header = Checkpoint.ReadHeader(path);
        var (source, target) = run.LoadCodecs();
        Check("source", run.SourceVocabulary, header.SourceVocabulary, source);
        Check("target", run.TargetVocabulary, header.TargetVocabulary, target);
        var model = SequenceModel.Create(header.Config, device, new RandomSource(0));
        try
        {
            Checkpoint.Load(path, model);
            model.ComputeIn(precision);
            return new Translator(model, source, target, run.Decoding());
        }
        catch
        {
            model.Dispose();
            throw;
        }

        void Check(string side, string file, string hash, TextCodec codec)
        {
            if (codec.Vocabulary.Hash != hash)
                throw new InvalidDataException($"{Path.GetFileName(path)}: was trained with another {side} vocabulary than {Path.GetFileName(file)}.");
        }
    }

    /// <summary>The best translation of one line.</summary>
    /// <param name="line">Source text without a line end; a line of nothing but white space gives an empty one.</param>
    /// <param name="options">How to search; as <see cref="Decoding"/> when omitted.</param>
    public string Translate(string line, DecodingOptions? options = null) => Translate([line], options)[0][0].Text;

    /// <summary>The best translations of many lines, batched by length.</summary>
    /// <param name="lines">Source text.</param>
    /// <param name="options">How to search; as <see cref="Decoding"/> when omitted.</param>
    /// <param name="cancellation">Stops between steps.</param>
    /// <returns>For each line in order its n best translations, best first.</returns>
    public IReadOnlyList<IReadOnlyList<Translation>> Translate(
        IReadOnlyList<string> lines, DecodingOptions? options = null, CancellationToken cancellation = default)
    {
        var results = new IReadOnlyList<Translation>[lines.Count];
        var sources = new List<int[]>();
        var places = new List<int>();
        for (int i = 0; i < lines.Count; i++)
        {
            int[] ids = string.IsNullOrWhiteSpace(lines[i]) ? [] : Source.Encode(lines[i]);
            if (ids.Length == 0)
            {
                results[i] = [new Translation(string.Empty, 0)];
                continue;
            }

            sources.Add([.. ids, Vocabulary.Eos]);
            places.Add(i);
        }

        var generated = _generator.Generate(sources, options ?? Decoding, cancellation);
        for (int i = 0; i < generated.Count; i++)
            results[places[i]] = [.. generated[i].Select(h => new Translation(Target.Decode(h.Tokens), h.Score))];
        return results;
    }

    /// <summary>Frees the model.</summary>
    public void Dispose() => Model.Dispose();
}
