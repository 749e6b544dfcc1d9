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
    private readonly Option<string> _output = Text("--output", "FILE", "Where the page goes (default: standard output); a name that ends in .html makes it a page for a browser, with curves and translations.");

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
        ("cudaseq report runs/multi30k-dynamicconv --output page.html", "One run with its curves and translations; train leaves the same as report.html in the run's folder."),
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
        string? path = arguments.GetValue(_output);
        bool html = path is not null && path.EndsWith(".html", StringComparison.OrdinalIgnoreCase);
        if (gpu is not null && html)
            throw new UsageException("the page about GPUs is Markdown: --output must not end in .html.");
        string page = gpu is not null ? GpuPage.Write(GpuRun.ReadFolder(gpu))
            : html ? HtmlReport.Write(title ?? string.Join(", ", folders.Select(f => RunLog.Read(f).Name)), [.. folders.Select(Read)])
            : ResultsPage.Write(title ?? "Results", [.. folders.Select(RunLog.Read)]);
        if (path is not null)
            TextFile.WriteWhole(path, stream => stream.Write(Encoding.UTF8.GetBytes(page)));
        else
            terminal.Out.Write(page);
        return CommandLine.Success;
    }

    /// <summary>A run's log, and its translations where it has them.</summary>
    public static (RunLog Log, IReadOnlyList<TestTranslation>? Translations) Read(string folder)
        => (RunLog.Read(folder), TestTranslation.Load(new RunDirectory(folder).Translations));
}
