using System.CommandLine;
using System.Globalization;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq average</c>: the mean of several checkpoints as a model of its own.</summary>
internal sealed class AverageVerb : Verb
{
    private readonly Argument<string[]> _models = new("MODELS")
    {
        Description = "A run's folder, with --last; or several .safetensors files of a run.",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<long?> _last = Whole("--last", "N", "Average the newest N checkpoints that the run keeps (training.keep_checkpoints).", 1);
    private readonly Option<string> _out = Text("--out", "DIR", "The folder of the mean, for cudaseq translate --model DIR.", required: true);

    public AverageVerb()
        : base("average", "Average the parameters of several checkpoints.")
    {
        Add(_models);
        Add(_last);
        Add(_out);
    }

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq average runs/multi30k-dynamicconv --last 5 --out runs/average", "The newest five of a run that was trained with --set training.keep_checkpoints=5."),
        ("cudaseq average runs/try/checkpoint-900.safetensors runs/try/best.safetensors --out runs/average", "Two files; the vocabularies lie beside the first."),
        ("cudaseq translate --model runs/average --input test.en --output test.de", "Translates with the mean."),
    ];

    public override string Notes => "The parameters are summed in float64: the mean of equal checkpoints has their bits. The mean holds no optimiser, training cannot resume from it.";

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        string[] given = arguments.GetRequiredValue(_models);
        var output = new RunDirectory(arguments.GetRequiredValue(_out));
        var paths = Paths(given, (int?)arguments.GetValue(_last));
        if (File.Exists(output.Best) || File.Exists(output.Last))
            throw new UsageException($"--out must be a folder without a model, {output.Path} holds one.");
        if (paths.GroupBy(Path.GetFullPath).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new UsageException($"{twice.First()} is given {twice.Count()} times.");
        var header = CheckpointAverage.Write(paths, output, cancellation);
        terminal.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"mean of {paths.Count} checkpoints, of the updates {string.Join(", ", header.Averaged!.Select(u => u.ToString("N0", CultureInfo.InvariantCulture)))}, in {output.Best}"));
        terminal.Out.WriteLine(header.Config.IsLanguageModel ? $"write with it: cudaseq generate --model {Quoted(output.Path)}" : $"translate with it: cudaseq translate --model {Quoted(output.Path)}");
        return CommandLine.Success;
    }

    private static IReadOnlyList<string> Paths(string[] given, int? last)
    {
        if (given.FirstOrDefault(g => !File.Exists(g) && !Directory.Exists(g)) is { } missing)
            throw new FileNotFoundException($"{missing}: there is no such file or folder.");
        string? folder = Array.Find(given, Directory.Exists);
        if (last is { } count)
        {
            return given.Length == 1 && folder is not null
                ? CheckpointAverage.Newest(new RunDirectory(folder), count)
                : throw new UsageException($"--last needs one run's folder, got {string.Join(", ", given)}.");
        }

        if (folder is not null)
            throw new UsageException($"{folder} is a folder: --last N averages its newest N checkpoints.");
        return given.Length > 1 ? given : throw new UsageException($"there must be two files or more to average, got {given[0]} alone.");
    }
}
