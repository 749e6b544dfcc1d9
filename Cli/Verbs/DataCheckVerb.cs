using System.CommandLine;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq data check</c>: what is wrong with a corpus.</summary>
internal sealed class DataCheckVerb : Verb
{
    private readonly Argument<string[]> _paths = new("PATH...")
    {
        Description = "A folder of texts; or two files whose lines belong together; or one file.",
        Arity = new ArgumentArity(0, 2),
    };

    private readonly Option<string> _recipe = Text("--recipe", "FILE", "Check the files of a recipe instead.");
    private readonly Option<string> _data = Text("--data", "DIR", "The folder that the recipe's files are in (default: the recipe's data.folder below CUDASEQ_DATA).");
    private readonly Option<string[]> _sides = Texts("--sides", "SIDE", "In a folder, the two sides that are a pair where there are more: --sides src ref0.");
    private readonly Option<double?> _ratio = Number("--ratio", "X", "Tell pairs one side of which has more than X times the words or characters of the other (default: 3).");
    private readonly Option<long?> _longLine = Whole("--long", "N", "Tell lines of more than N characters (default: 1000).", 1);
    private readonly Option<long?> _examples = Whole("--examples", "N", "Name the first N lines of each finding (default: 3).", 0);
    private readonly Option<bool> _json = Flag("--json", "Write JSON (keys: docs/data.md).");

    public DataCheckVerb()
        : base("check", "Find what is wrong with a corpus.", "data")
    {
        Add(_paths);
        foreach (var option in (Option[])[_recipe, _data, _sides, _ratio, _longLine, _examples, _json])
            Add(option);
    }

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq data check data/multi30k", "Every text of a folder, every pair, and what the splits share."),
        ("cudaseq data check train.en train.de --ratio 9", "One pair of files."),
        ("cudaseq data check --recipe recipes/multi30k-tok-transformer.json --json", "What a recipe trains and tests on, for a program to read."),
    ];

    public override string Notes =>
        "Encoding, line ends, control and invisible characters, empty, long and repeated lines; in pairs different numbers of lines, unlike lengths, equal sides; between splits the lines that both have. "
        + "In a folder, train.en and train.de are a pair, so are src.train and tgt.train; a name that begins with train, with valid, val or dev, or with test is that split, and val.tok.en is compared with train.tok.en. "
        + "Findings are no failure: the exit code is 1 only when a file cannot be read.";

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        string[] paths = arguments.GetValue(_paths) ?? [], sides = arguments.GetValue(_sides) ?? [];
        string? recipe = arguments.GetValue(_recipe);
        double ratio = arguments.GetValue(_ratio) ?? new CorpusCheckOptions().Ratio;
        if (ratio < 1)
            throw new UsageException(FormattableString.Invariant($"--ratio must be at least 1, got {ratio}."));
        if (sides.Length is not (0 or 2) || (sides.Length == 2 && sides[0] == sides[1]))
            throw new UsageException($"--sides must name two sides, got {string.Join(' ', sides)}.");
        if (recipe is null == (paths.Length == 0))
            throw new UsageException(recipe is null ? "PATH... or --recipe FILE must be given; cudaseq data check --help shows how." : "PATH... and --recipe FILE exclude each other.");
        if (recipe is null && arguments.GetValue(_data) is not null)
            throw new UsageException("--data is for --recipe.");
        bool folder = paths.Length == 1 && Directory.Exists(paths[0]);
        if (sides.Length > 0 && !folder)
            throw new UsageException("--sides is for a folder.");
        string root = folder ? paths[0] : "";
        var content = recipe is not null ? new([.. OfRecipe(recipe, arguments.GetValue(_data), terminal, out root)], [], [])
            : folder ? CorpusFolder.Find(paths[0], sides.Length == 2 ? (sides[0], sides[1]) : null)
            : new([OfFiles(paths)], [], []);
        if (content.Parts.Count == 0)
            throw new InvalidDataException($"{paths[0]}: must hold at least one text, holds none.");
        if (sides.Length == 2 && !content.Parts.Any(p => p.Target is not null && p.Name.EndsWith($" {sides[0]}-{sides[1]}", StringComparison.Ordinal)))
            throw new UsageException($"--sides must be in the names of two files of {paths[0]} that are otherwise the same, {sides[0]} and {sides[1]} are in none.");
        var options = new CorpusCheckOptions
        {
            Ratio = ratio,
            LongLine = (int)(arguments.GetValue(_longLine) ?? new CorpusCheckOptions().LongLine),
            Examples = (int)(arguments.GetValue(_examples) ?? new CorpusCheckOptions().Examples),
        };
        var report = CorpusCheck.Run(content.Parts, options, cancellation: cancellation);
        if (arguments.GetValue(_json))
            CorpusReportText.WriteJson(terminal, report, content);
        else
            CorpusReportText.Write(terminal, report, content, options, root);
        return CommandLine.Success;
    }

    private static CorpusToCheck OfFiles(string[] paths)
    {
        foreach (string path in paths)
        {
            if (!File.Exists(path))
                throw new FileNotFoundException(Directory.Exists(path) ? $"{path}: must be a file, is a folder." : $"{path}: there is no such file{(paths.Length == 1 ? " or folder" : "")}.");
        }

        return paths.Length == 1 ? new(paths[0], CorpusSplit.Other, "", paths[0]) : new($"{paths[0]} + {paths[1]}", CorpusSplit.Other, "", paths[0], paths[1]);
    }

    private static CorpusToCheck[] OfRecipe(string path, string? data, Terminal terminal, out string folder)
    {
        var recipe = Recipe.Load(path);
        string root = folder = TrainVerb.DataFolder(recipe, data, terminal);
        return
        [
            .. (recipe.Data.Train?.AsEnumerable() ?? []).Select((corpus, i) => Of(i == 0 ? "train" : $"train-{i + 1}", CorpusSplit.Train, corpus.Files)),
            .. from split in new[] { ("valid", CorpusSplit.Valid, recipe.Data.Valid), ("test", CorpusSplit.Test, recipe.Data.Test) }
               where split.Item3 is not null
               select Of(split.Item1, split.Item2, split.Item3),
        ];

        CorpusToCheck Of(string name, CorpusSplit split, CorpusFiles files)
        {
            string[] paths = [.. files.Names.Select(f => Path.Combine(root, f))];
            return new CorpusToCheck(name, split, "", paths[0], paths.Length == 1 ? null : paths[1]);
        }
    }
}
