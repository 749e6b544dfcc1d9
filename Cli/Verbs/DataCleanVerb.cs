using System.CommandLine;
using System.Globalization;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq data clean</c>: a corpus without the pairs that nothing is learned from.</summary>
internal sealed class DataCleanVerb : Verb
{
    private const string Validation = "valid";

    private static readonly CorpusCleaningOptions Usual = new();

    private readonly Argument<string[]> _paths = new("SOURCE TARGET")
    {
        Description = "Two files whose lines belong together.",
        Arity = new ArgumentArity(0, 2),
    };

    private readonly Option<string> _out = Text("--out", "DIR", "The folder for what is kept, in files of the same names.", required: true);
    private readonly Option<long?> _min = Whole("--min", "N", "Leave out pairs with fewer than N words on a side (default: 1).", 1);
    private readonly Option<long?> _max = Whole("--max", "N", "Leave out pairs with more than N words on a side (default: 250).", 1);
    private readonly Option<double?> _ratio = Number("--ratio", "X", "Leave out pairs one side of which has more than X times the words of the other (default: 1.5).");
    private readonly Option<long?> _validEvery = Whole("--valid-every", "N", "Write every N-th pair that is kept to valid.SIDE instead (default: none).", 2);

    public DataCleanVerb()
        : base("clean", "Leave out the pairs of a corpus that are too short, too long or too unlike in length.", "data")
    {
        Add(_paths);
        foreach (var option in (Option[])[_out, _min, _max, _ratio, _validEvery])
            Add(option);
    }

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq data clean train.tok.de train.tok.en --out clean", "The pairs that clean-corpus-n.perl -ratio 1.5 leaves, of 1 to 250 words."),
        ("cudaseq data clean train.tok.de train.tok.en --out iwslt --max 175 --valid-every 23", "As fairseq prepares IWSLT14: iwslt/train.tok.de and .en, iwslt/valid.de and .en."),
    ];

    public override string Notes =>
        "A word is what stands between blanks: tokenise first. Lines are written as they are. SIDE is what stands behind the last dot of a file's name. Both files are read to their ends before anything is written under its name.";

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        if ((arguments.GetValue(_paths) ?? []) is not [var source, var target])
            throw new UsageException("SOURCE and TARGET must be given; cudaseq data clean --help shows how.");
        var options = new CorpusCleaningOptions
        {
            LeastWords = (int)(arguments.GetValue(_min) ?? Usual.LeastWords),
            MostWords = (int)(arguments.GetValue(_max) ?? Usual.MostWords),
            Ratio = arguments.GetValue(_ratio) ?? Usual.Ratio,
            AsideEvery = (int)(arguments.GetValue(_validEvery) ?? 0),
        };
        if (!(options.Ratio >= 1))
            throw new UsageException(FormattableString.Invariant($"--ratio must be at least 1, got {options.Ratio}."));
        if (options.MostWords < options.LeastWords)
            throw new UsageException(FormattableString.Invariant($"--max must be at least --min, got {options.MostWords} and {options.LeastWords}."));
        string folder = arguments.GetRequiredValue(_out);
        var kept = (Source: Path.Combine(folder, Path.GetFileName(source)), Target: Path.Combine(folder, Path.GetFileName(target)));
        (string Source, string Target)? valid = options.AsideEvery > 0 ? (Path.Combine(folder, Validation + Path.GetExtension(source)), Path.Combine(folder, Validation + Path.GetExtension(target))) : null;
        if (kept.Source == kept.Target || (valid is not null && valid?.Source == valid?.Target))
            throw new UsageException($"SOURCE and TARGET must differ in their {(kept.Source == kept.Target ? "names" : "sides, what stands behind the last dot")}, got {source} and {target}.");
        if (valid is { } aside && (kept.Source == aside.Source || kept.Target == aside.Target))
            throw new UsageException($"SOURCE and TARGET must not be called {Validation}.SIDE with --valid-every, which writes those, got {source} and {target}.");
        foreach (string path in (string[])[source, target])
        {
            if (!File.Exists(path))
                throw TextFile.NotThere(path);
        }

        if (File.Exists(folder))
            throw new UsageException($"--out must be a folder, {folder} is a file.");

        bool isNew = !Directory.Exists(folder);
        Directory.CreateDirectory(folder);
        (string Option, string?)[] written = [("--out", kept.Source), ("--out", kept.Target), ("--out", valid?.Source), ("--out", valid?.Target)];
        foreach (string read in (string[])[source, target])
        {
            foreach (var file in written)
                OutputFile.CheckApart([("SOURCE or TARGET", read), file]);
        }

        CorpusCleaningReport report;
        try
        {
            report = CorpusCleaning.Run(source, target, options, kept, valid, cancellation);
        }
        catch
        {
            if (isNew && !Directory.EnumerateFileSystemEntries(folder).Any())
                Directory.Delete(folder);
            throw;
        }

        TextTable.WriteFacts(terminal,
        [
            ("pairs", Number(report.Pairs)),
            ("left out", string.Create(CultureInfo.InvariantCulture, $"{report.Short:N0} with fewer than {options.LeastWords} words on a side, {report.Long:N0} with more than {options.MostWords}, {report.Unlike:N0} beyond 1:{options.Ratio}")),
            ("kept", $"{Number(report.Kept)} in {kept.Source} and {kept.Target}"),
            .. valid is { } files ? ((string, string)[])[("for validation", $"{Number(report.Aside)} in {files.Source} and {files.Target}")] : [],
        ]);
        return CommandLine.Success;
    }

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
