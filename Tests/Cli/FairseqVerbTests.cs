using CudaSeq.Kernels;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>The verbs import and export, from a checkpoint to a translation and back.</summary>
public sealed class FairseqVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _checkpoint;
    private readonly string _run;

    public FairseqVerbTests()
    {
        using var device = Device.Open("cpu");
        using var model = TinyModels.Create(TinyModels.Conv(Architecture.DynamicConv), device);
        var (root, storages) = FairseqStates.Checkpoint(model, present: true);
        _checkpoint = _folder.File("model.pt", TorchFiles.Archive(root, storages));
        _folder.File("dict.de.txt", "a 9\nb 8\nc 7\nd 6\ne@@ 5\nf 4\nmadeupword0000 0\n");
        _folder.File("dict.en.txt", "a 9\nb 8\nc 7\nd 6\ne@@ 5\nf 4\nmadeupword0000 0\n");
        _run = _folder.PathOf("run");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ImportsTranslatesEvaluatesAndExports()
    {
        var import = Tool.Run("import", "fairseq", _checkpoint, "--out", _run);
        Assert.Equal((0, ""), (import.ExitCode, import.Error));
        Assert.Equal(
            $"dynamicconv (lightconv of fairseq) of 2,488 parameters, 11 source and 11 target tokens, in {Path.Combine(_run, "best.safetensors")}\ntranslate with it: cudaseq translate --model {_run}\n", import.Out);
        var translated = Tool.Run(["translate", "--model", _run, "--max-length-b", "4"], "a b\n\nc d\n");
        Assert.Equal((0, ""), (translated.ExitCode, translated.Error));
        Assert.Equal(4, translated.Out.Split('\n').Length);
        string reference = _folder.File("reference", "b a\nd\n");
        var evaluated = Tool.Run(["evaluate", "--model", _run, "--reference", reference, "--json"], "a b\nc d\n");
        Assert.Equal((0, ""), (evaluated.ExitCode, evaluated.Error));
        Assert.Contains("\"tokens\": 5", evaluated.Out);
        Assert.Matches("update +70,000\n", Tool.Run("info", _run).Out);

        string file = _folder.PathOf("exported.safetensors"), arguments = _folder.PathOf("args.json"), again = _folder.PathOf("again");
        var export = Tool.Run("export", "fairseq", "--model", _run, "--out", file, "--config", arguments, "--dictionaries", _folder.PathOf("dicts"), "--source-lang", "de", "--target-lang", "en");
        Assert.Equal((0, "", $"83 tensors in {file}\n"), (export.ExitCode, export.Error, export.Out));
        Assert.Equal(0, Tool.Run("import", "fairseq", file, "--out", again, "--config", arguments, "--dictionaries", _folder.PathOf("dicts")).ExitCode);
        Assert.Equal(translated.Out, Tool.Run(["translate", "--model", again, "--max-length-b", "4"], "a b\n\nc d\n").Out);
    }

    [Fact]
    public void Refusals()
    {
        Refuses(2, "cudaseq import: a verb must be given.\n", "import");
        Refuses(2, "cudaseq import fairseq: MODEL must be given; cudaseq import fairseq --help shows how.\n", "import", "fairseq", "--out", _run);
        Refuses(2, "cudaseq import fairseq: --out DIR must be given; cudaseq import fairseq --help shows how.\n", "import", "fairseq", _checkpoint);
        Refuses(1, $"cudaseq: {_folder.PathOf("none.pt")}: there is no such file.\n", "import", "fairseq", _folder.PathOf("none.pt"), "--out", _run);
        Refuses(1, $"cudaseq: {_folder.PathOf("none/dict.de.txt")}: there is no such file.\n", "import", "fairseq", _checkpoint, "--out", _run, "--dictionaries", _folder.PathOf("none"));
        string config = _folder.File("args.json", """{"encoder_learned_pos": true}""");
        Refuses(1, "cudaseq: model.pt: encoder_learned_pos must be false (positions are sinusoids), got true.\n", "import", "fairseq", _checkpoint, "--out", _run, "--config", config);
        Assert.False(Directory.Exists(_run));
        Assert.Equal(0, Tool.Run("import", "fairseq", _checkpoint, "--out", _run).ExitCode);
        Refuses(2, $"cudaseq import fairseq: --out must be a folder without a model, {_run} holds one.\n", "import", "fairseq", _checkpoint, "--out", _run);

        Refuses(2, "cudaseq export: a verb must be given.\n", "export");
        Refuses(1, $"cudaseq: {_folder.PathOf("none")}: there is no such folder.\n", "export", "fairseq", "--model", _folder.PathOf("none"), "--out", _folder.PathOf("x"));
        string best = Path.Combine(_run, "best.safetensors");
        Refuses(2, $"cudaseq export fairseq: --out must not be a file that a run is made of, got {best}.\n", "export", "fairseq", "--model", _run, "--out", best);
        Refuses(2, $"cudaseq export fairseq: --config must be another file than --out, got {_folder.PathOf("x")} for both.\n", "export", "fairseq", "--model", _run, "--out", _folder.PathOf("x"), "--config", _folder.PathOf("x"));
        Refuses(
            1, "cudaseq: languages must differ, for the names of their dictionaries, got en for both.\n", "export", "fairseq", "--model", _run, "--out", _folder.PathOf("x"), "--source-lang", "en", "--target-lang", "en");
        Refuses(1, "cudaseq: languages must be called by letters, digits, '-' and '_', got '../en'.\n", "export", "fairseq", "--model", _run, "--out", _folder.PathOf("x"), "--source-lang", "../en");
        Assert.False(File.Exists(_folder.PathOf("x")));
    }

    [Fact]
    public void ModelsThatFairseqHasNotAreNotExported()
    {
        using var device = Device.Open("cpu");
        var config = TinyModels.Conv(Architecture.LightConv) with { EncoderKernelWidths = [4] };
        Save(config);
        Refuses(1, $"cudaseq: {_run}: encoder_kernel_widths must be odd, fairseq centres no others, got [4].\n", "export", "fairseq", "--model", _run, "--out", _folder.PathOf("x"));
        Not("decoder_path", TinyModels.Transformer with { DecoderPath = [1, 2, 1] });
        Not("encoder_layer_drop", TinyModels.Conv(Architecture.DynamicConv) with { EncoderLayerDrop = 0.1f });
        Not("adaptive_depth", TinyModels.Transformer with { AdaptiveDepth = AdaptiveDepth.Aligned });
        Not("surface_fusion", SurfaceFusion2021.Hard(TinyModels.Transformer));
        Not("conv_normalization", TinyModels.Conv(Architecture.DynamicConv) with { ConvNormalization = TapNormalization.L2 });
        Not("conv_heads", TinyModels.Conv(Architecture.DynamicConv) with { ConvHeads = 1 });
        Not("attention_windows", TinyModels.Transformer with { AttentionWindows = [3] });
        Not("architecture", TinyModels.Conv(Architecture.Cnn) with { EncoderKernelWidths = [3] });
        Not("decoder_final_norm", TinyModels.Conv(Architecture.DynamicConv) with { PreNorm = true, DecoderFinalNorm = false });
        Assert.Equal(13, FairseqStates.Models.Count());
        Assert.All(TinyModels.All.Except(FairseqStates.Models), c =>
        {
            Save(c);
            Assert.StartsWith($"cudaseq: {_run}: must be a model that fairseq has, whose arguments do not say ", Tool.Run("export", "fairseq", "--model", _run, "--out", _folder.PathOf("x")).Error);
        });
        Assert.False(File.Exists(_folder.PathOf("x")));
        Save(TinyModels.Transformer.AsLanguageModel());
        Refuses(1, $"cudaseq: {_run}: must hold a model that translates, it holds a language model.\n", "export", "fairseq", "--model", _run, "--out", _folder.PathOf("x"));

        Save(TinyModels.Lstm);
        Refuses(1, $"cudaseq: {_run}: must be a transformer, convs2s or of lightweight or dynamic convolutions to be exported, got lstm.\n", "export", "fairseq", "--model", _run, "--out", _folder.PathOf("x"));

        void Not(string key, ModelConfig saved)
        {
            Save(saved);
            Refuses(1, $"cudaseq: {_run}: must be a model that fairseq has, whose arguments do not say {key}.\n", "export", "fairseq", "--model", _run, "--out", _folder.PathOf("x"));
        }

        void Save(ModelConfig saved)
        {
            var codec = new TextCodec(new WordTokenizer(), FairseqDictionary.Load(_folder.PathOf("dict.de.txt")));
            new RunDirectory(_run).SaveCodecs(codec, codec);
            using AutoregressiveModel model = saved.IsLanguageModel ? TinyModels.CreateLanguageModel(saved, device) : TinyModels.Create(saved, device);
            var header = new CheckpointHeader { Config = saved, SourceVocabulary = codec.Vocabulary.Hash, TargetVocabulary = codec.Vocabulary.Hash, State = new TrainingState() };
            Checkpoint.Save(new RunDirectory(_run).Best, header, model, optimizer: null);
        }
    }

    private static void Refuses(int code, string message, params string[] arguments)
    {
        var run = Tool.Run(arguments);
        Assert.Equal(message, run.Error);
        Assert.Equal(code, run.ExitCode);
    }
}
