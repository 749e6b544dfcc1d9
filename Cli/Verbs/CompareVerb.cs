using System.CommandLine;
using System.Globalization;
using System.Text;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq compare</c>: several runs side by side.</summary>
internal sealed class CompareVerb : Verb
{
    private readonly Argument<string[]> _runs = new("RUN") { Description = "Folders that cudaseq train wrote, two or more.", Arity = new ArgumentArity(1, 1000) };
    private readonly Option<string> _title = Text("--title", "TEXT", "The page's heading (default: the names of the runs).");
    private readonly Option<string> _output = Text("--output", "FILE", "Where the page goes (default: compare.html).");

    public CompareVerb()
        : base("compare", "Lay runs side by side: scores, curves and translations.")
    {
        Add(_runs);
        Add(_title);
        Add(_output);
    }

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq compare runs/multi30k-lightconv runs/multi30k-dynamicconv --output page.html", "A table here, and a page to open in a browser: it needs neither network nor script."),
    ];

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        string[] folders = arguments.GetValue(_runs) ?? [];
        if (folders.Length < 2)
            throw new UsageException("two runs or more must be given; a single one is for cudaseq report.");
        var runs = folders.Select(ReportVerb.Read).ToArray();
        string output = arguments.GetValue(_output) ?? "compare.html";
        string page = HtmlReport.Write(arguments.GetValue(_title) ?? string.Join(", ", runs.Select(r => r.Log.Name)), runs);
        bool ofText = runs[0].Log.IsOfText;
        var (key, second) = ofText ? ("ppl", "nll") : ("bleu", "ppl");
        string[] scores = ofText ? ["test perplexity", "valid perplexity", "nats/token"] : ["test BLEU", "valid BLEU", "perplexity"];
        var table = new TextTable(["run", .. scores, "parameters", "updates", "minutes", "tokens/s"]);
        foreach (var (log, _) in runs)
        {
            table.Add(
                log.Name, Cell(log.Test?[key], "f2"), Cell(log.Best?[key], "f2"), Cell(log.Best?[second], ofText ? "f4" : "f2"), Cell(log.Start["parameters"], "N0"),
                log.Updates.ToString("N0", CultureInfo.InvariantCulture), log.Minutes.ToString("f1", CultureInfo.InvariantCulture), log.TokensPerSecond.ToString("N0", CultureInfo.InvariantCulture));
        }

        OutputFile.CheckNoRun("--output", output);
        TextFile.WriteWhole(output, stream => stream.Write(Encoding.UTF8.GetBytes(page)));
        table.Write(terminal);
        terminal.Out.WriteLine();
        foreach (string warning in new[] { Comparability.Objection(runs), Comparability.Caution([.. runs.Select(r => r.Log)]) }.OfType<string>())
            terminal.Error.WriteLine($"warning: {warning}");
        terminal.Out.WriteLine($"{(ofText ? "curves" : "curves and translations")}: {output}");
        return CommandLine.Success;
    }

    private static string Cell(System.Text.Json.Nodes.JsonNode? node, string format)
        => node is not null ? ReadableNumber.Of(node.GetValue<double>(), format) : "-";
}
