using System.Text.Json;

namespace CudaSeq.Models;

/// <summary>What text an analysis reads, and with it which options <c>cudaseq analyze</c> gives it.</summary>
public enum AnalysisReads
{
    /// <summary>None: it looks at parameters alone, or at what its own options give.</summary>
    Nothing,

    /// <summary>Lines of one text, the source where there is one: <c>--input</c>.</summary>
    Lines,

    /// <summary>Sources with their references, or a language model's text: <c>--input</c> and <c>--reference</c>.</summary>
    Pairs,
}

/// <summary>How far an analysis is.</summary>
/// <param name="What">What is counted: pairs, lines, updates.</param>
/// <param name="Done">How many are done.</param>
/// <param name="Total">How many there are; null where nobody knows.</param>
public readonly record struct AnalysisProgress(string What, long Done, long? Total = null);

/// <summary>
/// One way of looking into a trained model. It reads the model and perhaps a text, batch by batch, and gives numbers and a page with pictures of them.
/// All of them are in <see cref="Analyses"/>, and <c>cudaseq analyze NAME</c> runs them.
/// </summary>
public abstract class Analysis
{
    /// <summary>What it is called on a command line: small letters with hyphens.</summary>
    public abstract string Name { get; }

    /// <summary>What it shows, in one line.</summary>
    public abstract string Summary { get; }

    /// <summary>Where it comes from: authors, title, venue, section.</summary>
    public abstract string Origin { get; }

    /// <summary>How to read its numbers, in a few sentences for the page and for the help.</summary>
    public abstract string Reading { get; }

    /// <summary>What text it reads.</summary>
    public virtual AnalysisReads Reads => AnalysisReads.Nothing;

    /// <summary>Whether the text becomes batches of limited size and lines of limited length (<see cref="AnalysisText.BatchTokens"/>, <see cref="AnalysisText.MaxLength"/>).</summary>
    public virtual bool TakesBatches => Reads != AnalysisReads.Nothing;

    /// <summary>What it can be told, beside model and text.</summary>
    public virtual IReadOnlyList<AnalysisOption> Options => [];

    /// <summary>Whether the model's layers may be applied in another order (<see cref="LayerPaths"/>).</summary>
    public virtual bool TakesPaths => false;

    /// <summary>A command line that works, without <c>cudaseq analyze NAME</c>, and what it does.</summary>
    public virtual (string Arguments, string What) Example => ("--model runs/multi30k-transformer --out analyses", Summary);

    /// <summary>Why a model cannot be looked at so, as the rest of a sentence that begins with "the model in DIR"; null where it can.</summary>
    /// <param name="config">The model.</param>
    public virtual string? Obstacle(ModelConfig config) => null;

    /// <summary>Does it.</summary>
    /// <param name="run">The model.</param>
    /// <param name="text">What it reads; nothing of it is read where <see cref="Reads"/> says so.</param>
    /// <param name="settings">What it was told.</param>
    /// <param name="progress">Is told now and then how far it is.</param>
    /// <param name="cancellation">Asks to stop; looked at between batches.</param>
    /// <exception cref="InvalidDataException">It does not apply to the model, or the text is not fit for it.</exception>
    /// <exception cref="ArgumentException">A setting is out of its range or does not go with the model.</exception>
    /// <exception cref="OperationCanceledException">It was asked to stop.</exception>
    public AnalysisResult Of(
        AnalysisRun run, AnalysisText? text = null, AnalysisSettings? settings = null, IProgress<AnalysisProgress>? progress = null, CancellationToken cancellation = default)
    {
        Check(run);
        text ??= new AnalysisText();
        settings ??= new AnalysisSettings();
        settings.Check(this);
        if (text.Reference is not null && run.Config.IsLanguageModel)
            throw new InvalidDataException("analyze: --reference is for a model that translates, this is a language model.");
        var work = new AnalysisWork(run, text, settings, progress, cancellation);
        var finding = Run(work);
        return new AnalysisResult(this, run, text, settings, finding);
    }

    /// <summary>Whether it walks through layers of self-attention or convolutions.</summary>
    internal virtual bool LooksIntoLayers => true;

    /// <summary>Does it.</summary>
    /// <param name="work">Model, text, settings, progress and cancellation.</param>
    internal abstract AnalysisFinding Run(AnalysisWork work);

    /// <summary>Refuses a model that it does not apply to.</summary>
    internal void Check(AnalysisRun run)
    {
        if (((LooksIntoLayers ? ObstacleOfAny(run.Config) : null) ?? Obstacle(run.Config)) is { } obstacle)
            throw new InvalidDataException($"analyze {Name}: the model in {run.Folder} {obstacle}");
    }

    /// <summary>The obstacle of all analyses: there must be layers to look into.</summary>
    internal static string? ObstacleOfAny(ModelConfig config)
        => config.HasLayers ? null : $"is of the architecture {config.Architecture.ToString().ToLowerInvariant()}, whose layers are not those that this analysis looks into.";

    /// <summary>The obstacle of what walks through layers by itself.</summary>
    protected static string? NeedsPlainSteps(ModelConfig config)
        => config.StepSignal != StepSignal.None || config.Halting != Halting.None ? "has step_signal or halting: its layers are no function of the states alone." : null;

    /// <summary>The obstacle of all that needs a source.</summary>
    protected static string? NeedsSource(ModelConfig config) => config.IsLanguageModel ? "is a language model; this analysis is of models that translate." : null;
}

/// <summary>What an analysis works with.</summary>
/// <param name="Run">The model.</param>
/// <param name="Text">What it reads.</param>
/// <param name="Settings">What it was told.</param>
/// <param name="Progress">Is told how far it is.</param>
/// <param name="Cancellation">Asks to stop.</param>
internal sealed record AnalysisWork(AnalysisRun Run, AnalysisText Text, AnalysisSettings Settings, IProgress<AnalysisProgress>? Progress, CancellationToken Cancellation)
{
    /// <summary>The text in batches, each told to <see cref="Progress"/> when the next is asked for.</summary>
    /// <param name="run">Whose vocabularies are meant; the model itself when omitted.</param>
    public IEnumerable<Batch> Batches(AnalysisRun? run = null) => Text.Batches(run ?? Run, Run, Progress, Cancellation);

    /// <summary>Says how far it is, and stops where that was asked for.</summary>
    public void Report(string what, long done, long? total = null)
    {
        Cancellation.ThrowIfCancellationRequested();
        Progress?.Report(new AnalysisProgress(what, done, total));
    }
}

/// <summary>What an analysis found.</summary>
/// <param name="Headline">The most important of it in one sentence, with its numbers.</param>
/// <param name="Sections">The page, in order.</param>
/// <param name="Numbers">Writes all numbers as properties of an object that is open.</param>
internal sealed record AnalysisFinding(string Headline, IReadOnlyList<AnalysisSection> Sections, Action<Utf8JsonWriter> Numbers)
{
    /// <summary>More files, by their names, for what is too large for a page or for one JSON object; written in the folder of the page.</summary>
    public IReadOnlyList<(string Name, Action<Stream> Write)> Files { get; init; } = [];
}

/// <summary>A part of the page.</summary>
/// <param name="Title">Its heading.</param>
/// <param name="Text">What is said before its figures, a paragraph for each line; may be empty.</param>
/// <param name="Figures">Pictures and tables, in order.</param>
/// <param name="Folded">Whether the figures are shown when they are asked for.</param>
internal sealed record AnalysisSection(string Title, string Text, IReadOnlyList<Figure> Figures, bool Folded = false);
