using System.CommandLine;

namespace CudaSeq.Cli;

/// <summary>The help of the tool and of its verbs, text at most 80 columns wide.</summary>
internal static class Help
{
    private const int Columns = 80;
    private const string HelpOption = "--help";

    public static void WriteTool(IReadOnlyList<Verb> verbs, Terminal terminal)
    {
        terminal.Out.WriteLine("cudaseq: sequence-to-sequence and language models with self-attention, LightConv and DynamicConv.");
        Heading(terminal, "Usage");
        terminal.Out.WriteLine("  cudaseq VERB [arguments] [options]");
        terminal.Out.WriteLine("  dotnet run -c Release --project Cli -- VERB [arguments] [options]    (in a clone)");
        Heading(terminal, "Verbs");
        Rows(terminal, [.. verbs.Select(v => (v.Name, v.Description ?? ""))]);
        Heading(terminal, "Options");
        Rows(terminal, [(HelpOption, "Show this help; after a verb, the verb's."), ("--version", "Show the version and the commit it was built from.")]);
        Heading(terminal, "Examples");
        Rows(terminal, [("cudaseq quickstart", "Try everything on numbers, needs no data."), ("cudaseq train --help", "How to train, with examples.")]);
        Heading(terminal, "Environment");
        Rows(terminal,
        [
            ("CUDASEQ_DATA", "Folder of data sets, for recipes that name a folder below it."),
            ("CUDASEQ_TRACE=1", "Show where in the code a failure happened."),
            ("NO_COLOR", "No colours on a screen; there are never any in a file or pipe."),
        ]);
        terminal.Out.WriteLine();
        terminal.Out.WriteLine("Exit codes: 0 done, 1 failed, 2 not understood.");
    }

    public static void WriteVerb(Verb verb, Terminal terminal)
    {
        terminal.Out.WriteLine($"cudaseq {verb.FullName}: {verb.Description}");
        Heading(terminal, "Usage");
        string usage = string.Concat(verb.Arguments.Select(a => a.Arity.MinimumNumberOfValues == 0 ? $" [{a.Name}]" : $" {a.Name}")) + string.Concat(verb.Options.Where(o => o.Required).Select(o => $" {Label(o)}"));
        terminal.Out.WriteLine($"  cudaseq {verb.FullName}{(verb.Verbs.Count > 0 ? " VERB" : "")}{usage} [options]");
        if (verb.Verbs.Count > 0)
        {
            Heading(terminal, "Verbs");
            Rows(terminal, [.. verb.Verbs.Select(v => (v.Name, v.Description ?? ""))]);
        }

        if (verb.Arguments.Count > 0)
        {
            Heading(terminal, "Arguments");
            Rows(terminal, [.. verb.Arguments.Select(a => (a.Name, a.Description ?? ""))]);
        }

        Heading(terminal, "Options");
        Rows(terminal, [.. verb.Options.Select(o => (Label(o), o.Description ?? "")), (HelpOption, "Show this help.")]);
        if (verb.Notes is { } notes)
        {
            terminal.Out.WriteLine();
            foreach (string line in Wrap(notes, Columns))
                terminal.Out.WriteLine(line);
        }

        Heading(terminal, "Examples");
        foreach (var (line, what) in verb.Examples)
        {
            terminal.Out.WriteLine($"  {line}");
            terminal.Out.WriteLine($"      {terminal.Dim(what)}");
        }
    }

    private static string Label(Option option) => option.Arity.MaximumNumberOfValues == 0 ? option.Name : $"{option.Name} {option.HelpName}";

    private static void Heading(Terminal terminal, string text)
    {
        terminal.Out.WriteLine();
        terminal.Out.WriteLine(terminal.Bold(text));
    }

    private static void Rows(Terminal terminal, IReadOnlyList<(string Name, string Text)> rows)
    {
        int width = rows.Max(r => r.Name.Length);
        foreach (var (name, text) in rows)
        {
            string label = name.PadRight(width);
            foreach (string line in Wrap(text, Columns - width - 4))
            {
                terminal.Out.WriteLine($"  {label}  {line}");
                label = new string(' ', width);
            }
        }
    }

    /// <summary>Text in lines of at most so many columns; a longer word has one of its own.</summary>
    public static IEnumerable<string> Wrap(string text, int width)
    {
        string line = "";
        foreach (string word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line;
                line = "";
            }

            line = line.Length == 0 ? word : $"{line} {word}";
        }

        yield return line;
    }
}
