using System.CommandLine;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq reproduce</c>: a paper's table in miniature.</summary>
internal sealed class ReproduceVerb : Verb
{
    private const string Plans = "recipes/papers";

    private readonly Argument<string> _name = Required("NAME", $"A plan: a file, or the name of one in {Plans}.");
    private readonly Option<string> _data = Text("--data", "DIR", "The folder that the recipe's files are in (default: the recipe's data.folder below CUDASEQ_DATA).");
    private readonly Option<string> _device = Text("--device", "NAME", "Where to train and decode: cpu (the default), cuda, cuda:N or auto.");
    private readonly Option<string[]> _rows = Texts("--row", "NAME", "Only these rows of the table.");
    private readonly Option<bool> _busy = Flag("--busy", "The machine does other work meanwhile: pages leave times of training out.");
    private readonly Option<string> _keep = Text("--keep", "DIR", "Train nothing: put the log into DIR, a folder of logs that cudaseq report --pages makes a page of.");
    private readonly Option<string> _out = Text("--out", "DIR", "The folder of all runs and of the log (default: runs/papers/NAME).");

    public ReproduceVerb()
        : base("reproduce", "Try again in miniature what a paper found: train and decode the rows of a table.")
    {
        Add(_name);
        foreach (var option in (Option[])[_data, _device, _rows, _busy, _keep, _out])
            Add(option);
    }

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq reproduce layerdrop", "Trains and decodes every row that is not in the log yet, and prints the table."),
        ("cudaseq reproduce layerdrop --row without \"with LayerDrop 0.2\"", "Two rows of it."),
        ("cudaseq reproduce layerdrop --keep docs/results/papers", "Keeps the log; cudaseq report --pages docs/results then writes docs/results/papers.md."),
    ];

    public override string Notes => "docs/reproducing.md says what a plan is. What was interrupted goes on with the same command. All figures are of the log, a line for each row and seed.";

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        string name = arguments.GetRequiredValue(_name);
        string path = File.Exists(name) ? name : Path.Combine(Plans, name + ".json").Replace('\\', '/');
        if (!File.Exists(path))
            throw new FileNotFoundException($"{name}: must be a plan or the name of one in {Plans}{(Directory.Exists(Plans) ? $": {string.Join(", ", Directory.EnumerateFiles(Plans, "*.json").Select(p => Path.GetFileNameWithoutExtension(p)).Order(StringComparer.Ordinal))}" : ", there is no such folder here")}.");
        var options = new PaperRunOptions(
            arguments.GetValue(_out) ?? Path.Combine("runs", "papers", Path.GetFileNameWithoutExtension(path)).Replace('\\', '/'), arguments.GetValue(_data), arguments.GetValue(_device), arguments.GetValue(_busy));
        var run = new PaperRun(path, options, terminal);
        string[] rows = arguments.GetValue(_rows) ?? [];
        if (rows.FirstOrDefault(r => run.Log.Plan.Rows.All(p => p.Name != r)) is { } unknown)
            throw new UsageException($"--row must be a row of the plan, got {unknown}; the rows are {string.Join("; ", run.Log.Plan.Rows.Select(r => r.Name))}.");
        if (arguments.GetValue(_keep) is { } keep)
        {
            if (rows.Length > 0 || run.Log.Results.Count == 0)
                throw new UsageException(rows.Length > 0 ? "--keep is for all rows, --row must not be given with it." : $"--keep needs results, {run.LogFile} has none.");
            Directory.CreateDirectory(keep);
            string kept = Path.Combine(keep, Path.GetFileName(run.LogFile));
            run.Log.Save(kept);
            terminal.Out.WriteLine(kept);
            return CommandLine.Success;
        }

        try
        {
            run.Run(rows, cancellation);
        }
        catch (OperationCanceledException)
        {
            terminal.Error.WriteLine($"cudaseq: interrupted; {run.Log.Results.Count} results are in {run.LogFile}, the same command goes on.");
            return CommandLine.Success;
        }

        Write(run.Log, terminal);
        terminal.Out.WriteLine($"log: {run.LogFile}");
        return CommandLine.Success;
    }

    private static void Write(PaperLog log, Terminal terminal)
    {
        var table = new TextTable("row", "seeds", "score", "validation nats/token", "parameters", "layers taken");
        foreach (var row in log.Plan.Rows.Where(r => r.Analyze.Count == 0))
        {
            var cells = PaperPage.Cells(log, row.Name);
            table.Add(row.Name, cells.Seeds, cells.Score, cells.Validation, cells.Parameters, cells.Depth);
        }

        terminal.Out.WriteLine();
        terminal.Out.WriteLine(terminal.Bold(log.Plan.Title));
        table.Write(terminal);
        terminal.Out.WriteLine();
        if (log.Plan.Rows.Any(r => r.Analyze.Count > 0))
        {
            var figures = new TextTable("analysis", "figure", "here", "published");
            foreach (var (row, figure) in log.Plan.Rows.SelectMany(r => r.Figures.Select(f => (r, f))))
                figures.Add(row.Name, figure.Name, PaperPage.Cell(log, figure), figure.Published ?? "");
            figures.Write(terminal);
            terminal.Out.WriteLine();
        }

        foreach (var claim in log.Plan.Claims)
        {
            var verdict = PaperVerdict.Of(claim, log);
            terminal.Out.WriteLine($"{verdict.Holds switch { true => "holds", false => "does not show", null => "open" },-14} {claim.Text} ({verdict.Figures})");
        }
    }
}
