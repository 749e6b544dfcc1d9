using System.CommandLine;
using System.Text;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq report</c>: a page about finished runs, or about what GPUs did.</summary>
internal sealed class ReportVerb : Verb
{
    private readonly Argument<string[]> _runs = new("RUN") { Description = "Folders that cudaseq train wrote.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<string> _gpu = Text("--gpu", "DIR", "Instead of runs: the folder of the figures that eng/gpu-check.sh measured.");
    private readonly Option<string> _pages = Text("--pages", "DIR", "Instead of runs: make every page of a folder of results again, DIR/NAME.md from the logs and the page.json in DIR/NAME.");
    private readonly Option<string> _keep = Text("--keep", "DIR", "Instead of a page: put the runs' logs into a page's folder, of progress one line a minute.");
    private readonly Option<string> _title = Text("--title", "TEXT", "The page's heading (default: Results).");
    private readonly Option<string> _output = Text("--output", "FILE", "Where the page goes (default: standard output); a name that ends in .html makes it a page for a browser, with curves and translations.");

    public ReportVerb()
        : base("report", "Write a page about finished runs from their logs, or about a GPU.")
    {
        Add(_runs);
        Add(_gpu);
        Add(_pages);
        Add(_keep);
        Add(_title);
        Add(_output);
    }

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq report runs/multi30k-dynamicconv runs/multi30k-transformer --title Multi30k --output docs/results/multi30k.md", "Commands, commits, times, tokens/s and BLEU of two runs as Markdown."),
        ("cudaseq report runs/multi30k-dynamicconv --output page.html", "One run with its curves and translations; train leaves the same as report.html in the run's folder."),
        ("cudaseq report runs/multi30k-dynamicconv --keep docs/results/multi30k", "Keeps what the page is made of."),
        ("cudaseq report --pages docs/results", "Makes all pages again from what was kept."),
        ("cudaseq report --gpu docs/results/gpu --output docs/results/gpu.md", "Kernels and models on a GPU, beside their targets and rivals."),
    ];

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        string[] folders = arguments.GetValue(_runs) ?? [];
        string? gpu = arguments.GetValue(_gpu), pages = arguments.GetValue(_pages), keep = arguments.GetValue(_keep), title = arguments.GetValue(_title);
        if (new[] { folders.Length > 0, gpu is not null, pages is not null }.Count(given => given) != 1)
            throw new UsageException("RUN, --gpu DIR or --pages DIR must be given, one of them; cudaseq report --help shows how.");
        if (gpu is not null && title is not null)
            throw new UsageException("--title is for runs; the page about GPUs has its own.");
        if (keep is not null && folders.Length == 0)
            throw new UsageException("--keep is for runs: RUN must be given.");
        if ((pages ?? keep) is not null && (title ?? arguments.GetValue(_output)) is not null)
            throw new UsageException($"--title and --output are for one page, {(pages is null ? "--keep" : "--pages")} must not be given with them.");
        if (pages is not null)
        {
            var made = ResultsFolder.Pages(pages);
            if (made.Count == 0)
                throw new UsageException($"--pages must be a folder with folders that have a page.json, {pages} has none.");
            foreach (var (file, text) in made)
            {
                TextFile.WriteWhole(file, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
                terminal.Out.WriteLine(file);
            }

            return CommandLine.Success;
        }

        if (keep is not null)
        {
            foreach (string folder in folders)
                terminal.Out.WriteLine(ResultsFolder.Keep(folder, keep));
            return CommandLine.Success;
        }

        string? path = arguments.GetValue(_output);
        OutputFile.CheckNoRun("--output", path);
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
