using System.CommandLine;
using System.Text;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq report</c>: a page about finished runs, or about what GPUs did.</summary>
internal sealed class ReportVerb : Verb
{
    private readonly Argument<string[]> _runs = new("RUN") { Description = "Folders that cudaseq train wrote.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<string> _gpu = Text("--gpu", "DIR", "Instead of runs: the folder of the figures that eng/gpu-check.sh measured.");
    private readonly Option<string> _title = Text("--title", "TEXT", "The page's heading (default: Results).");
    private readonly Option<string> _output = Text("--output", "FILE", "Where the page goes (default: standard output).");

    public ReportVerb()
        : base("report", "Write a page about finished runs from their logs, or about a GPU.")
    {
        Add(_runs);
        Add(_gpu);
        Add(_title);
        Add(_output);
    }

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq report runs/multi30k-dynamicconv runs/multi30k-transformer --title Multi30k --output docs/results/multi30k.md", "Commands, commits, times, tokens/s and BLEU of two runs as Markdown."),
        ("cudaseq report --gpu docs/results/gpu --output docs/results/gpu.md", "Kernels and models on a GPU, beside their targets and rivals."),
    ];

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        string[] folders = arguments.GetValue(_runs) ?? [];
        string? gpu = arguments.GetValue(_gpu), title = arguments.GetValue(_title);
        if ((folders.Length == 0) == (gpu is null))
            throw new UsageException("RUN or --gpu DIR must be given, one of them; cudaseq report --help shows how.");
        if (gpu is not null && title is not null)
            throw new UsageException("--title is for runs; the page about GPUs has its own.");
        string page = gpu is not null
            ? GpuPage.Write(GpuRun.ReadFolder(gpu))
            : ResultsPage.Write(title ?? "Results", [.. folders.Select(r => (Path.GetFileName(Path.TrimEndingDirectorySeparator(r)), Log(r)))]);
        if (arguments.GetValue(_output) is { } path)
            File.WriteAllText(path, page, new UTF8Encoding(false));
        else
            terminal.Out.Write(page);
        return CommandLine.Success;
    }

    private static IReadOnlyList<System.Text.Json.Nodes.JsonObject> Log(string folder)
    {
        string path = new RunDirectory(folder).Log;
        return File.Exists(path) ? [.. TrainingLog.Read(path)] : throw new FileNotFoundException($"{path}: there is no such file.");
    }
}
