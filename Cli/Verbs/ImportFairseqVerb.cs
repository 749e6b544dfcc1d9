using System.CommandLine;
using System.Globalization;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq import fairseq</c>: a folder to translate with of a model that fairseq trained.</summary>
internal sealed class ImportFairseqVerb : Verb
{
    private readonly Argument<string> _checkpoint = Required("MODEL", "A checkpoint of fairseq (PyTorch 0.2 or later), or a .safetensors file of its parameters.");
    private readonly Option<string> _out = Text("--out", "DIR", "The folder to make, for cudaseq translate --model DIR.", required: true);
    private readonly Option<string> _dictionaries = Text("--dictionaries", "DIR", "The folder of dict.LANGUAGE.txt (default: that of MODEL).");
    private readonly Option<string> _source = Text("--source-lang", "NAME", "The source language, which names its dictionary (default: as MODEL says).");
    private readonly Option<string> _target = Text("--target-lang", "NAME", "The target language (default: as MODEL says).");
    private readonly Option<string> _codes = Text("--codes", "FILE", "Codes of subword-nmt that cut the words of both languages (default: text comes cut, and is words between blanks).");
    private readonly Option<string> _sentencePiece = Text("--sentencepiece-model", "FILE", "A .model file of SentencePiece that cuts the text of both languages.");
    private readonly Option<string> _config = Text("--config", "FILE", "A JSON object of fairseq's arguments, which take the place of those in MODEL.");

    public ImportFairseqVerb()
        : base("fairseq", "Import a Transformer, LightConv, DynamicConv or ConvS2S model of fairseq.", "import")
    {
        Add(_checkpoint);
        foreach (var option in (Option[])[_out, _dictionaries, _source, _target, _codes, _sentencePiece, _config])
            Add(option);
    }

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq import fairseq downloads/wmt16.en-de/model.pt --out runs/wmt16", "With the dictionaries beside it; text is cut into subwords before."),
        ("cudaseq import fairseq checkpoint_best.pt --dictionaries data-bin/iwslt --codes code --out runs/iwslt", "Words are cut, and joined again, by the model's own codes."),
        ("cudaseq import fairseq model.safetensors --config args.json --source-lang de --target-lang en --out runs/iwslt", "Parameters without the checkpoint around them."),
        ("cudaseq translate --model runs/wmt16 --input test.bpe.en --output test.bpe.de", "Translates with it."),
    ];

    public override string Notes => "A checkpoint is read as data, and nothing that it holds is run: classes that are none of PyTorch's and fairseq's own are refused. Optimisers are not imported; a recipe's training.initialize_from begins a run with the parameters.";

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        var output = new RunDirectory(arguments.GetRequiredValue(_out));
        if (File.Exists(output.Best) || File.Exists(output.Last))
            throw new UsageException($"--out must be a folder without a model, {output.Path} holds one.");
        if (arguments.GetValue(_codes) is not null && arguments.GetValue(_sentencePiece) is not null)
            throw new UsageException("--codes and --sentencepiece-model must not be given both.");
        var imported = FairseqImport.Write(
            new FairseqImportOptions
            {
                Model = arguments.GetRequiredValue(_checkpoint),
                Output = output.Path,
                Dictionaries = arguments.GetValue(_dictionaries),
                SourceLanguage = arguments.GetValue(_source),
                TargetLanguage = arguments.GetValue(_target),
                Codes = arguments.GetValue(_codes),
                SentencePieceModel = arguments.GetValue(_sentencePiece),
                Config = arguments.GetValue(_config),
            },
            cancellation);
        var config = imported.Header.Config;
        string sizes = $"{Number(imported.Parameters)} parameters, {Number(config.SourceVocabulary)} source and {Number(config.TargetVocabulary)} target tokens";
        string name = Devices.NameOf(config.Architecture);
        terminal.Out.WriteLine($"{(name == imported.Architecture ? name : $"{name} ({imported.Architecture} of fairseq)")} of {sizes}, in {output.Best}");
        terminal.Out.WriteLine($"translate with it: cudaseq translate --model {Quoted(output.Path)}");
        return CommandLine.Success;
    }

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
