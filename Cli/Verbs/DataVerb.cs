using System.CommandLine;
using System.Globalization;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq data</c>: gets public data sets and looks at corpora.</summary>
internal sealed class DataVerb : Verb
{
    /// <summary>Where data sets go and are looked for when nothing else is said.</summary>
    private const string DefaultFolder = "data";

    public DataVerb()
        : base("data", "Get public data sets, make others, and find what is wrong with a corpus.")
    {
    }

    public override IReadOnlyList<Verb> Verbs => [new DataListVerb(), new DataGetVerb(), new DataMakeVerb(), new DataCheckVerb(), new DataCleanVerb()];

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq data list", "What can be had, how large it is, under which licence."),
        ("cudaseq data get multi30k", "What most recipes train on."),
        ("cudaseq data make noisy-runs", "A task that needs no download."),
        ("cudaseq data check data/multi30k", "Encoding, empty lines, duplicates, lengths, what training and test share."),
        ("cudaseq data clean train.de train.en --out clean", "Without what is empty, too long or too unlike in length."),
    ];

    public override string Notes => "docs/data.md has the details. Data sets go to the folder CUDASEQ_DATA, where recipes find them; where it is not set, to data in the current folder.";

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation) => throw new UsageException("a verb must be given.");

    /// <summary>The folder of data sets: the one given, else CUDASEQ_DATA, else data.</summary>
    public static string Folder(string? given, Terminal terminal)
        => given ?? (terminal.Variable("CUDASEQ_DATA") is { Length: > 0 } chosen ? chosen : DefaultFolder);

    /// <summary>Says with which variable recipes find a folder of data sets, where they do not yet.</summary>
    public static void WriteWhere(string folder, Terminal terminal)
    {
        string full = Path.GetFullPath(folder);
        if (terminal.Variable("CUDASEQ_DATA") is not { Length: > 0 } root || Path.GetFullPath(root) != full)
            terminal.Out.WriteLine($"recipes find it there with CUDASEQ_DATA={full}");
    }

    /// <summary>A number of bytes with its unit, in powers of a thousand: 63 kB, 1.8 MB.</summary>
    public static string Size(long bytes) => bytes switch
    {
        < 1_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes"),
        < 999_500 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:f0} kB"),
        < 999_500_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:f1} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:f1} GB"),
    };
}
