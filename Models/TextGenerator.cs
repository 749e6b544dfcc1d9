using CudaSeq.Kernels;

namespace CudaSeq.Models;

/// <summary>One text that a language model wrote.</summary>
/// <param name="Text">The prompt and what follows it; lines are separated by line feeds.</param>
/// <param name="Score">Its log-probability, the prompt's included, divided for its length as <see cref="DecodingOptions.LengthPenaltyForm"/> says: nearer to 0 is likelier.</param>
/// <param name="Pieces">Pieces, those of the prompt and ends of lines included.</param>
public sealed record GeneratedText(string Text, float Score, int Pieces);

/// <summary>
/// Text in, more text out: a trained language model with its tokeniser and vocabulary. What it goes on with is read token by token as if it had been written.
/// </summary>
/// <example>
/// <code>
/// using var device = Device.Open("cpu");
/// using var generator = TextGenerator.Load("runs/tinyshakespeare-transformer", device);
/// Console.WriteLine(generator.Generate(["ROMEO:"], length: 200)[0][0].Text);
/// </code>
/// </example>
public sealed class TextGenerator : IDisposable
{
    /// <summary>Draws from the likeliest nine tenths of the probability (Holtzman et al. 2020): what a language model writes with where nothing else is said.</summary>
    public static DecodingOptions UsualSearch { get; } = new() { Sampling = true, BatchTokens = 16_384, SamplingTopP = 0.9f };

    private readonly SequenceGenerator _generator;

    /// <summary>Puts a generator together.</summary>
    /// <param name="model">The model; the generator disposes it.</param>
    /// <param name="codec">Text to ids and back.</param>
    /// <param name="throughLines">Whether a text goes on over the end of a line, as with every break mode but <see cref="SampleBreak.Eos"/>.</param>
    /// <exception cref="ArgumentException">The vocabulary has another size than the model's.</exception>
    public TextGenerator(LanguageModel model, TextCodec codec, bool throughLines)
    {
        if (codec.Vocabulary.Count != model.Config.TargetVocabulary)
            throw new ArgumentException($"TextGenerator: the vocabulary must be the model's, got {codec.Vocabulary.Count} pieces and {model.Config.TargetVocabulary} rows.");
        Model = model;
        Codec = codec;
        ThroughLines = throughLines;
        _generator = new SequenceGenerator(model);
    }

    /// <summary>The model.</summary>
    public LanguageModel Model { get; }

    /// <summary>Text to ids and back.</summary>
    public TextCodec Codec { get; }

    /// <summary>Whether a text goes on over the end of a line.</summary>
    public bool ThroughLines { get; }

    /// <summary>Why steps of the last call could not be captured as graphs and were run as they are; null when none failed, and elsewhere than on a GPU.</summary>
    public string? GraphObstacle => _generator.GraphObstacle;

    /// <summary>How many positions of the last call left the decoder after each layer; empty without <see cref="DecodingOptions.Exit"/>.</summary>
    public IReadOnlyList<long> ExitCounts => _generator.ExitCounts;

    /// <summary>Loads the best checkpoint of a run directory, or the last where nothing was validated yet.</summary>
    /// <param name="directory">What <c>cudaseq train</c> wrote.</param>
    /// <param name="device">Where the model will run; the caller disposes it after the generator.</param>
    /// <param name="precision">What it computes in, whatever it was trained in.</param>
    /// <param name="paths">Which of its layers to apply; null for those it was trained with.</param>
    /// <exception cref="IOException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, the vocabulary is not the model's, or it is no language model.</exception>
    /// <exception cref="ArgumentException">The device does not compute in the precision, or the model has no such layers.</exception>
    public static TextGenerator Load(string directory, Device device, DType precision = DType.Float32, LayerPaths? paths = null)
    {
        Precisions.Check(device, precision);
        var run = new RunDirectory(directory);
        string path = run.BestOrLast;
        var header = Checkpoint.ReadHeader(path);
        if (!header.Config.IsLanguageModel)
            throw new InvalidDataException($"{directory}: must hold a language model, it holds one that translates.");
        var codec = run.LoadCodecs().Target;
        if (codec.Vocabulary.Hash != header.TargetVocabulary)
            throw new InvalidDataException($"{path}: was trained with another vocabulary than {run.TargetVocabulary}, which has {codec.Vocabulary.Count:N0} pieces.");
        bool throughLines = !File.Exists(run.Recipe) || Recipe.Load(run.Recipe).Data.SampleBreakMode != SampleBreak.Eos;
        var model = Checkpoint.Restore(path, paths?.Of(header.Config) ?? header.Config, config => new LanguageModel(config), device);
        try
        {
            model.ComputeIn(precision);
            return new TextGenerator(model, codec, throughLines);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Goes on with texts.</summary>
    /// <param name="prompts">What the texts begin with, whole pieces of it; lines are separated by line feeds. An empty one leaves a text free.</param>
    /// <param name="length">The most pieces that follow a prompt.</param>
    /// <param name="options">
    /// How to search; <see cref="UsualSearch"/> when omitted. Its own longest outputs count for nothing, its shortest one counts the pieces that follow a prompt, and is nothing to a model of
    /// whole text.
    /// </param>
    /// <param name="cancellation">Stops between steps.</param>
    /// <param name="most">The most pieces of a text with its prompt, as many as training saw at once; a prompt that has as many is followed by one piece. Null for no such end.</param>
    /// <returns>For each prompt in order its n best texts, best first.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="length"/> is below 1.</exception>
    /// <exception cref="ArgumentException">The options have problems, a prompt has several lines and lines end a text, or the shortest text is longer than the longest.</exception>
    public IReadOnlyList<IReadOnlyList<GeneratedText>> Generate(
        IReadOnlyList<string> prompts, int length, DecodingOptions? options = null, CancellationToken cancellation = default, int? most = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        options ??= UsualSearch;
        if (!ThroughLines && options.MinLength > length)
            throw new ArgumentException($"TextGenerator: min_length must be at most the length, got {options.MinLength} and {length}.");
        int[][] begun = [.. prompts.Select(Ids)];
        int longest = begun.Select(b => b.Length).DefaultIfEmpty(0).Max();

        // A source's length counts its end: it says how long its own text may be.
        options = options with
        {
            StopsAtEndOfSentence = !ThroughLines,
            MinLengthFollowsPrefix = true,

            // No text has it, so no training lowered what it began with by more than its share of every step.
            Never = [Vocabulary.Bos],
            MaxLengthA = 1,
            MaxLengthB = length - 1,
            MaxLength = Math.Min(checked(longest + length), Math.Max(longest + 1, most ?? int.MaxValue)),
        };
        var found = _generator.Generate([.. begun.Select(b => (int[])[.. b, Vocabulary.Eos])], options, cancellation, begun);
        return [.. found.Select(f => f.Select(h => new GeneratedText(Text(h.Tokens), h.Score, h.Tokens.Length)).ToArray())];
    }

    /// <summary>How many pieces a prompt has, ends of lines included.</summary>
    /// <param name="prompt">A prompt.</param>
    public int PiecesOf(string prompt) => Ids(prompt).Length;

    /// <summary>How many pieces of a prompt the vocabulary lacks.</summary>
    /// <param name="prompt">A prompt.</param>
    public int UnknownPiecesOf(string prompt) => Ids(prompt).Count(id => id == Vocabulary.Unk);

    /// <summary>Frees the model.</summary>
    public void Dispose() => Model.Dispose();

    private int[] Ids(string prompt)
    {
        string[] lines = prompt.Replace("\r\n", "\n", StringComparison.Ordinal).Split('\n');
        if (lines.Length > 1 && !ThroughLines)
            throw new ArgumentException($"TextGenerator: a prompt must be one line for a model of single lines, got {lines.Length}.");
        var ids = new List<int>();
        for (int i = 0; i < lines.Length; i++)
        {
            ids.AddRange(Codec.Encode(lines[i]));
            if (i + 1 < lines.Length)
                ids.Add(Vocabulary.Eos);
        }

        return [.. ids];
    }

    private string Text(ReadOnlySpan<int> ids)
    {
        var lines = new List<string>();
        foreach (var range in ids.Split(Vocabulary.Eos))
            lines.Add(Codec.Decode(ids[range]));
        return string.Join('\n', lines);
    }
}
