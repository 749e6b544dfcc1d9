using System.CommandLine;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq analyze NAME</c>: one analysis, whose options are its own beside those of all.</summary>
internal sealed class AnalysisVerb : Verb
{
    private readonly Analysis _analysis;
    private readonly Option<string> _model = Text("--model", "DIR", "The run's folder that cudaseq train wrote.", required: true);
    private readonly Option<string> _out = Text("--out", "DIR", "Where the JSON and the page go.", required: true);
    private readonly Option<string> _input;
    private readonly Option<string> _reference = Text("--reference", "FILE", "What the lines of --input become (default: the references that the run was tested with).");
    private readonly Option<long?> _lines = Whole("--lines", "N", "Read the first N lines alone (default: all).", 1);
    private readonly Option<long?> _maxLength = Whole("--max-length", "N", $"Leave out lines of more than N pieces (default: {AnalysisText.UsualMaxLength}).", 1, 1_000_000);
    private readonly Option<long?> _batchTokens = Whole("--batch-tokens", "N", $"Tokens computed together, padding included (default: {AnalysisText.UsualBatchTokens}).", 1);
    private readonly (AnalysisOption Own, Option Typed)[] _own;
    private readonly PathOptions _paths = new(hasEncoder: true);
    private readonly DeviceOptions _device = new("compute");

    /// <param name="analysis">What the verb does.</param>
    public AnalysisVerb(Analysis analysis)
        : base(analysis.Name, analysis.Summary, AnalyzeVerb.VerbName)
    {
        _analysis = analysis;
        _input = Text("--input", "FILE", analysis.Reads == AnalysisReads.Pairs
            ? "Sources, one a line, or a language model's text (default: the pairs that the run was tested with)."
            : "Lines of source text, or of a language model's (default: the sources that the run was tested with).");
        _own = [.. analysis.Options.Select(o => (o, Typed(o)))];
        Option[] text = analysis.Reads switch
        {
            AnalysisReads.Pairs => [_input, _reference, _lines],
            AnalysisReads.Lines => [_input, _lines],
            _ => [],
        };
        if (analysis.TakesBatches)
            text = [.. text, _maxLength, _batchTokens];
        foreach (var option in (Option[])[_model, .. text, .. _own.Select(o => o.Typed), _out, .. analysis.TakesPaths ? _paths.All : [], .. _device.All])
            Add(option);
    }

    public override IReadOnlyList<(string Line, string What)> Examples => [($"cudaseq {FullName} {_analysis.Example.Arguments}", _analysis.Example.What)];

    public override string Notes => $"{_analysis.Reading} From: {_analysis.Origin}";

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        string output = arguments.GetRequiredValue(_out);
        if (File.Exists(output))
            throw new UsageException($"--out must be a folder, {output} is a file.");
        var settings = new AnalysisSettings();
        foreach (var (own, typed) in _own)
        {
            if (Value(arguments, typed) is { } value)
                settings[own.Name] = value;
        }

        var text = _analysis.Reads == AnalysisReads.Nothing ? new AnalysisText() : new AnalysisText
        {
            Input = arguments.GetValue(_input),
            Reference = _analysis.Reads == AnalysisReads.Pairs ? arguments.GetValue(_reference) : null,
            Lines = arguments.GetValue(_lines),
            MaxLength = (int)(arguments.GetValue(_maxLength) ?? AnalysisText.UsualMaxLength),
            BatchTokens = (int)(arguments.GetValue(_batchTokens) ?? AnalysisText.UsualBatchTokens),
        };
        foreach (string file in new[] { text.Input, text.Reference }.OfType<string>())
        {
            if (!File.Exists(file))
                throw TextFile.NotThere(file);
        }

        AnalysisResult.CheckFolder(output, _analysis);
        var (opened, precision) = _device.Open(arguments, terminal);
        using var device = opened;
        using var run = AnalysisRun.Load(arguments.GetRequiredValue(_model), device, precision, _analysis.TakesPaths ? _paths.Read(arguments) : null);
        var display = new AnalysisDisplay(terminal);
        AnalysisResult result;
        try
        {
            result = _analysis.Of(run, text, settings, display, cancellation);
        }
        finally
        {
            display.Finish();
        }

        var files = result.Save(output);
        terminal.Out.WriteLine(result.Headline);
        foreach (string file in files)
            terminal.Out.WriteLine(file);
        return CommandLine.Success;
    }

    private static Option Typed(AnalysisOption option) => option.Kind switch
    {
        AnalysisOptionKind.Flag => Flag(option.Name, option.Description),
        AnalysisOptionKind.Text => Text(option.Name, option.Value, option.Description),
        AnalysisOptionKind.Whole => Whole(option.Name, option.Value, option.Description, (long)option.Least, (long)option.Most),
        _ => Number(option.Name, option.Value, option.Description),
    };

    private static object? Value(ParseResult arguments, Option typed) => typed switch
    {
        Option<bool> flag => arguments.GetValue(flag) ? true : null,
        Option<string> text => arguments.GetValue(text),
        Option<long?> whole => arguments.GetValue(whole),
        Option<double?> number => arguments.GetValue(number),
        _ => null,
    };
}
