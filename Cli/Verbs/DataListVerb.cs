using System.CommandLine;
using System.Globalization;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq data list</c>: the data sets that can be had.</summary>
internal sealed class DataListVerb : Verb
{
    private readonly Option<string> _folder = Text("--folder", "DIR", "The folder of data sets to look into (default: CUDASEQ_DATA, else data).");

    public DataListVerb()
        : base("list", "List the data sets that cudaseq data get knows.", "data")
        => Add(_folder);

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq data list", "Names, sizes, licences, and which are there."),
    ];

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        string folder = DataVerb.Folder(arguments.GetValue(_folder), terminal);
        int names = DataSets.All.Max(s => s.Name.Length);
        foreach (var set in DataSets.All)
        {
            string state = set.StateIn(folder) switch
            {
                DataSetState.Whole => $"in {folder}",
                DataSetState.Part => $"partly in {folder}",
                _ => "",
            };
            string files = string.Create(CultureInfo.InvariantCulture, $"{set.Files.Count} {(set.Files.Count == 1 ? "file" : "files")}");
            terminal.Out.WriteLine($"{terminal.Bold(set.Name.PadRight(names))}  {files,8}  {DataVerb.Size(set.Bytes),8}  {state}".TrimEnd());
            foreach (string line in Help.Wrap(set.What, 76).Append($"licence: {set.Licence}").Append(set.Page))
                terminal.Out.WriteLine($"    {line}");
        }

        return CommandLine.Success;
    }
}
