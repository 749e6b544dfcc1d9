using System.CommandLine;
using System.Text;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq report</c>: a page about finished runs.</summary>
internal sealed class ReportVerb : Verb
{
    private readonly Argument<string[]> _runs = new("RUN") { Description = "Folders that cudaseq train wrote.", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string> _title = Text("--title", "TEXT", "The page's heading (default: Results).");
    private readonly Option<string> _output = Text("--output", "FILE", "Where the page goes (default: standard output).");

    public ReportVerb()
        : base("report", "Write a page about finished runs from their logs.")
    {
        Add(_runs);
        Add(_title);
        Add(_output);
    }

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq report runs/multi30k-dynamicconv runs/multi30k-transformer --title Multi30k --output docs/results/multi30k.md", "Commands, commits, times, tokens/s and BLEU of two runs as Markdown."),
    ];

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        var runs = arguments.GetRequiredValue(_runs).Select(r => (Path.GetFileName(Path.TrimEndingDirectorySeparator(r)), Log(r))).ToList();
        string page = ResultsPage.Write(arguments.GetValue(_title) ?? "Results", runs);
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
