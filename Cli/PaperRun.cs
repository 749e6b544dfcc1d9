using System.Diagnostics;
using System.Globalization;
using CudaSeq.Kernels;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary>Where and how a plan is run.</summary>
/// <param name="Folder">Receives a folder for each row and seed, and the log.</param>
/// <param name="Data">The folder of the recipe's files; null for the recipe's own.</param>
/// <param name="Device">Its name; null for the usual.</param>
/// <param name="Busy">Whether the machine does other work.</param>
internal sealed record PaperRunOptions(string Folder, string? Data, string? Device, bool Busy);

/// <summary>Runs the rows of a plan, one after the other, and goes on where it was interrupted.</summary>
internal sealed class PaperRun
{
    // What stands for the folder of the recipe's files before a name in an analysis' options.
    private const string DataPrefix = "$DATA/";
    private const string DataVariable = "$CUDASEQ_DATA";

    private readonly string _path;
    private readonly PaperPlan _plan;
    private readonly PaperRunOptions _options;
    private readonly Terminal _terminal;
    private readonly PaperLog _log;
    private string? _data;
    private readonly Dictionary<(string Row, ulong Seed), string> _fingerprints = [];

    /// <param name="path">The plan's file.</param>
    /// <param name="options">Where and how.</param>
    /// <param name="terminal">What to write to.</param>
    public PaperRun(string path, PaperRunOptions options, Terminal terminal)
    {
        (_path, _options, _terminal) = (path, options, terminal);
        _data = options.Data;
        _plan = PaperPlan.Load(path);
        _log = File.Exists(LogFile) ? PaperLog.Read(LogFile, _plan) : new PaperLog(Path.GetFileNameWithoutExtension(path), _plan);
        foreach (var row in _plan.Rows)
            CheckSettings(row);
        int forgotten = _log.Keep(
            r => r.Fingerprint == Fingerprint(_plan.Row(r.Row), r.Seed) && r.Origin.Command == CommandOf(_plan.Row(r.Row), r.Seed),
            s => s.Fingerprint == Fingerprint(s.First, s.Second, s.Seed));
        if (forgotten > 0)
            terminal.Error.WriteLine($"note: {forgotten} results in {LogFile} are of another plan, recipe or device and do not count");
    }

    /// <summary>What is known so far.</summary>
    public PaperLog Log => _log;

    /// <summary>Where that is written.</summary>
    public string LogFile => Path.Combine(_options.Folder, Path.GetFileNameWithoutExtension(_path) + ".jsonl");

    private string RecipeFile => Path.Combine(Path.GetDirectoryName(_path) ?? "", _plan.Recipe);

    /// <summary>Runs what is missing: all rows with the first seed, then with the next.</summary>
    /// <param name="rows">The rows to run; empty for all.</param>
    /// <param name="cancellation">Stops cleanly; the same again goes on.</param>
    public void Run(IReadOnlyCollection<string> rows, CancellationToken cancellation)
    {
        MakeData(cancellation);
        foreach (ulong seed in _plan.AllSeeds)
        {
            foreach (var row in _plan.Rows.Where(r => _plan.SeedsOf(r).Contains(seed) && (rows.Count == 0 || rows.Contains(r.Name))))
            {
                if (Result(row.Name, seed) is { } known && HasFigures(row, known) && !IsModelMissed(row, seed, rows))
                    continue;
                if (row.Needs.FirstOrDefault(n => Result(n, seed)?.Failure is null && !File.Exists(new RunDirectory(Of(n, seed)).Best)) is { } needed)
                    throw new UsageException($"row \"{row.Name}\" needs row \"{needed}\" with seed {seed}, which was not run.");
                Directory.CreateDirectory(_options.Folder);
                _terminal.Out.WriteLine(_terminal.Bold($"{row.Name}, seed {seed}"));
                var result = row.Needs.FirstOrDefault(n => Result(n, seed)?.Failure is not null) is { } failed
                    ? new PaperResult(row.Name, seed, Origin(CommandOf(row, seed))) { Failure = $"{failed} failed" }
                    : row.Of is null ? Train(row, seed, cancellation) : row.IsAnalysis ? Analyze(row, seed, cancellation) : Decode(row, seed, cancellation);
                _log.Add(result with { Fingerprint = Fingerprint(row, seed) });
                _log.Save(LogFile);
            }

            foreach (var claim in Comparisons(seed, rows).ToArray())
            {
                _log.Add(Compare(_plan.Row(claim.Faster[0]), _plan.Row(claim.Faster[1]), seed, cancellation));
                _log.Save(LogFile);
            }
        }

        _log.Save(LogFile);
    }

    // A made task's texts are made in the folder of the runs, in their usual numbers, where they are not below CUDASEQ_DATA.
    private void MakeData(CancellationToken cancellation)
    {
        string name = Recipe.Load(RecipeFile).Data.Folder;
        if (_data is not null || SyntheticCorpora.All.FirstOrDefault(c => c.Name == name) is not { } corpus
            || (_terminal.Variable("CUDASEQ_DATA") is { Length: > 0 } root && Directory.Exists(Path.Combine(root, name))))
            return;
        _data = Path.Combine(_options.Folder, "data");
        if (SyntheticCorpora.Write(corpus.Generate(SyntheticCorpora.Seed, corpus.TrainPairs, SyntheticCorpora.TestPairs, SyntheticCorpora.ValidPairs, cancellation), _data, cancellation) > 0)
            _terminal.Out.WriteLine($"made {name} in {_data}");
    }

    // Of a log that was begun on another machine the models are not here: those are trained again that something still to do needs.
    private bool IsModelMissed(PaperRow row, ulong seed, IReadOnlyCollection<string> rows)
    {
        if (row.Of is not null || Result(row.Name, seed)?.Failure is not null || File.Exists(new RunDirectory(Of(row.Name, seed)).Best))
            return false;
        return _plan.Rows.Any(r => IsAsked(r.Name) && _plan.SeedsOf(r).Contains(seed) && r.Needs.Contains(row.Name) && (Result(r.Name, seed) is not { } known || !HasFigures(r, known) || IsModelMissed(r, seed, rows)))
            || Comparisons(seed, rows).Any(c => c.Faster.Any(f => (_plan.Row(f).Of ?? f) == row.Name));

        bool IsAsked(string name) => rows.Count == 0 || rows.Contains(name);
    }

    // What is still to be compared.
    private IEnumerable<PaperClaim> Comparisons(ulong seed, IReadOnlyCollection<string> rows)
        => _plan.Claims.Where(c => c.Faster.Count > 0 && _plan.SeedsOf(c).Contains(seed)
            && c.Faster.All(r => (rows.Count == 0 || rows.Contains(r)) && Result(r, seed)?.Failure is null)
            && !_log.Speeds.Any(s => s.First == c.Faster[0] && s.Second == c.Faster[1] && s.Seed == seed));

    private PaperResult? Result(string row, ulong seed) => _log.Of(row).FirstOrDefault(r => r.Seed == seed);

    private PaperResult Train(PaperRow row, ulong seed, CancellationToken cancellation)
    {
        var directory = new RunDirectory(Of(row.Name, seed));
        Claim(directory, Fingerprint(row, seed));
        if (row.Distilled is { } teacher)
            Distill(teacher, seed, cancellation);
        string[] arguments = [.. Arguments(row, seed, typed: false), .. File.Exists(directory.Last) ? ["--resume"] : Array.Empty<string>()];
        string? failure = null;
        if (!IsTested(directory))
        {
            try
            {
                var verb = new TrainVerb { TellsInterruption = false };
                verb.Run(CommandLine.Parsed(verb, arguments), _terminal, cancellation);
            }
            catch (NonFiniteLossException e)
            {
                failure = string.Create(CultureInfo.InvariantCulture, $"loss not finite at update {e.Update}");
            }

            cancellation.ThrowIfCancellationRequested();
        }

        var log = RunLog.Read(directory.Path);
        if (log.IsOfText && log.Test is { } test && test["ppl"] is null)
            failure ??= "the perplexity of the test is beyond any number";
        var (all, layers) = Parameters(directory);
        var origin = Origin(CommandOf(row, seed));
        return new PaperResult(row.Name, seed, origin with { Version = (string?)log.Start["version"] ?? origin.Version, Commit = (string?)log.Start["commit"] ?? origin.Commit })
        {
            Bleu = (double?)log.Test?["bleu"],
            Signature = (string?)log.Test?["signature"],
            Perplexity = log.IsOfText ? (double?)log.Test?["ppl"] : null,
            ValidationLoss = (double?)(log.Best?["nll"] ?? log.Best?["loss"]),
            Failure = failure,
            Parameters = all,
            LayerParameters = layers,
            Updates = log.Updates,
            Minutes = Math.Round(log.Minutes, 2),
        };
    }

    // A folder is of one plan and recipe for good: its run may be gone on with, and taken for the row's.
    private static void Claim(RunDirectory directory, string fingerprint)
    {
        string mark = Path.Combine(directory.Path, "fingerprint.txt");
        string? there = File.Exists(mark) ? File.ReadAllText(mark).Trim() : null;
        if (there != fingerprint && (File.Exists(directory.Last) || File.Exists(directory.Best) || File.Exists(directory.Log)))
            throw new UsageException($"{directory.Path} must hold nothing or a run of this plan and recipe ({fingerprint}), it holds one of {(there is null ? "none" : $"another ({there})")}: delete it, or choose another folder with --out.");
        Directory.CreateDirectory(directory.Path);
        File.WriteAllText(mark, fingerprint + "\n");
    }

    private PaperResult Decode(PaperRow row, ulong seed, CancellationToken cancellation)
    {
        var directory = new RunDirectory(Of(row.Of!, seed));
        var recipe = Recipe.Load(directory.Recipe);
        var (sources, references) = Test(recipe);
        using var device = Devices.Open(_options.Device);
        using var translator = Open(row, seed, device, out var options, cancellation);
        string[] written = [.. translator.Translate(sources, options, cancellation).Select(t => t[0].Text)];
        var bleu = Bleu.Corpus(written, references, RecipeOptions.Bleu(recipe));
        long[] exits = [.. translator.ExitCounts];
        var (all, layers) = Parameters(directory);
        ScoreReport.Write(_terminal, bleu);
        return new PaperResult(row.Name, seed, Origin(CommandOf(row, seed)))
        {
            Bleu = Math.Round(bleu.Score, 4),
            Signature = bleu.Signature,
            Parameters = all,
            LayerParameters = layers,
            Depth = exits.Length == 0 ? null : Math.Round(exits.Select((c, i) => (double)c * (i + 1)).Sum() / Math.Max(1, exits.Sum()), 3),
        };
    }

    private PaperResult Analyze(PaperRow row, ulong seed, CancellationToken cancellation)
    {
        var verb = new AnalysisVerb(Analyses.Of(row.Analyze[0]));
        verb.Run(CommandLine.Parsed(verb, AnalysisArguments(row, seed, typed: false)), _terminal, cancellation);
        var (all, layers) = Parameters(new RunDirectory(Of(row.Of!, seed)));
        return new PaperResult(row.Name, seed, Origin(CommandOf(row, seed)))
        {
            Figures = PaperFigure.Read(row.Figures, Path.Combine(Of(row.Name, seed), $"{row.Analyze[0]}.json")),
            Parameters = all,
            LayerParameters = layers,
        };
    }

    // A plan may have come to ask an analysis for more, or for something else.
    private static bool HasFigures(PaperRow row, PaperResult result)
    {
        var found = result.Figures ?? [];
        return result.Failure is not null || (found.Count == row.Figures.Count && found.Zip(row.Figures, (n, f) => n.Is(f)).All(same => same));
    }

    private PaperSpeed Compare(PaperRow first, PaperRow second, ulong seed, CancellationToken cancellation)
    {
        _terminal.Out.WriteLine(_terminal.Bold($"{first.Name} beside {second.Name}, seed {seed}"));
        using var device = Devices.Open(_options.Device);
        using var one = Open(first, seed, device, out var how, cancellation);
        using var other = Open(second, seed, device, out var howOther, cancellation);
        string[] sources = [.. Test(Recipe.Load(new RunDirectory(Of(first.Of ?? first.Name, seed)).Recipe)).Sources];
        string[] few = sources[..Math.Min(sources.Length, 32)];
        one.Translate(few, how, cancellation);
        other.Translate(few, howOther, cancellation);
        var seconds = (new List<double>(), new List<double>());
        for (int round = 0; round < _plan.Rounds; round++)
        {
            seconds.Item1.Add(Time(() => one.Translate(sources, how, cancellation)));
            seconds.Item2.Add(Time(() => other.Translate(sources, howOther, cancellation)));
        }

        return new PaperSpeed(first.Name, second.Name, seed, sources.Length, seconds.Item1, seconds.Item2, Origin(Typed(["reproduce", _path]))) { Fingerprint = Fingerprint(first.Name, second.Name, seed) };

        static double Time(Action work)
        {
            var clock = Stopwatch.StartNew();
            work();
            return Math.Round(clock.Elapsed.TotalSeconds, 3);
        }
    }

    // What the row's teacher makes of the training sources.
    private void Distill(string teacher, ulong seed, CancellationToken cancellation)
    {
        string output = Distilled(teacher, seed);
        if (File.Exists(output))
            return;
        var recipe = Recipe.Load(new RunDirectory(Of(teacher, seed)).Recipe);
        using var device = Devices.Open(_options.Device);
        using var translator = Translator.Load(Of(teacher, seed), device);
        string[] sources = [.. TextFile.ReadLines(Path.Combine(DataFolder(recipe), recipe.Data.Train![0].Files.Source))];
        _terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{teacher} translates {sources.Length:N0} training sources"));
        var lines = translator.Translate(sources, cancellation: cancellation).Select(t => t[0].Text);
        TextFile.WriteWhole(output, stream =>
        {
            using var writer = new StreamWriter(stream, leaveOpen: true) { NewLine = "\n" };
            foreach (string line in lines)
                writer.WriteLine(line);
        });
    }

    private Translator Open(PaperRow row, ulong seed, Device device, out DecodingOptions options, CancellationToken cancellation)
    {
        string folder = Of(row.Of ?? row.Name, seed);
        var verb = new TranslateVerb();
        var parsed = CommandLine.Parsed(verb, ["--model", folder, .. row.Decode]);
        options = verb.Decoding(parsed, folder);
        var translator = verb.Load(parsed, folder, device);
        try
        {
            options = verb.Tuned(parsed, translator, options, _terminal.Error, cancellation);
            return translator;
        }
        catch
        {
            translator.Dispose();
            throw;
        }
    }

    private (IReadOnlyList<string> Sources, IReadOnlyList<string> References) Test(Recipe recipe)
    {
        string folder = DataFolder(recipe);
        var files = recipe.Data.Test ?? throw new UsageException($"{RecipeFile}: data.test must be given.");
        var pairs = ParallelCorpus.Read(Path.Combine(folder, files.Source), Path.Combine(folder, files.Target)).ToList();
        return ([.. pairs.Select(p => p.Source)], [.. pairs.Select(p => p.Target)]);
    }

    private string DataFolder(Recipe recipe) => TrainVerb.DataFolder(recipe, _data, _terminal);

    // Of a training that failed there may be no checkpoint.
    private static (long All, long Layers) Parameters(RunDirectory directory)
    {
        var (source, target) = directory.LoadCodecs();
        var config = Recipe.Load(directory.Recipe).Model;
        config = config with { SourceVocabulary = config.IsLanguageModel ? 0 : source.Vocabulary.Count, TargetVocabulary = target.Vocabulary.Count };
        using AutoregressiveModel model = config.IsLanguageModel ? new LanguageModel(config) : SequenceModel.Declare(config);
        var shapes = model.ParameterShapes().ToArray();
        return (shapes.Sum(p => (long)p.Shape.Count), shapes.Where(p => p.Name.Contains(".layers.", StringComparison.Ordinal)).Sum(p => (long)p.Shape.Count));
    }

    private static bool IsTested(RunDirectory directory) => File.Exists(directory.Log) && File.Exists(directory.Recipe) && RunLog.Read(directory.Path).Test is not null;

    private void CheckSettings(PaperRow row)
    {
        if (row.Of is null)
            Recipe.Load(RecipeFile, Settings(row, _plan.SeedsOf(row)[0], typed: true));
        else if (row.IsAnalysis)
            CommandLine.Parsed(new AnalysisVerb(Analyses.Of(row.Analyze[0])), AnalysisArguments(row, _plan.SeedsOf(row)[0], typed: true));
        else
            CommandLine.Parsed(new TranslateVerb(), ["--model", row.Of, .. row.Decode]);
    }

    private string Fingerprint(PaperRow row, ulong seed)
    {
        if (!_fingerprints.TryGetValue((row.Name, seed), out string? known))
        {
            var recipe = row.Of is null ? Recipe.Load(RecipeFile, [.. Settings(row, seed, typed: false), FormattableString.Invariant($"training.seed={seed}")]) : null;
            _fingerprints[(row.Name, seed)] = known = PaperFingerprint.Of(row, recipe, needed => Fingerprint(_plan.Row(needed), seed));
        }

        return known;
    }

    private string Fingerprint(string first, string second, ulong seed) => $"{Fingerprint(_plan.Row(first), seed)} {Fingerprint(_plan.Row(second), seed)}";

    private string Of(string row, ulong seed) => Path.Combine(_options.Folder, string.Create(CultureInfo.InvariantCulture, $"{_plan.Row(row).Folder}-{seed}"));

    private string Distilled(string teacher, ulong seed) => Path.Combine(Of(teacher, seed), "train.distilled");

    private string CommandOf(PaperRow row, ulong seed)
    {
        if (row.Analyze.Count > 0)
            return Typed(["analyze", row.Analyze[0], .. AnalysisArguments(row, seed, typed: true)]);
        if (row.Of is not null)
            return Typed(["translate", "--model", Of(row.Of, seed), .. row.Decode]);
        string train = Typed(["train", .. Arguments(row, seed, typed: true)]);
        return row.Distilled is { } teacher ? $"{Typed(["translate", "--model", Of(teacher, seed)])} < TRAINING_SOURCES > {Distilled(teacher, seed)}; {train}" : train;
    }

    // What is typed after train.
    private string[] Arguments(PaperRow row, ulong seed, bool typed) =>
    [
        RecipeFile,
        .. _data is { } data && !typed ? ["--data", data] : Array.Empty<string>(),
        .. _options.Device is { } device ? ["--device", device] : Array.Empty<string>(),
        .. Settings(row, seed, typed).SelectMany(s => new[] { RecipeSettings.Name, s }),
        "--seed", seed.ToString(CultureInfo.InvariantCulture),
        "--out", Of(row.Name, seed),
    ];

    // What is typed after the name of an analysis.
    private string[] AnalysisArguments(PaperRow row, ulong seed, bool typed) =>
    [
        "--model", Of(row.Of!, seed),
        .. row.Analyze.Skip(1).Select(o => o.StartsWith(DataPrefix, StringComparison.Ordinal) ? DataPath(o[DataPrefix.Length..], typed) : o),
        .. _options.Device is { } device ? ["--device", device] : Array.Empty<string>(),
        "--out", Of(row.Name, seed),
    ];

    // A log is read elsewhere: it names data by the variable.
    private string DataPath(string name, bool typed)
    {
        var recipe = Recipe.Load(RecipeFile);
        return typed ? string.Join('/', new[] { DataVariable, recipe.Data.Folder, name }.Where(p => p.Length > 0)) : Path.Combine(DataFolder(recipe), name);
    }

    // Typed commands name files as they are seen from here, others as they are seen from the data.
    private List<string> Settings(PaperRow row, ulong seed, bool typed)
    {
        List<string> set = [.. row.Set];
        if (row.From is { } from)
            set.Add($"training.initialize_from={Of(from, seed)}");
        if (row.Teacher is { } teacher)
            set.Add($"training.teacher={Of(teacher, seed)}");
        if (row.Distilled is { } distilled)
            set.Add($"data.train={Recipe.Load(RecipeFile).Data.Train![0].Files.Source},{(typed ? "$PWD/" + Distilled(distilled, seed) : Path.GetFullPath(Distilled(distilled, seed)))}");
        return set;
    }

    private static string Typed(IEnumerable<string> words)
        => $"cudaseq {string.Join(' ', words.Select(w => w.StartsWith(DataVariable, StringComparison.Ordinal) ? DataVariable + Verb.Quoted(w[DataVariable.Length..]) : Verb.Quoted(w)))}";

    private PaperOrigin Origin(string command)
        => new(command, BuildInfo.Version, BuildInfo.Commit, _options.Device ?? "cpu", Machine.Processor(), Environment.ProcessorCount, _options.Busy);
}
