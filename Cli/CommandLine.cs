using System.CommandLine;
using System.CommandLine.Parsing;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary>The <c>cudaseq</c> tool: finds the verb, refuses what it does not understand, and turns failures into one line and an exit code.</summary>
internal static class CommandLine
{
    /// <summary>Done.</summary>
    public const int Success = 0;

    /// <summary>It was understood and did not work out.</summary>
    public const int Failure = 1;

    /// <summary>It was not understood.</summary>
    public const int Misuse = 2;

    /// <summary>Runs the tool.</summary>
    /// <param name="args">What was typed after <c>cudaseq</c>.</param>
    /// <param name="terminal">What to read from and write to.</param>
    /// <param name="cancellation">Asks to stop cleanly.</param>
    /// <returns><see cref="Success"/>, <see cref="Failure"/> or <see cref="Misuse"/>.</returns>
    public static int Run(string[] args, Terminal terminal, CancellationToken cancellation)
    {
        string context = "cudaseq";
        try
        {
            int code = Run(args, terminal, ref context, cancellation);

            // Within reach of the handlers: what cannot be written, on a full disk for example, is a failure like any other.
            terminal.Out.Flush();
            return code;
        }
        catch (UsageException e)
        {
            terminal.Error.WriteLine($"{context}: {e.Message}");
            return Misuse;
        }
        catch (RecipeException e)
        {
            foreach (string problem in e.Problems)
                terminal.Error.WriteLine(problem);
            return Misuse;
        }
        catch (Exception e) when (terminal.Variable("CUDASEQ_TRACE") == "1")
        {
            terminal.Error.WriteLine($"cudaseq: {e}");
            return Failure;
        }
        catch (OperationCanceledException)
        {
            terminal.Error.WriteLine("cudaseq: interrupted.");
            return Failure;
        }
        catch (Exception e)
        {
            foreach (string line in Lines(e))
                terminal.Error.WriteLine($"cudaseq: {line}");
            return Failure;
        }
    }

    /// <summary>All verbs, in the order of the help.</summary>
    public static IReadOnlyList<Verb> Verbs() =>
    [
        new QuickstartVerb(),
        new TrainVerb(),
        new ReproduceVerb(),
        new RecipeVerb(),
        new AverageVerb(),
        new ImportVerb(),
        new ExportVerb(),
        new TranslateVerb(),
        new GenerateVerb(),
        new EvaluateVerb(),
        new ScoreVerb(),
        new BpeVerb(),
        new MosesVerb(),
        new SpmVerb(),
        new DataVerb(),
        new AnalyzeVerb(),
        new ReportVerb(),
        new CompareVerb(),
        new InfoVerb(),
        new DoctorVerb(),
    ];

    /// <summary>What a verb makes of its arguments, for verbs that do the work of others.</summary>
    /// <exception cref="UsageException">It does not understand them.</exception>
    public static ParseResult Parsed(Verb verb, string[] args) => Parse(verb, SplitSettings(args));

    private static int Run(string[] args, Terminal terminal, ref string context, CancellationToken cancellation)
    {
        var verbs = Verbs();
        if (args.Length == 0)
        {
            Help.WriteTool(verbs, terminal);
            throw new UsageException("a verb must be given.");
        }

        // As other tools have it: help, help VERB, help VERB VERB.
        if (args[0] is "help")
            args = [.. args[1..], "--help"];
        if (args[0] is "--help" or "-h")
        {
            Help.WriteTool(verbs, terminal);
            return Success;
        }

        if (args[0] is "--version")
        {
            terminal.Out.WriteLine($"cudaseq {BuildInfo.Version} ({BuildInfo.Commit})");
            return Success;
        }

        var verb = Find(args[0], verbs, "--help", "--version");
        context = $"cudaseq {verb.FullName}";
        string[] rest = SplitSettings(args[1..]);
        if (verb.Verbs.Count > 0 && rest is not ["--help" or "-h", ..])
        {
            if (rest.Length == 0)
            {
                Help.WriteVerb(verb, terminal);
                throw new UsageException("a verb must be given.");
            }

            verb = Find(rest[0], verb.Verbs, "--help");
            context = $"cudaseq {verb.FullName}";
            rest = rest[1..];
        }

        if (AsksForHelp(rest))
        {
            Help.WriteVerb(verb, terminal);
            return Success;
        }

        return verb.Run(Parse(verb, rest), terminal, cancellation);
    }

    private static Verb Find(string name, IReadOnlyList<Verb> verbs, params IEnumerable<string> options)
    {
        if (verbs.FirstOrDefault(v => v.Name == name) is { } verb)
            return verb;
        if (name.StartsWith('-'))
            throw new UsageException($"unknown option {name}{Suggestion(name, options, ".")}");
        throw new UsageException($"unknown verb {name}{Suggestion(name, verbs.Select(v => v.Name), $"; the verbs are {string.Join(", ", verbs.Select(v => v.Name))}.")}");
    }

    // The parser would take an option, known or not, for the value of the option before it.
    private static ParseResult Parse(Verb verb, string[] args)
    {
        Option? waiting = null;
        foreach (string arg in args.TakeWhile(a => a != "--"))
        {
            string name = arg.Split('=', ':')[0];
            bool isOption = name.Length > 1 && name[0] == '-' && !char.IsAsciiDigit(name[1]);
            var option = verb.Options.FirstOrDefault(o => o.Name == name);
            if (isOption && option is null)
                throw new UsageException($"unknown option {name}{Suggestion(name, verb.Options.Select(o => o.Name), $"; cudaseq {verb.FullName} --help lists the options.")}");
            if (isOption && waiting is not null)
                throw NeedsValue(waiting);
            waiting = isOption && option!.Arity.MaximumNumberOfValues > 0 && name == arg ? option : null;
        }

        if (waiting is not null)
            throw NeedsValue(waiting);
        var result = verb.Parse(args, new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
        foreach (var option in verb.Options)
            CheckGivenOnce(result.GetResult(option), option);
        foreach (var argument in verb.Arguments.Where(a => a.Arity.MinimumNumberOfValues > 0))
        {
            if (result.GetResult(argument) is not { Tokens.Count: > 0 })
                throw new UsageException($"{argument.Name} must be given; cudaseq {verb.FullName} --help shows how.");
        }

        foreach (var option in verb.Options.Where(o => o.Required))
        {
            if (result.GetResult(option) is null or { IdentifierTokenCount: 0 })
                throw new UsageException($"{option.Name} {option.HelpName} must be given; cudaseq {verb.FullName} --help shows how.");
        }

        foreach (var option in verb.Options.Where(o => o.HelpName is "FILE" or "DIR" && result.GetResult(o) is { Tokens: [{ Value: "" }, ..] }))
            throw new UsageException($"{option.Name} must name a {(option.HelpName == "DIR" ? "folder" : "file")}, got nothing.");
        if (result.UnmatchedTokens.Count > 0)
            throw new UsageException($"unexpected argument {result.UnmatchedTokens[0]}; cudaseq {verb.FullName} --help shows what it takes.");
        return result.Errors.Count == 0 ? result : throw new UsageException(result.Errors[0].Message);
    }

    private static void CheckGivenOnce(OptionResult? given, Option option)
    {
        if (given is { IdentifierTokenCount: > 1 } && option.Arity.MaximumNumberOfValues == 1)
            throw new UsageException($"{option.Name} must be given once.");
    }

    private static UsageException NeedsValue(Option option) => new($"{option.Name} needs a value: {option.Name} {option.HelpName}.");

    // --set takes every key=value that follows it; what follows them is something else again.
    private static string[] SplitSettings(string[] args)
    {
        var result = new List<string>();
        bool inSettings = false;
        foreach (string arg in args)
        {
            bool setting = !arg.StartsWith('-') && arg.Contains('=', StringComparison.Ordinal);
            if (inSettings && setting && result[^1] != RecipeSettings.Name)
                result.Add(RecipeSettings.Name);
            result.Add(arg);
            inSettings = arg == RecipeSettings.Name || (inSettings && setting);
        }

        return [.. result];
    }

    private static bool AsksForHelp(string[] args) => args.TakeWhile(a => a != "--").Any(a => a is "--help" or "-h");

    private static string Suggestion(string given, IEnumerable<string> choices, string otherwise)
        => NearestName.Of(given, choices) is { } nearest ? $", did you mean {nearest}?" : otherwise;

    // One for each thing that is wrong with a file; the runtime's own messages may have breaks where no sentence ends.
    private static IEnumerable<string> Lines(Exception e)
    {
        // The runtime's own messages name a missing file in the middle of a sentence; those of this code are sentences already.
        string message = e switch
        {
            FileNotFoundException { FileName: { } file } => TextFile.NotThere(file).Message,
            AggregateException { InnerException: { } inner } => inner.Message,
            _ => e.Message,
        };
        // What is quoted from a file may hold a terminal's commands.
        message = string.Concat(message.Select(c => char.IsControl(c) && c is not ('\r' or '\n' or '\t') ? '?' : c));
        string[] lines = message.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return e is InvalidDataException ? lines : [string.Join(' ', lines)];
    }
}
