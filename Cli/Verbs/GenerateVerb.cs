using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq generate</c>: a language model goes on with text.</summary>
internal sealed class GenerateVerb : Verb
{
    private const int UsualLength = 200;

    // What attends to more than this much text has no room for it.
    private const int MostLength = 1_000_000;

    private readonly Option<string> _model = Text("--model", "DIR", "The run's folder that cudaseq train wrote, of a language model.", required: true);
    private readonly Option<string> _prompt = Text("--prompt", "TEXT", "What the text begins with (default: nothing).");
    private readonly Option<string> _input = Text("--input", "FILE", "Prompts, one a line; an empty line leaves its text free.");
    private readonly Option<long?> _maxLength = Whole("--max-length", "N", "At most N pieces follow a prompt (default: 200, and no text longer than training saw at once).", 1, MostLength);
    private readonly SearchOptions _search = SearchOptions.ForTexts();
    private readonly Option<bool> _json = Flag("--json", "Write an object for each text, one a line: prompt (its number), text, score, pieces.");
    private readonly PathOptions _paths = new(hasEncoder: false);
    private readonly DeviceOptions _device = new("compute", quantizes: true);

    public GenerateVerb()
        : base("generate", "Go on with text, with a trained language model.")
    {
        foreach (var option in (Option[])[_model, _prompt, _input, _maxLength, .. _search.All, _json, .. _paths.All, .. _paths.Exits, .. _device.All])
            Add(option);
    }

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq generate --model runs/tinyshakespeare-transformer --prompt ROMEO:", "One text."),
        ("cudaseq generate --model runs/wikitext-2-transformer --prompt \"The game was\" --nbest 3 --seed 7 --temperature 0.8", "Three others, a little more careful."),
        ("cudaseq generate --model runs/wikitext-2-transformer --input prompts.txt --beam 5 --no-repeat-ngram-size 3", "The likeliest text for each prompt of a file."),
    ];

    public override string Notes =>
        "A text holds the prompt. A model of whole text (data.sample_break_mode none or complete) writes on over the ends of lines and stops after --max-length pieces; a model of "
        + "lines (eos) stops where it ends the line. Where there are several texts a line before each says which it is.";

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        string folder = arguments.GetRequiredValue(_model);
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"{folder}: there is no such folder.");
        string? prompt = arguments.GetValue(_prompt), input = arguments.GetValue(_input);
        if (prompt is not null && input is not null)
            throw new UsageException("--prompt and --input must not both be given.");
        var options = _search.Read(arguments, TextGenerator.UsualSearch) with { Exit = _paths.Exit(arguments) };
        string[] prompts = input is null ? [prompt ?? ""] : [.. TextFile.ReadLines(input)];
        var (opened, precision) = _device.Open(arguments, terminal);
        using var device = opened;
        using var generator = TextGenerator.Load(folder, device, precision, _paths.Read(arguments));
        _device.Quantize(arguments, generator.Model);
        if (generator.ThroughLines && _search.AsksForLeast(arguments))
            throw new UsageException("--min-length is for models of single lines (data.sample_break_mode eos): this one writes on until --max-length.");
        int longest = prompts.Select(generator.PiecesOf).DefaultIfEmpty(0).Max(), seen = Seen(new RunDirectory(folder), generator.ThroughLines);
        long? wanted = arguments.GetValue(_maxLength);
        int length = (int)(wanted ?? UsualLength);
        if (!generator.ThroughLines && options.MinLength > length)
            throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"--min-length must be at most --max-length, got {options.MinLength} and {length}."));
        if (longest + (wanted is null ? 1 : length) > seen)
            terminal.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"warning: a text may have {longest + (wanted is null ? 1 : length)} pieces, training saw {seen} at once (data.tokens_per_sample): what lies beyond may be worse."));
        for (int i = 0; i < prompts.Length; i++)
        {
            if (generator.UnknownPiecesOf(prompts[i]) is > 0 and var unknown)
                terminal.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"warning: prompt {i + 1}: the model does not know {unknown} of its pieces, they are written as {TextCodec.UnknownText}"));
        }

        var found = generator.Generate(prompts, length, options, cancellation, wanted is null ? seen : null);
        if (generator.GraphObstacle is { } obstacle)
            terminal.Error.WriteLine($"warning: steps could not be captured as graphs and are run as they are: {obstacle}");
        if (options.Exit is not null)
            terminal.Error.WriteLine(PathOptions.Done(generator.ExitCounts));
        bool json = arguments.GetValue(_json), several = found.Count > 1 || _search.AsksForSeveral(arguments);
        for (int i = 0; i < found.Count; i++)
        {
            for (int n = 0; n < found[i].Count && !terminal.ReaderLeft; n++)
                Write(terminal, json, several, i + 1, n + 1, found[i][n]);
        }

        return CommandLine.Success;
    }

    private static void Write(Terminal terminal, bool json, bool several, int prompt, int number, GeneratedText text)
    {
        if (json)
        {
            terminal.Out.WriteLine(Json(prompt, text));
            return;
        }

        if (several)
            terminal.Out.WriteLine(terminal.Dim(string.Create(CultureInfo.InvariantCulture, $"== prompt {prompt}, text {number}, score {text.Score:f4}, {text.Pieces} pieces")));
        terminal.Out.WriteLine(text.Text);
    }

    private static string Json(int prompt, GeneratedText text)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteNumber("prompt", prompt);
            json.WriteString("text", text.Text);
            json.WriteNumber("score", Math.Round(text.Score, 6));
            json.WriteNumber("pieces", text.Pieces);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    // How many pieces training saw at once; lines may be of any length.
    private static int Seen(RunDirectory run, bool throughLines) => throughLines && File.Exists(run.Recipe) ? Recipe.Load(run.Recipe).Data.TokensPerSample : int.MaxValue;
}
