using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using CudaSeq.Kernels;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq evaluate</c>: how well a model predicts given text.</summary>
internal sealed class EvaluateVerb : Verb
{
    private readonly Option<string> _model = Text("--model", "DIR", "The run's folder that cudaseq train wrote.", required: true);
    private readonly Option<string> _input = Text("--input", "FILE", "The text, or for a model that translates its source (default: standard input).");
    private readonly Option<string> _reference = Text("--reference", "FILE", "For a model that translates: what the source's lines become.");
    private readonly Option<long?> _contextWindow = Whole("--context-window", "N", "Of the data.tokens_per_sample tokens of a block of text, read N again from before it and predict the others (default: the recipe's data.context_window).", 0);
    private readonly Option<long?> _tokensPerSample = Whole("--tokens-per-sample", "N", "Tokens of a block of text, those read again included (default: the recipe's).", 1);
    private readonly Option<long?> _batchTokens = Whole("--batch-tokens", "N", "Tokens computed together, padding included (default: 4096).", 1);
    private readonly Option<bool> _json = Flag("--json", "Write JSON: loss, ppl, bits_per_character, bits_per_word, tokens, unknown, words, characters, lines; normalized, whether probabilities sum to 1.");
    private readonly PathOptions _paths = new(hasEncoder: true);
    private readonly DeviceOptions _device = new("compute", quantizes: true);

    public EvaluateVerb()
        : base("evaluate", "Measure how well a model predicts given text: loss and perplexity.")
    {
        foreach (var option in (Option[])[_model, _input, _reference, _contextWindow, _tokensPerSample, _batchTokens, _json, .. _paths.All, .. _device.All])
            Add(option);
    }

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq evaluate --model runs/wikitext-2-transformer --input valid.txt --context-window 64", "A language model; every token sees at least 64 tokens before it, but at the beginning."),
        ("cudaseq evaluate --model runs/multi30k-dynamicconv --input test.en --reference test.de --json", "A model that translates, on pairs."),
    ];

    public override string Notes =>
        "Losses are without label smoothing, in nats; each token counts once, the end of every line included. A word is what stands between blanks, and the end of a line is one word "
        + "and one character: so bits a word and a character compare models of different pieces, as long as no piece is unknown, for an unknown one costs less than writing it would.";

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        string folder = arguments.GetRequiredValue(_model);
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"{folder}: there is no such folder.");
        var run = new RunDirectory(folder);
        bool isText = Checkpoint.ReadHeader(run.BestOrLast).Config.IsLanguageModel;
        CheckOptions(arguments, isText);
        var (opened, precision) = _device.Open(arguments, terminal);
        using var device = opened;
        var lines = Read(terminal, arguments.GetValue(_input));
        var (scores, note) = isText
            ? OfText(arguments, run, lines, device, precision, cancellation)
            : OfPairs(arguments, run, lines, device, precision, cancellation);
        if (arguments.GetValue(_json))
            terminal.Out.WriteLine(Json(scores));
        else
            Write(terminal, scores, note);
        return CommandLine.Success;
    }

    private void CheckOptions(ParseResult arguments, bool isText)
    {
        if (!isText && arguments.GetValue(_reference) is null)
            throw new UsageException("--reference FILE must be given for a model that translates.");
        if (isText && arguments.GetValue(_reference) is not null)
            throw new UsageException("--reference is for a model that translates, this is a language model.");
        foreach (var option in new[] { _contextWindow, _tokensPerSample })
        {
            if (!isText && arguments.GetValue(option) is not null)
                throw new UsageException($"{option.Name} is for a language model, this one translates.");
        }
    }

    private (EvaluationScores Scores, string? Note) OfText(
        ParseResult arguments, RunDirectory run, IEnumerable<string> lines, Device device, DType precision, CancellationToken cancellation)
    {
        var data = File.Exists(run.Recipe) ? Recipe.Load(run.Recipe).Data : new RecipeData();
        int size = (int)(arguments.GetValue(_tokensPerSample) ?? data.TokensPerSample), context = (int)(arguments.GetValue(_contextWindow) ?? data.ContextWindow);
        if (data.SampleBreakMode == SampleBreak.Eos && context > 0)
            throw new UsageException($"--context-window must be 0 for a model of single lines (data.sample_break_mode eos), got {context}.");
        if (data.SampleBreakMode == SampleBreak.Eos && arguments.GetValue(_tokensPerSample) is not null)
            throw new UsageException("--tokens-per-sample is for a model of whole text, this is one of single lines (data.sample_break_mode eos).");
        if (data.SampleBreakMode != SampleBreak.Eos && context >= size)
            throw new UsageException($"--context-window must be below the tokens of a block, got {context} and {size}.");
        using var generator = TextGenerator.Load(run.Path, device, precision, _paths.Read(arguments));
        _device.Quantize(arguments, generator.Model);
        var blocks = TokenBlocks.Encode(lines, generator.Codec, data.SampleBreakMode, size, context, name: "text", cancellation: cancellation);
        if (blocks.Count == 0)
            throw new InvalidDataException("evaluate: there must be at least one line, got none.");
        string? note = context > 0 ? string.Create(CultureInfo.InvariantCulture, $"blocks of {size} tokens, {context} of them read again") : null;
        return (Evaluation.Of(generator.Model, blocks, Math.Max(BatchTokens(arguments), size), cancellation), note);
    }

    private (EvaluationScores Scores, string? Note) OfPairs(
        ParseResult arguments, RunDirectory run, IEnumerable<string> lines, Device device, DType precision, CancellationToken cancellation)
    {
        string reference = arguments.GetRequiredValue(_reference), input = arguments.GetValue(_input) ?? "stdin";
        using var translator = Translator.Load(run.Path, device, precision, _paths.Read(arguments));
        _device.Quantize(arguments, translator.Model);
        string[] sources = [.. lines], targets = [.. TextFile.ReadLines(reference)];
        if (sources.Length != targets.Length)
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"{input} and {reference}: must have as many lines as each other, got {sources.Length} and {targets.Length}."));
        var pairs = Corpus.Encode(sources.Zip(targets), translator.Source, translator.Target, name: input, cancellation: cancellation);
        if (pairs.Count == 0)
            throw new InvalidDataException("evaluate: there must be at least one pair without an empty side, got none.");
        var scores = Evaluation.Of(translator.Model, pairs, targets, BatchTokens(arguments), cancellation);
        string[] notes =
        [
            .. pairs.Report.Empty > 0 ? (string[])[string.Create(CultureInfo.InvariantCulture, $"{pairs.Count} of {pairs.Report.Lines} pairs, the others have an empty side")] : [],
            .. scores.IsNormalized ? (string[])[] : ["probabilities of hard surface fusion, which sum to less than 1: not comparable with other models'"],
        ];
        return (scores, notes.Length > 0 ? string.Join("; ", notes) : null);
    }

    private int BatchTokens(ParseResult arguments) => (int)(arguments.GetValue(_batchTokens) ?? Evaluation.UsualBatchTokens);

    private static IEnumerable<string> Read(Terminal terminal, string? path) => path is null ? TextFile.ReadLines(terminal.Input, "stdin") : TextFile.ReadLines(path);

    /// <summary>Scores for people.</summary>
    public static void Write(Terminal terminal, EvaluationScores scores, string? note)
    {
        var measures = scores.Measures;
        var facts = new List<(string, string)>
        {
            ("loss", string.Create(CultureInfo.InvariantCulture, $"{scores.Loss:f4} nats a token")),
            ("perplexity", ReadableNumber.Of(scores.Perplexity, "f2")),
            ("bits a character", scores.BitsPerCharacter.ToString("f4", CultureInfo.InvariantCulture)),
            ("bits a word", scores.BitsPerWord.ToString("f4", CultureInfo.InvariantCulture)),
            ("tokens", string.Create(CultureInfo.InvariantCulture, $"{scores.Tokens:N0}, {scores.Unknown:N0} unknown")),
            ("text", string.Create(CultureInfo.InvariantCulture, $"{measures.Lines:N0} lines, {measures.Words:N0} words, {measures.Characters:N0} characters")),
        };
        if (note is not null)
            facts.Add(("read as", note));
        TextTable.WriteFacts(terminal, facts);
    }

    private static string Json(EvaluationScores scores)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteNumber("loss", Math.Round(scores.Loss, 6));
            if (double.IsFinite(scores.Perplexity))
                json.WriteNumber("ppl", Math.Round(scores.Perplexity, 6));
            else
                json.WriteNull("ppl");
            json.WriteNumber("bits_per_character", Math.Round(scores.BitsPerCharacter, 6));
            json.WriteNumber("bits_per_word", Math.Round(scores.BitsPerWord, 6));
            json.WriteNumber("tokens", scores.Tokens);
            json.WriteNumber("unknown", scores.Unknown);
            json.WriteNumber("words", scores.Measures.Words);
            json.WriteNumber("characters", scores.Measures.Characters);
            json.WriteNumber("lines", scores.Measures.Lines);
            json.WriteBoolean("normalized", scores.IsNormalized);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
