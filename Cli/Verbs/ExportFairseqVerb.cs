using System.CommandLine;
using System.Globalization;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq export fairseq</c>: a model's parameters under fairseq's names.</summary>
internal sealed class ExportFairseqVerb : Verb
{
    private readonly Option<string> _model = Text("--model", "DIR", "The run's folder that cudaseq train wrote.", required: true);
    private readonly Option<string> _out = Text("--out", "FILE", "The safetensors file to write.", required: true);
    private readonly Option<string> _config = Text("--config", "FILE", "Also write fairseq's arguments, as JSON; the metadata of the parameters has them too.");
    private readonly Option<string> _dictionaries = Text("--dictionaries", "DIR", "Also write dict.LANGUAGE.txt of both languages there.");
    private readonly Option<string> _source = Text("--source-lang", "NAME", "The source language (default: source).");
    private readonly Option<string> _target = Text("--target-lang", "NAME", "The target language (default: target).");

    public ExportFairseqVerb()
        : base("fairseq", "Write a model that translates with fairseq's names.", "export")
    {
        foreach (var option in (Option[])[_model, _out, _config, _dictionaries, _source, _target])
            Add(option);
    }

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq export fairseq --model runs/multi30k-dynamicconv --out model.safetensors", "The best checkpoint's parameters."),
        ("cudaseq export fairseq --model runs/captions --out en-de/model.safetensors --dictionaries en-de --source-lang en --target-lang de", "With the dictionaries."),
        ("cudaseq import fairseq en-de/model.safetensors --out runs/again", "The way back."),
    ];

    public override string Notes => "The file holds what load_state_dict of fairseq's model takes; docs/fairseq.md has the lines of Python. Optimisers are not written.";

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        string model = arguments.GetRequiredValue(_model), output = arguments.GetRequiredValue(_out);
        string? config = arguments.GetValue(_config);
        if (!Directory.Exists(model))
            throw new DirectoryNotFoundException($"{model}: there is no such folder.");
        OutputFile.CheckApart([("--out", output), ("--config", config)]);
        OutputFile.CheckNoRun("--out", output);
        OutputFile.CheckNoRun("--config", config);
        var options = new FairseqExportOptions { Model = model, Output = output, Config = config, Dictionaries = arguments.GetValue(_dictionaries) };
        int tensors = FairseqExport.Write(
            options with { SourceLanguage = arguments.GetValue(_source) ?? options.SourceLanguage, TargetLanguage = arguments.GetValue(_target) ?? options.TargetLanguage },
            cancellation);
        terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{tensors} tensors in {output}"));
        return CommandLine.Success;
    }
}
