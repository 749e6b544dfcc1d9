using System.CommandLine;
using System.Globalization;
using System.Text;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq train</c>: runs a recipe.</summary>
internal sealed class TrainVerb : Verb
{
    private readonly Argument<string> _recipe = Required("RECIPE", "A recipe: model, data and training as JSON.");
    private readonly Option<string> _data = Text("--data", "DIR", "The folder that the recipe's files are in (default: the recipe's data.folder below CUDASEQ_DATA).");
    private readonly Option<string[]> _set = RecipeSettings.Create();

    private readonly Option<string> _batchTokens = Text("--batch-tokens", "N|auto", "The same as --set training.batch_tokens=N; auto measures before the run what fits into the GPU's memory.");
    private readonly Option<string> _device = Text("--device", "NAME", "Where to train: cpu (the default), cuda, cuda:N or auto.");
    private readonly Option<string> _precision = Text("--precision", "NAME", "The same as --set training.precision=NAME: float32 (the default) or, on a GPU, bf16.");
    private readonly Option<string> _tf32 = Text("--tf32", "on|off", "Whether a GPU's products of float32 matrices may round their inputs to TF32; the same as --set training.tf32 (default: off).");
    private readonly Option<long?> _seed = Whole("--seed", "N", "The same as --set training.seed=N.", 0);
    private readonly Option<long?> _maxUpdates = Whole("--max-updates", "N", "End after N updates, counted from the run's start.", 1);
    private readonly Option<bool> _resume = Flag("--resume", "Continue the run in the output folder; a run that was killed before its first checkpoint starts again.");
    private readonly Option<string> _out = Text("--out", "DIR", "The run's folder (default: runs/NAME, by the recipe's name).");

    public TrainVerb()
        : base("train", "Train a model from a recipe.")
    {
        Add(_recipe);
        foreach (var option in (Option[])[_data, _set, _batchTokens, _device, _precision, _tf32, _seed, _maxUpdates, _resume, _out])
            Add(option);
    }

    /// <summary>Whether an interruption is told; not where a larger work tells of its own.</summary>
    public bool TellsInterruption { get; init; } = true;

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq train recipes/multi30k-dynamicconv.json --data data/multi30k", "Trains for the recipe's hour and writes runs/multi30k-dynamicconv."),
        ("cudaseq train recipes/multi30k-dynamicconv.json --data data/multi30k --resume", "Goes on after an interruption, bit for bit as if there had been none."),
        ("cudaseq train recipes/multi30k-lightconv.json --set model.dropout=0.2 training.learning_rate=1e-3 --out runs/try", "Changes two keys of the recipe."),
        ("cudaseq train recipes/multi30k-transformer.json --max-updates 100 --seed 2 > train.txt", "Redirected, progress is plain lines."),
    ];

    public override string Notes =>
        "docs/recipes.md explains every key of a recipe. The run's folder receives best.safetensors (the best validation), last.safetensors (to resume from), the vocabularies, the tokenisers, train.corpus (the training text in ids, see docs/corpora.md), recipe.json, log.jsonl and at the end report.html. Ctrl-C or SIGTERM ends the update under way, saves and stops with exit code 0.";

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        string path = arguments.GetRequiredValue(_recipe);
        var recipe = Recipe.Load(path, Settings(arguments));
        string data = DataFolder(recipe, arguments.GetValue(_data), terminal);
        var directory = new RunDirectory(arguments.GetValue(_out) ?? Path.Combine("runs", recipe.Name));
        if (arguments.GetValue(_resume))
            recipe = Experiment.Measured(recipe, directory);
        bool resume = Resumes(recipe, directory, arguments.GetValue(_resume), terminal);
        using var device = Devices.Open(arguments.GetValue(_device));
        Devices.Check(device, recipe.Training.Precision, recipe.Training.Tf32);
        if (recipe.Training.BatchTokens is null && device.FreeBytes is null)
            throw new UsageException($"training.batch_tokens auto measures the memory of a GPU, on {device} it must be a number: --batch-tokens {new RecipeTraining().BatchTokens} is the default.");
        var display = new TrainingDisplay(terminal);
        if (device.Choice is { } choice)
            display.Report(choice);
        var notes = new Dictionary<string, string>
        {
            ["command"] = Typed(arguments),
            ["recipe"] = path,
            ["processor"] = Machine.Processor(),
        };
        using var experiment = Experiment.Prepare(recipe, data, device, directory, resume, notes, display, cancellation);
        display.Report(string.Create(
            CultureInfo.InvariantCulture,
            $"{recipe.Name}: {Devices.NameOf(recipe.Model.Architecture)}, {experiment.Model.ParameterCount:N0} parameters, in {Precisions.Name(experiment.Model.Precision)}{(device.Tf32 ? " with TF32" : "")} on {Devices.Describe(device)}, in {directory.Path}"));
        if (resume)
            display.Report(string.Create(CultureInfo.InvariantCulture, $"resuming after update {experiment.Trainer.State.Update:N0}"));
        TrainingResult result;
        try
        {
            result = experiment.Trainer.Run(display, cancellation);
        }
        finally
        {
            display.Finish();
        }

        if (cancellation.IsCancellationRequested)
            return Interrupted(terminal, result);
        if (result.End == TrainingEnd.Patience)
            display.Report(string.Create(CultureInfo.InvariantCulture, $"training.patience: the last {result.State.WithoutBest:N0} validations were no new best, ended after update {result.State.Update:N0}"));

        if (recipe.Data.Test is { IsText: true } text)
        {
            display.Report($"scoring {text.Target}");
            (EvaluationScores Scores, long Update) test;
            try
            {
                test = experiment.TestText(cancellation)!.Value;
            }
            catch (OperationCanceledException)
            {
                return Interrupted(terminal, result);
            }

            terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"checkpoint of update {test.Update:N0}:"));
            EvaluateVerb.Write(terminal, test.Scores, note: null);
        }
        else if (recipe.Data.Test is { } files)
        {
            display.Report($"translating {files.Source} with beam {recipe.Decoding.Beam}");
            TestScores test;
            try
            {
                test = experiment.Test(cancellation)!;
            }
            catch (OperationCanceledException)
            {
                return Interrupted(terminal, result);
            }

            terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"checkpoint of update {test.CheckpointUpdate:N0}:"));
            ScoreReport.Write(terminal, test.Bleu);
        }

        string page = HtmlReport.Write(recipe.Name, [ReportVerb.Read(directory.Path)]);
        TextFile.WriteWhole(directory.Report, stream => stream.Write(Encoding.UTF8.GetBytes(page)));
        bool isText = recipe.Task == RecipeTask.LanguageModeling;
        terminal.Out.WriteLine($"curves{(isText ? "" : " and translations")}: {directory.Report}");
        terminal.Out.WriteLine(isText ? $"write with it: cudaseq generate --model {Quoted(directory.Path)}" : $"translate with it: cudaseq translate --model {Quoted(directory.Path)}");
        return CommandLine.Success;
    }

    private List<string> Settings(ParseResult arguments)
    {
        var settings = new List<string>(arguments.GetValue(_set) ?? []);
        if (arguments.GetValue(_batchTokens) is { } tokens)
            settings.Add($"training.batch_tokens={tokens}");
        if (arguments.GetValue(_seed) is { } seed)
            settings.Add(string.Create(CultureInfo.InvariantCulture, $"training.seed={seed}"));
        if (arguments.GetValue(_precision) is { } precision)
            settings.Add($"training.precision={precision}");
        if (Devices.Tf32(arguments.GetValue(_tf32)) is { } tf32)
            settings.Add($"training.tf32={(tf32 ? "true" : "false")}");
        if (arguments.GetValue(_maxUpdates) is { } most)
            settings.Add(string.Create(CultureInfo.InvariantCulture, $"training.max_updates={most}"));
        return settings;
    }

    /// <summary>The folder of a recipe's files: the one given, else the recipe's below CUDASEQ_DATA.</summary>
    public static string DataFolder(Recipe recipe, string? given, Terminal terminal)
    {
        string set = recipe.Data.Folder.Split('/')[0], how = DataSets.All.Any(s => s.Name == set) ? $"cudaseq data get {set} downloads it"
            : SyntheticCorpora.All.Any(c => c.Name == set) ? $"cudaseq data make {set} makes it" : "";
        if (given is not null)
            return Directory.Exists(given) ? given : throw new DirectoryNotFoundException($"{given}: there is no such folder{(how.Length == 0 ? "" : "; " + how)}.");
        if (terminal.Variable("CUDASEQ_DATA") is { Length: > 0 } root)
        {
            string folder = Path.Combine(root, recipe.Data.Folder);
            return how.Length == 0 || Directory.Exists(folder) ? folder : throw new DirectoryNotFoundException($"{folder}: there is no such folder; {how}.");
        }

        string[] files = [.. (recipe.Data.Train?.Select(c => c.Files) ?? []).Concat(new[] { recipe.Data.Valid, recipe.Data.Test }.OfType<CorpusFiles>()).SelectMany(f => f.Names)];
        return files.FirstOrDefault(f => !Path.IsPathRooted(f)) is { } relative
            ? throw new UsageException($"--data DIR must name the folder of {relative}, or the variable CUDASEQ_DATA the one above it{(how.Length == 0 ? "" : "; " + how)}.")
            : "";
    }

    // Whether to continue; refuses to overwrite a run, or to continue it with another recipe.
    private static bool Resumes(Recipe recipe, RunDirectory directory, bool asked, Terminal terminal)
    {
        bool exists = File.Exists(directory.Last) || File.Exists(directory.Best);
        if (!asked && exists)
            throw new UsageException($"{directory.Path} holds a run already: --resume continues it, --out DIR starts another.");
        if (!asked)
            return false;
        if (!File.Exists(directory.Last))
        {
            terminal.Out.WriteLine($"{directory.Path} holds no checkpoint yet: starting from the beginning");
            return false;
        }

        if (File.Exists(directory.Recipe) && Recipe.Load(directory.Recipe).FirstDifference(recipe) is { } difference)
            throw new UsageException($"--resume must go on with the run's own recipe, {difference} ({directory.Recipe}); what was set on the command line must be set again.");
        if (recipe.Training.MaxUpdates is { } most && Checkpoint.ReadHeader(directory.Last).State is { } state && state.Update > most)
            throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"training.max_updates must be at least the {state.Update:N0} updates that the run has made, got {most:N0}."));
        return true;
    }

    // Nothing is lost, and what is left to do is done when the run is resumed: that is no failure.
    private int Interrupted(Terminal terminal, TrainingResult result)
    {
        if (TellsInterruption)
            terminal.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"cudaseq: interrupted after update {result.State.Update:N0}, which is saved; --resume continues."));
        return CommandLine.Success;
    }

    private static string Typed(ParseResult arguments)
        => $"cudaseq train {string.Join(' ', arguments.Tokens.Select(t => Quoted(t.Value)))}";
}
