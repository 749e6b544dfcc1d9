using CudaSeq.Kernels;

namespace CudaSeq.Models;

/// <summary>One translation of a line.</summary>
/// <param name="Text">The translation.</param>
/// <param name="Score">Its log-probability, divided for its length as <see cref="DecodingOptions.LengthPenaltyForm"/> says: nearer to 0 is likelier.</param>
public sealed record Translation(string Text, float Score)
{
    /// <summary>Log probabilities in nats of each target piece and, last, of the end.</summary>
    public IReadOnlyList<float> TokenScores { get; init; } = [];

    /// <summary>For each target piece the source piece with the most attention, from 0; empty without <see cref="DecodingOptions.Alignments"/>.</summary>
    public IReadOnlyList<int> Alignment { get; init; } = [];
}

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

    /// <summary>How many positions of the last call left the decoder after each layer; empty without <see cref="DecodingOptions.Exit"/>.</summary>
    public IReadOnlyList<long> ExitCounts => _generator.ExitCounts;

    /// <summary>The pieces of the lines of the last call.</summary>
    public SourcePieces SourcePieces { get; private set; } = new(0, 0, -1, 0, -1);

    /// <summary>Loads the best checkpoint of a run directory, or the last where nothing was validated yet. It searches as the run's recipe says.</summary>
    /// <param name="directory">What <c>cudaseq train</c> wrote.</param>
    /// <param name="device">Where the model will run; the caller disposes it after the translator.</param>
    /// <param name="precision">What it computes in, whatever it was trained in.</param>
    /// <param name="paths">Which of its layers to apply; null for those it was trained with.</param>
    /// <exception cref="IOException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, or the vocabularies are not the model's.</exception>
    /// <exception cref="ArgumentException">The device does not compute in the precision, or the model has no such layers.</exception>
    public static Translator Load(string directory, Device device, DType precision = DType.Float32, LayerPaths? paths = null)
    {
        Precisions.Check(device, precision);
        var run = new RunDirectory(directory);
        string path = run.BestOrLast;
        var header = Checkpoint.ReadHeader(path);
        if (header.Config.IsLanguageModel)
            throw new InvalidDataException($"{directory}: must hold a model that translates, it holds a language model.");
        var (source, target) = run.LoadCodecs();
        Check("source", run.SourceVocabulary, header.SourceVocabulary, source);
        Check("target", run.TargetVocabulary, header.TargetVocabulary, target);
        var model = Checkpoint.Restore(path, paths?.Of(header.Config) ?? header.Config, SequenceModel.Declare, device);
        try
        {
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
                throw new InvalidDataException($"{path}: was trained with another {side} vocabulary than {file}, which has {codec.Vocabulary.Count:N0} pieces.");
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
    /// <param name="prefixes">For each line the target text that its translations begin with, whole pieces of it; an empty one, or one of nothing but white space, leaves them free.</param>
    /// <param name="replaceUnknown">
    /// Whether words of the source take the place of unknown words that are aligned to them, and pieces of the source that of unknown pieces in words that have others.
    /// </param>
    /// <param name="constraints">
    /// For each line the phrases that its translations must hold, as whole words and as the tokeniser cuts them; the same phrase n times for n places; an empty list where there are none. Those of an
    /// empty line are not looked at. Not with sampling or diverse beams.
    /// </param>
    /// <exception cref="ArgumentException">There are not as many prefixes or constraints as lines.</exception>
    /// <exception cref="SourceException">A line has more pieces than the model has positions; nothing was translated.</exception>
    /// <exception cref="ConstraintException">A phrase has a piece that is not in the target's vocabulary, or the phrases of a line do not fit into its longest translation.</exception>
    /// <returns>For each line in order its n best translations, best first.</returns>
    public IReadOnlyList<IReadOnlyList<Translation>> Translate(
        IReadOnlyList<string> lines,
        DecodingOptions? options = null,
        CancellationToken cancellation = default,
        IReadOnlyList<string>? prefixes = null,
        bool replaceUnknown = false,
        IReadOnlyList<IReadOnlyList<string>>? constraints = null)
    {
        if (prefixes is not null && prefixes.Count != lines.Count)
            throw new ArgumentException($"Translator: prefixes must be as many as lines, got {prefixes.Count} and {lines.Count}.");
        if (constraints is not null && constraints.Count != lines.Count)
            throw new ArgumentException($"Translator: constraints must be as many as lines, got {constraints.Count} and {lines.Count}.");
        options ??= Decoding;
        var results = new IReadOnlyList<Translation>[lines.Count];
        var sources = new List<int[]>();
        var places = new List<int>();
        var read = new SourcePieces(0, 0, -1, 0, -1);
        for (int i = 0; i < lines.Count; i++)
        {
            int[] ids = string.IsNullOrWhiteSpace(lines[i]) ? [] : Source.Encode(lines[i]);
            if (ids.Length == 0)
            {
                results[i] = [new Translation(string.Empty, 0)];
                continue;
            }

            if (ids.Length >= Model.Config.MostPositions)
                throw new SourceException(i, _generator.TooLong(ids.Length + 1));
            sources.Add([.. ids, Vocabulary.Eos]);
            places.Add(i);
            read = read.With(i, ids);
        }

        SourcePieces = read;
        int[][]? begin = prefixes is null ? null : [.. places.Select(p => string.IsNullOrWhiteSpace(prefixes[p]) ? [] : Target.Encode(prefixes[p]))];
        var generated = _generator.Generate(
            sources, options with { Alignments = options.Alignments || replaceUnknown }, cancellation, begin, Constraints(constraints, places, sources, begin, options));
        for (int i = 0; i < generated.Count; i++)
        {
            string line = lines[places[i]];
            results[places[i]] = [.. generated[i].Select(h => new Translation(replaceUnknown ? UnknownReplacement.Decode(h, Source.Tokenizer, line, Target) : Target.Decode(h.Tokens), h.Score)
            {
                TokenScores = h.TokenScores,
                Alignment = options.Alignments ? h.Alignment : [],
            })];
        }

        return results;
    }

    // Outputs of an empty line are empty, whatever they should hold.
    private LexicalConstraint[][]? Constraints(IReadOnlyList<IReadOnlyList<string>>? phrases, List<int> places, List<int[]> sources, int[][]? prefixes, DecodingOptions options)
    {
        // What else is wrong with the options the generator says.
        if (phrases is null || options.Validate().Count > 0)
            return null;
        var constraints = new LexicalConstraint[places.Count][];
        for (int i = 0; i < constraints.Length; i++)
        {
            int line = places[i];
            constraints[i] = [.. phrases[line].Where(p => !string.IsNullOrWhiteSpace(p)).Select(p => Constraint(line, p.Trim()))];
            if (options.ConstraintProblem(sources[i].Length, prefixes?[i] ?? [], constraints[i]) is { } problem)
                throw new ConstraintException(line, problem);
        }

        return constraints;
    }

    private LexicalConstraint Constraint(int line, string phrase)
    {
        var vocabulary = Target.Vocabulary;
        string[] pieces = Target.Tokenizer.Encode(phrase);
        if (pieces.Length == 0)
            throw new ConstraintException(line, $"constraints must have a piece at least, got '{phrase}'.");
        if (Array.Find(pieces, p => vocabulary.IndexOf(p) == Vocabulary.Unk) is { } unknown)
            throw new ConstraintException(line, $"constraints must be made of pieces of the target's vocabulary, got '{phrase}' with the piece '{unknown}'.");
        var (before, after) = (PieceWords.Before(Target.Tokenizer), PieceWords.After(Target.Tokenizer, pieces[^1]));
        if (before?.Invoke(pieces[^1]) == false)
            throw new ConstraintException(line, $"constraints must end where a word ends, got '{phrase}' with the piece '{pieces[^1]}' at its end.");
        return new LexicalConstraint(Array.ConvertAll(pieces, vocabulary.IndexOf))
        {
            Before = before is null ? null : id => id < Vocabulary.SpecialCount || before(vocabulary[id]),
            After = after is null ? null : id => id >= Vocabulary.SpecialCount && after(vocabulary[id]),
        };
    }

    /// <summary>Frees the model.</summary>
    public void Dispose() => Model.Dispose();
}
