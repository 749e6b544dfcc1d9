using System.CommandLine;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq moses tokenize</c>: words and punctuation set apart.</summary>
internal sealed class MosesTokenizeVerb : Verb
{
    private readonly Option<string> _language = MosesVerb.LanguageOption();
    private readonly Option<string> _input = Text("--input", "FILE", "Text (default: standard input).");
    private readonly Option<string> _output = Text("--output", "FILE", "Where the tokens go (default: standard output).");
    private readonly Option<bool> _noEscape = Flag("--no-escape", "Leave & | < > ' \" [ ] as they are; else they become &amp; and the like.");
    private readonly Option<bool> _dashes = Flag("--aggressive-dash-splits", "Make well-known three tokens: well @-@ known.");
    private readonly Option<string> _protected = Text("--protected-patterns", "FILE", "Regular expressions, one a line, whose finds stay one token.");
    private readonly Option<string> _prefixes = Text("--nonbreaking-prefixes", "FILE", "The words that keep their full stop, one a line as in Moses's lists (default: a list of its own for the language).");

    public MosesTokenizeVerb()
        : base("tokenize", "Set words and punctuation apart with blanks.", "moses")
    {
        foreach (var option in (Option[])[_language, _input, _output, _noEscape, _dashes, _protected, _prefixes])
            Add(option);
    }

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq moses tokenize --lang en --input train.en --output train.tok.en", "As tokenizer.perl -l en, with a list of abbreviations of its own."),
        ("cudaseq moses tokenize --lang de --no-escape --aggressive-dash-splits < train.de > train.tok.de", "As tokenizer.perl -l de -no-escape -a."),
        ("cudaseq moses tokenize --lang ro --nonbreaking-prefixes nonbreaking_prefix.ro < train.ro > train.tok.ro", "A language without a list of its own."),
    ];

    public override string Notes => $"There are lists of abbreviations for {string.Join(", ", MosesPrefixes.Languages)}. Every line is ended by a line feed.";

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        string? input = arguments.GetValue(_input), output = arguments.GetValue(_output), patterns = arguments.GetValue(_protected), prefixes = arguments.GetValue(_prefixes);
        string language = MosesVerb.Language(arguments, _language);
        if (prefixes is null && !MosesPrefixes.Languages.Contains(language))
            throw new UsageException($"--lang must be one of {string.Join(", ", MosesPrefixes.Languages)} unless --nonbreaking-prefixes FILE is given, got {language}.");
        foreach (var (option, needed) in ((string, string?)[])[("--input", input), ("--protected-patterns", patterns), ("--nonbreaking-prefixes", prefixes)])
            OutputFile.CheckApart([(option, needed), ("--output", output)]);
        var tokenizer = new MosesTokenizer(language, new MosesTokenizerOptions
        {
            AggressiveDashSplits = arguments.GetValue(_dashes),
            Escape = !arguments.GetValue(_noEscape),
            ProtectedPatterns = patterns is null ? [] : [.. TextFile.ReadLines(patterns).Where(p => p.Length > 0)],
            Prefixes = prefixes is null ? null : MosesPrefixes.Load(prefixes),
        });
        LineByLine.Copy(input, output, terminal, Write, cancellation);
        return CommandLine.Success;

        void Write(string line, TextWriter writer)
            => writer.Write(string.IsNullOrWhiteSpace(line) ? line : tokenizer.Tokenize(line) + "\n");
    }
}
