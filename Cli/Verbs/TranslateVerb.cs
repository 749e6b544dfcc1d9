using System.CommandLine;
using System.Globalization;
using System.Text;
using CudaSeq.Kernels;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq translate</c>: text in, text out.</summary>
internal sealed class TranslateVerb : Verb
{
    private readonly Option<string> _model = Text("--model", "DIR", "The run's folder that cudaseq train wrote.", required: true);
    private readonly Option<string> _input = Text("--input", "FILE", "Text to translate, one sentence a line (default: standard input).");
    private readonly Option<string> _output = Text("--output", "FILE", "Where translations go, line by line in the order of the input (default: standard output).");
    private readonly Option<string> _prefixes = Text("--prefixes", "FILE", "A line of target text for each line of the input, which its translations begin with; an empty line leaves them free.");
    private readonly Option<string> _constraints = Text("--constraints", "FILE", "For each line of the input the phrases that its translations must hold, with tabs between; an empty line asks for none.");
    private readonly Option<string> _constraintsOrder = Text("--constraints-order", "ORDER", "unordered (the default), or ordered: each phrase after the end of the one before.");
    private readonly Option<bool> _tokenScores = Flag("--token-scores", "Write lines as with --nbest, then the log probability of each piece and of the end.");
    private readonly Option<bool> _alignments = Flag("--alignments", "Write lines as with --nbest, then for each piece s-t: the source's piece s has most attention of the last layer for piece t, from 0.");
    private readonly Option<bool> _replaceUnknown = Flag("--replace-unknown", "Write the source's word that has most attention for an unknown one; inside a word that has known pieces, its piece.");
    private readonly Option<bool> _interactive = Flag("--interactive", "Answer each line of standard input at once.");
    private readonly SearchOptions _search = SearchOptions.ForTranslations();
    private readonly PathOptions _paths = new(hasEncoder: true);
    private readonly DeviceOptions _device = new("translate", quantizes: true);

    public TranslateVerb()
        : base("translate", "Translate lines of text with a trained model.")
    {
        foreach (var option in (Option[])[_model, _input, _output, _interactive, .. _search.All, _prefixes, _constraints, _constraintsOrder, _tokenScores, _alignments, _replaceUnknown, .. _paths.All, .. _paths.Exits, .. _paths.Tuning, .. _device.All])
            Add(option);
    }

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("echo \"A man rides a bicycle.\" | cudaseq translate --model runs/multi30k-dynamicconv", "One line from a pipe."),
        ("cudaseq translate --model runs/multi30k-dynamicconv --beam 5 --input test.en --output test.de", "A file."),
        ("cudaseq translate --model runs/multi30k-dynamicconv --beam 10 --nbest 3 < test.en", "Three translations of each line with their scores."),
        ("cudaseq translate --model runs/adaptive --exit-budget 2.5 --exit-tune-on valid.en < test.en", "Two and a half layers for a piece in the mean."),
        ("cudaseq translate --model runs/multi30k-dynamicconv --sampling --sampling-topp 0.9 --nbest 3 < test.en", "Three samples of each line."),
    ];

    public override string Notes => "An empty line gives an empty line, so that output and input always have the same number of lines (with --nbest 1).";

    /// <summary>How the arguments want to search with a run's model.</summary>
    public DecodingOptions Decoding(ParseResult arguments, string folder) => _search.Read(arguments, new RunDirectory(folder).Decoding()) with { Exit = _paths.Exit(arguments) };

    /// <summary>The same with the exits that they want to be chosen on a text, which is told in a line.</summary>
    /// <param name="arguments">What was typed.</param>
    /// <param name="translator">The model.</param>
    /// <param name="options">How they want to search otherwise.</param>
    /// <param name="report">Where the line goes.</param>
    /// <param name="cancellation">Stops between steps.</param>
    public DecodingOptions Tuned(ParseResult arguments, Translator translator, DecodingOptions options, TextWriter report, CancellationToken cancellation)
    {
        if (_paths.Budget(arguments) is not { } asked)
            return options;
        var budget = ExitBudget.Tune(translator, () => TextFile.ReadLines(asked.File), asked.Layers, options, asked.Predicted, cancellation);
        report.WriteLine(PathOptions.Chosen(budget, translator.Model.Config.DecoderDepth, asked.File));
        return options with { Exit = _paths.Exit(arguments, budget) };
    }

    /// <summary>The model of a run as they want it, with its layers and in its numbers.</summary>
    /// <param name="arguments">What was typed.</param>
    /// <param name="folder">The run's.</param>
    /// <param name="device">Where it computes.</param>
    /// <param name="precision">In what.</param>
    public Translator Load(ParseResult arguments, string folder, Device device, DType precision = DType.Float32)
    {
        var translator = Translator.Load(folder, device, precision, _paths.Read(arguments));
        _device.Quantize(arguments, translator.Model);
        return translator;
    }

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        string folder = arguments.GetRequiredValue(_model);
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException(File.Exists(folder) ? $"{folder}: must be a run's folder, is a file." : $"{folder}: there is no such folder.");
        bool tokenScores = arguments.GetValue(_tokenScores), alignments = arguments.GetValue(_alignments), interactive = arguments.GetValue(_interactive);
        var format = new Format(_search.AsksForSeveral(arguments) || tokenScores || alignments, tokenScores, alignments);
        bool replaces = arguments.GetValue(_replaceUnknown);
        var options = Constrained(arguments, Decoding(arguments, folder)) with { Alignments = alignments || replaces };
        string? input = arguments.GetValue(_input), output = arguments.GetValue(_output);
        if (interactive && input is not null)
            throw new UsageException("--interactive reads standard input, --input must not be given with it.");
        string? tuneOn = _paths.Budget(arguments)?.File;
        if (tuneOn is not null && !File.Exists(tuneOn))
            throw TextFile.NotThere(tuneOn);
        foreach (var (option, path) in new[] { ("--input", input), ("--exit-tune-on", tuneOn), ("--prefixes", arguments.GetValue(_prefixes)), ("--constraints", arguments.GetValue(_constraints)) })
            OutputFile.CheckApart([(option, path), ("--output", output)]);
        OutputFile.CheckNoRun("--output", output);
        OutputFile.CheckPlace("--output", output);
        var (opened, precision) = _device.Open(arguments, terminal);
        using var device = opened;
        using var translator = Load(arguments, folder, device, precision);
        options = Tuned(arguments, translator, options, terminal.Error, cancellation);
        using var source = input is null ? null : OpenInput(input);
        using var target = output is null ? null : new StreamWriter(output, append: false, new UTF8Encoding(false)) { NewLine = "\n" };
        using var prefixes = arguments.GetValue(_prefixes) is { } prefixFile ? new CompanionFile(prefixFile) : null;
        using var constraints = arguments.GetValue(_constraints) is { } constraintFile ? new CompanionFile(constraintFile) : null;
        using var lines = new LineFeed(source ?? terminal.Input, input ?? "stdin", interactive ? 1 : LineFeed.BlockLines);
        var writer = target ?? terminal.Out;
        if (terminal.IsTyped && input is null && !interactive)
            terminal.Error.WriteLine("reading sentences from the terminal, one a line; the end of input (Ctrl-D) ends");
        string? obstacle = null;
        long[] exits = [];
        int? learned = new RunDirectory(folder).Recipe is var recipe && File.Exists(recipe) ? Recipe.Load(recipe).Data.MaxLength : null;
        var read = new InputPieces(learned);
        for (long number = 1; !terminal.ReaderLeft && Next() is { Count: > 0 } block;)
        {
            long first = number;
            foreach (var translations in Translate(block, number))
                format.Write(writer, number++, translations);
            writer.Flush();
            read.Add(translator.SourcePieces, first);
            if (interactive)
                Warn();
            exits = exits.Length == 0 ? [.. translator.ExitCounts] : [.. exits.Zip(translator.ExitCounts, (a, b) => a + b)];
            if (obstacle is null && (obstacle = translator.GraphObstacle) is not null)
                terminal.Error.WriteLine($"warning: steps could not be captured as graphs and are run as they are: {obstacle}");
        }

        if (exits.Length > 0)
            terminal.Error.WriteLine(PathOptions.Done(exits));
        Warn();

        // Somebody who types may stop before the files do.
        if (!interactive && !terminal.ReaderLeft)
        {
            prefixes?.CheckEnd();
            constraints?.CheckEnd();
        }

        return CommandLine.Success;

        IReadOnlyList<IReadOnlyList<Translation>> Translate(List<string> block, long first)
        {
            string[][]? phrases = constraints is null ? null : [.. constraints.Next(block.Count).Select(l => l.Split('\t'))];
            try
            {
                return translator.Translate(block, options, cancellation, prefixes?.Next(block.Count), replaces, phrases);
            }
            catch (ConstraintException e)
            {
                throw constraints!.Wrong(first + e.Line, e.Problem);
            }
            catch (SourceException e)
            {
                throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"{input ?? "stdin"}: line {first + e.Line}: {e.Problem}"));
            }
        }

        // Whoever types is told at once, whoever sends a file when it ends.
        void Warn()
        {
            foreach (string warning in read.Warnings())
                terminal.Error.WriteLine($"warning: {warning}");
            read = new InputPieces(learned);
        }

        List<string> Next()
        {
            bool asks = interactive && terminal.IsTyped;
            if (asks)
                terminal.Error.Write("> ");
            List<string>? block = null;
            try
            {
                return block = lines.Next(cancellation);
            }
            finally
            {
                // What ends it, the shell or a message, begins a line of its own.
                if (asks && block is null or { Count: 0 })
                    terminal.Error.WriteLine();
            }
        }
    }

    // Constraints are met by plain beam search alone.
    private DecodingOptions Constrained(ParseResult arguments, DecodingOptions options)
    {
        string? order = arguments.GetValue(_constraintsOrder);
        bool constrained = arguments.GetValue(_constraints) is not null;
        if (constrained && (options.Sampling || options.DiverseBeamGroups > 1))
            throw new UsageException($"--constraints needs plain beam search, {(options.Sampling ? "--sampling" : "--diverse-beam-groups")} must not be given with it.");
        if (!constrained && order is not null)
            throw new UsageException("--constraints-order is about --constraints, which must be given with it.");
        return options with
        {
            ConstraintOrder = order switch
            {
                null or "unordered" => ConstraintOrder.Unordered,
                "ordered" => ConstraintOrder.Ordered,
                _ => throw new UsageException($"--constraints-order must be unordered or ordered, got {order}."),
            },
        };
    }

    private static FileStream OpenInput(string path)
        => File.Exists(path) ? File.OpenRead(path) : throw TextFile.NotThere(path);

    /// <summary>What a line of the output is.</summary>
    private sealed record Format(bool Numbered, bool TokenScores, bool Alignments)
    {
        public void Write(TextWriter writer, long number, IReadOnlyList<Translation> translations)
        {
            if (!Numbered)
            {
                writer.WriteLine(OneLine(translations[0].Text));
                return;
            }

            foreach (var translation in translations)
            {
                writer.Write(string.Create(CultureInfo.InvariantCulture, $"{number}\t{translation.Score:f4}\t{OneLine(translation.Text)}"));
                if (TokenScores)
                    writer.Write('\t' + string.Join(' ', translation.TokenScores.Select(s => s.ToString("f4", CultureInfo.InvariantCulture))));
                if (Alignments)
                    writer.Write('\t' + string.Join(' ', translation.Alignment.Select((s, t) => string.Create(CultureInfo.InvariantCulture, $"{s}-{t}"))));
                writer.WriteLine();
            }
        }

        // A model that learned a line separator as a character must not shift the lines that follow, and one that learned a tab not the columns.
        private string OneLine(string text)
        {
            text = text.AsSpan().ContainsAny('\r', '\n') ? text.ReplaceLineEndings(" ") : text;
            return Numbered ? text.Replace('\t', ' ') : text;
        }
    }
}
