using System.CommandLine;
using System.Globalization;
using System.Text;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq translate</c>: text in, text out.</summary>
internal sealed class TranslateVerb : Verb
{
    private readonly Option<string> _model = Text("--model", "DIR", "The run's folder that cudaseq train wrote.", required: true);
    private readonly Option<long?> _beam = Whole("--beam", "N", "Hypotheses kept at each step; 1 is greedy (default: the recipe's).", 1);
    private readonly Option<long?> _nbest = Whole("--nbest", "N", "Write the N best translations of each line, each as: line number, score, translation, with tabs between.", 1);
    private readonly Option<long?> _batchTokens = Whole("--batch-tokens", "N", "Source tokens translated together, padding included (default: the recipe's).", 1);
    private readonly Option<string> _input = Text("--input", "FILE", "Text to translate, one sentence a line (default: standard input).");
    private readonly Option<string> _output = Text("--output", "FILE", "Where translations go, line by line in the order of the input (default: standard output).");
    private readonly Option<string> _graphs = Text("--graphs", "on|off", "Whether a GPU captures the steps of each shape as a CUDA graph; no translation changes by it (default: the recipe's).");
    private readonly Option<string> _device = Text("--device", "NAME", "Where to translate: cpu (the default), cuda, cuda:N or auto.");

    private readonly Option<string> _precision = Text("--precision", "NAME", "What to compute in: float32 (the default) or, on a GPU, bf16 or half.");
    private readonly Option<string> _tf32 = Text("--tf32", "on|off", "Whether a GPU's products of float32 matrices may round their inputs to TF32 (default: off).");

    public TranslateVerb()
        : base("translate", "Translate lines of text with a trained model.")
    {
        foreach (var option in (Option[])[_model, _beam, _nbest, _batchTokens, _input, _output, _graphs, _device, _precision, _tf32])
            Add(option);
    }

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("echo \"A man rides a bicycle.\" | cudaseq translate --model runs/multi30k-dynamicconv", "One line from a pipe."),
        ("cudaseq translate --model runs/multi30k-dynamicconv --beam 5 --input test.en --output test.de", "A file."),
        ("cudaseq translate --model runs/multi30k-dynamicconv --beam 10 --nbest 3 < test.en", "Three translations of each line with their scores."),
    ];

    public override string Notes => "An empty line gives an empty line, so that output and input always have the same number of lines (with --nbest 1).";

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        string folder = arguments.GetRequiredValue(_model);
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"{folder}: there is no such folder.");
        bool scored = arguments.GetValue(_nbest) is not null;
        var options = Search(arguments, new RunDirectory(folder));
        string? input = arguments.GetValue(_input), output = arguments.GetValue(_output);
        if (input is not null && output is not null && Path.GetFullPath(input) == Path.GetFullPath(output))
            throw new UsageException($"--output must be another file than --input, got {output} for both.");
        var precision = Devices.Precision(arguments.GetValue(_precision));
        bool tf32 = Devices.Tf32(arguments.GetValue(_tf32)) ?? false;
        using var device = Devices.Open(arguments.GetValue(_device));
        Devices.Check(device, precision, tf32);
        device.Tf32 = tf32;
        if (device.Choice is { } choice)
            terminal.Error.WriteLine(choice);
        using var translator = Translator.Load(folder, device, precision);
        using var source = input is null ? null : OpenInput(input);
        using var target = output is null ? null : new StreamWriter(output, append: false, new UTF8Encoding(false)) { NewLine = "\n" };
        using var lines = new LineFeed(source ?? terminal.Input, input ?? "stdin");
        var writer = target ?? terminal.Out;
        string? obstacle = null;
        for (long number = 1; !terminal.ReaderLeft && lines.Next(cancellation) is { Count: > 0 } block;)
        {
            foreach (var translations in translator.Translate(block, options, cancellation))
                Write(writer, number++, translations, scored);
            writer.Flush();
            if (obstacle is null && (obstacle = translator.GraphObstacle) is not null)
                terminal.Error.WriteLine($"warning: steps could not be captured as graphs and are run as they are: {obstacle}");
        }

        return CommandLine.Success;
    }

    private static void Write(TextWriter writer, long number, IReadOnlyList<Translation> translations, bool scored)
    {
        if (!scored)
        {
            writer.WriteLine(OneLine(translations[0].Text));
            return;
        }

        foreach (var translation in translations)
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{number}\t{translation.Score:f4}\t{OneLine(translation.Text)}"));
    }

    // A model that learned a line separator as a character must not shift the lines that follow.
    private static string OneLine(string text) => text.AsSpan().ContainsAny('\r', '\n') ? text.ReplaceLineEndings(" ") : text;

    private static FileStream OpenInput(string path)
        => File.Exists(path) ? File.OpenRead(path) : throw new FileNotFoundException($"{path}: there is no such file.");

    private DecodingOptions Search(ParseResult arguments, RunDirectory run)
    {
        var options = run.Decoding();
        options = options with
        {
            Beam = (int)(arguments.GetValue(_beam) ?? options.Beam),
            NBest = (int)(arguments.GetValue(_nbest) ?? 1),
            BatchTokens = (int)(arguments.GetValue(_batchTokens) ?? options.BatchTokens),
            Graphs = arguments.GetValue(_graphs) switch
            {
                null => options.Graphs,
                "on" => true,
                "off" => false,
                var other => throw new UsageException($"--graphs must be on or off, got {other}."),
            },
        };
        return options.NBest <= options.Beam
            ? options
            : throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"--nbest must be at most --beam, got {options.NBest} and {options.Beam}."));
    }
}
