using System.CommandLine;
using System.Globalization;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq data make</c>: writes the texts of a task that is drawn by chance.</summary>
internal sealed class DataMakeVerb : Verb
{
    private const int ExampleLetters = 30;

    private readonly Argument<string> _name = Required("NAME", $"The task: {string.Join(" or ", SyntheticCorpora.All.Select(c => c.Name))}.");
    private readonly Option<string> _folder = Text("--folder", "DIR", "The folder of data sets, to whose sub-folder NAME the files go (default: CUDASEQ_DATA, else data).");
    private readonly Option<long?> _train = Whole("--train", "N", $"Pairs to train on (default: {string.Join(", ", SyntheticCorpora.All.Select(c => $"{c.TrainPairs} of {c.Name}"))}).", 1);
    private readonly Option<long?> _valid = Whole("--valid", "N", $"Pairs to validate with (default: {SyntheticCorpora.ValidPairs}).", 0);
    private readonly Option<long?> _test = Whole("--test", "N", $"Pairs to test with (default: {SyntheticCorpora.TestPairs}).", 0);
    private readonly Option<long?> _seed = Whole("--seed", "N", "What chance begins with: the same seed gives the same texts (default: 1).", 0);

    public DataMakeVerb()
        : base("make", "Make the texts of a task that needs no download.", "data")
    {
        Add(_name);
        foreach (var option in (Option[])[_folder, _train, _valid, _test, _seed])
            Add(option);
    }

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq data make noisy-runs", "What recipes/noisy-runs.json trains on."),
        ("cudaseq data make numbers --train 50000 --folder /data", "Numbers in digits and in English words."),
    ];

    public override string Notes
        => "Writes train.source, train.target and the same of valid and test, a line a sample, pieces with blanks between them. "
        + string.Join(" ", SyntheticCorpora.All.Select(c => $"{c.Name}: {c.What}.")) + " Files that are there and the same are left alone, others are never written over.";

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        string name = arguments.GetRequiredValue(_name);
        var corpus = SyntheticCorpora.All.FirstOrDefault(c => c.Name == name) ?? throw new UsageException(
            $"unknown task {name}{(NearestName.Of(name, SyntheticCorpora.All.Select(c => c.Name)) is { } near ? $", did you mean {near}?" : $"; the tasks are {string.Join(", ", SyntheticCorpora.All.Select(c => c.Name))}.")}");
        string root = DataVerb.Folder(arguments.GetValue(_folder), terminal), folder = Path.Combine(root, name);
        int train = Pairs(_train, corpus.TrainPairs, corpus.MostTrainPairs), valid = Pairs(_valid, SyntheticCorpora.ValidPairs, corpus.MostHeldOutPairs), test = Pairs(_test, SyntheticCorpora.TestPairs, corpus.MostHeldOutPairs);
        var splits = corpus.Generate(arguments.GetValue(_seed) is { } seed ? (ulong)seed : SyntheticCorpora.Seed, train, test, valid, cancellation);
        int written = SyntheticCorpora.Write(splits, folder, cancellation);
        terminal.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{splits.Train.Count:N0} pairs to train on, {splits.Valid.Count:N0} to validate with, {splits.Test.Count:N0} to test with, {(written == 0 ? "there already" : "written")}, in {folder}"));
        terminal.Out.WriteLine($"for example {Beginning(splits.Train[0].Source)} = {Beginning(splits.Train[0].Target)}");
        DataVerb.WriteWhere(root, terminal);
        return CommandLine.Success;

        int Pairs(Option<long?> option, int usual, int most) => arguments.GetValue(option) is not { } given ? usual
            : given <= most ? (int)given : throw new UsageException($"{option.Name} must be at most {most} for {name}, got {given}.");
    }

    // A line of the terminal holds a source and a target.
    private static string Beginning(string text) => text.Length <= ExampleLetters ? text : $"{text[..ExampleLetters]}...";
}
