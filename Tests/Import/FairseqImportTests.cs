using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Checkpoints of fairseq as folders to translate with, and the way back.</summary>
public sealed class FairseqImportTests : IDisposable
{
    // Seven tokens beside the special ones: the eleven rows of the tiny models.
    private const string Dictionary = "a 9\nb 8\nc 7\nd 6\ne@@ 5\nf 4\nmadeupword0000 0\n";

    private static readonly ModelConfig[] ConvS2S =
    [
        TinyModels.ConvS2S with { TargetVocabulary = 11 },
        TinyModels.ConvS2S with { DecoderChannels = [8, 8], OutputWidth = 8, ShareEmbeddings = EmbeddingSharing.Decoder, TargetVocabulary = 11 },
    ];

    private readonly TemporaryFolder _folder = new();
    private readonly string _out;

    public FairseqImportTests()
    {
        _out = _folder.PathOf("out");
        _folder.File("dict.de.txt", Dictionary);
        _folder.File("dict.en.txt", Dictionary);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void EveryKindOfModelComesOver()
    {
        using var device = Device.Open("cpu");
        var codec = new TextCodec(new WordTokenizer(), FairseqDictionary.Load(_folder.PathOf("dict.de.txt")));
        foreach (var config in FairseqStates.Models.Concat(ConvS2S))
        {
            using var model = TinyModels.Create(config, device);
            var own = new Translator(model, codec, codec);
            foreach (bool present in (bool[])[false, true])
            {
                var (root, storages) = FairseqStates.Checkpoint(model, present);
                string output = _folder.PathOf($"{Guid.NewGuid():n}");
                var imported = FairseqImport.Write(new FairseqImportOptions { Model = _folder.File("model.pt", TorchFiles.Archive(root, storages)), Output = output });
                Assert.Equal(config, imported.Header.Config);
                Assert.Equal(model.ParameterCount, imported.Parameters);
                Assert.Equal(70_000, Checkpoint.ReadHeader(Path.Combine(output, "best.safetensors")).State.Update);
                using var translator = Translator.Load(output, device);
                Same(model, translator.Model);
                string[] lines = ["a b c", "e@@ f d unknown", "c"];
                Assert.Equal(own.Translate(lines).Select(t => t[0].Text), translator.Translate(lines).Select(t => t[0].Text));
            }
        }
    }

    [Fact]
    public void CheckpointsOf2019AndOfHalfPrecisionComeOver()
    {
        using var device = Device.Open("cpu");
        using var model = TinyModels.Create(TinyModels.Conv(Architecture.LightConv) with { EncoderGlu = true }, device);
        var (_, storages) = FairseqStates.Checkpoint(model, present: false);
        var state = FairseqStates.Of(model, present: false);
        var old = Py.OrderedDictionary([.. state.Select(s => ((object?)s.Name, (object?)TorchFiles.Tensor(s.Key, "FloatStorage", s.Values.Length, 0, [.. s.Sizes.Cast<object?>()], Strides(s.Sizes), old: true)))]);
        var args = Py.Namespace([.. FairseqStates.Arguments(model.Config)]);
        byte[] stream = TorchFiles.Stream(Py.Dictionary(("args", args), ("model", old)), storages.ToDictionary(s => s.Key, s => ((long)s.Value.Length / 4, s.Value)));
        FairseqImport.Write(new FairseqImportOptions { Model = _folder.File("old.pt", stream), Output = _folder.PathOf("old") });
        using (var translator = Translator.Load(_folder.PathOf("old"), device))
            Same(model, translator.Model);

        var half = Py.OrderedDictionary([.. state.Select(s => ((object?)s.Name, (object?)TorchFiles.Tensor(s.Key, "HalfStorage", s.Values.Length, 0, [.. s.Sizes.Cast<object?>()], Strides(s.Sizes))))]);
        var halves = state.DistinctBy(s => s.Key).ToDictionary(s => s.Key, s => (byte[])[.. s.Values.SelectMany(v => TorchFiles.U16(BitConverter.HalfToUInt16Bits((Half)v)))]);
        FairseqImport.Write(new FairseqImportOptions { Model = _folder.File("half.pt", TorchFiles.Archive(Py.Dictionary(("args", args), ("model", half)), halves)), Output = _folder.PathOf("half") });
        using (var translator = Translator.Load(_folder.PathOf("half"), device))
            Assert.All(model.NamedParameters().Zip(translator.Model.NamedParameters()), p => Assert.Equal(p.First.Tensor.ToArray().Select(v => (float)(Half)v), p.Second.Tensor.ToArray()));
    }

    [Fact]
    public void CodesCutAndJoinWords()
    {
        using var device = Device.Open("cpu");
        using var model = TinyModels.Create(TinyModels.Transformer, device);
        string codes = _folder.File("codes", "#version: 0.2\na b\n"), checkpoint = Write(model);
        FairseqImport.Write(new FairseqImportOptions { Model = checkpoint, Output = _out, Codes = codes });
        using var translator = Translator.Load(_out, device);
        Assert.Equal(["e@@", "f", "a"], translator.Source.Tokenizer.Encode("ef a"));
        Assert.Equal("ef", translator.Target.Decode([8, 9]));
        codes = _folder.File("fast", "a b</w> 100\n");
        Assert.Equal(
            $"{codes}: line 1 must be two symbols with one blank between them, got 'a b</w> 100'.",
            Assert.Throws<InvalidDataException>(() => FairseqImport.Write(new FairseqImportOptions { Model = checkpoint, Output = _folder.PathOf("fast-out"), Codes = codes })).Message);
    }

    [Fact]
    public void WhatIsExportedIsImportedAgain()
    {
        using var device = Device.Open("cpu");
        foreach (var config in FairseqStates.Models.Concat(ConvS2S))
        {
            using var model = TinyModels.Create(config, device);
            string run = _folder.PathOf($"{Guid.NewGuid():n}"), exported = _folder.PathOf($"{Guid.NewGuid():n}"), again = _folder.PathOf($"{Guid.NewGuid():n}");
            FairseqImport.Write(new FairseqImportOptions { Model = Write(model), Output = run });
            Directory.CreateDirectory(exported);
            string file = Path.Combine(exported, "model.safetensors"), json = Path.Combine(exported, "args.json");
            int tensors = FairseqExport.Write(new FairseqExportOptions { Model = run, Output = file, Config = json, Dictionaries = exported, SourceLanguage = "nl", TargetLanguage = "sv" });
            var state = FairseqStates.Of(model, present: true);
            using (var written = SafetensorsFile.Open(file))
            {
                // With what releases before 2023 want besides, of sinusoids.
                string[] old = config.HasLayers ? ["encoder.embed_positions._float_tensor", "decoder.embed_positions._float_tensor"] : [];
                Assert.Equal(state.Select(s => s.Name).Concat(old).Order(StringComparer.Ordinal), written.Names.Order(StringComparer.Ordinal));
                Assert.Equal(tensors, written.Names.Count);
                Assert.All(state, s => Assert.Equal(new Shape(s.Sizes), written.ShapeOf(s.Name)));
                Assert.All(state, s => Assert.Equal(s.Values, written.ReadFloats(s.Name)));
                Assert.Equal(File.ReadAllText(json).TrimEnd(), written.Metadata["fairseq.args"]);
            }

            foreach (string? arguments in (string?[])[null, json])
            {
                string output = $"{again}-{arguments is null}";
                var imported = FairseqImport.Write(new FairseqImportOptions { Model = file, Output = output, Config = arguments });
                Assert.Equal(config.HasLayers ? config : FairseqConvS2S.Spelled(config), imported.Header.Config);
                Assert.Equal(File.ReadAllBytes(Path.Combine(run, "source.vocabulary.txt")), File.ReadAllBytes(Path.Combine(output, "source.vocabulary.txt")));
                using var translator = Translator.Load(output, device);
                Same(model, translator.Model);
            }
        }
    }

    [Fact]
    public void ShapesThatAreNotTheModelsHaveALineEach()
    {
        using var device = Device.Open("cpu");
        using var model = TinyModels.Create(TinyModels.Conv(Architecture.LightConv), device);
        Refuses("model.pt: encoder_layers must be the layers that the file holds, 2, got 7.", ("encoder_layers", 7), ("encoder_kernel_size_list", Py.List(3)));
        Refuses("model.pt: decoder_layers must be the layers that the file holds, 2, got 2000000000.", ("decoder_layers", 2_000_000_000), ("decoder_kernel_size_list", Py.List(3)));
        Refuses(
            "model.pt: encoder.embed_tokens.weight is [11, 8], the model wants a width of 1024.",
            ("encoder_embed_dim", 1024), ("decoder_embed_dim", 1024), ("encoder_conv_dim", 1024), ("decoder_conv_dim", 1024));
        Refuses(
            """
            model.pt: encoder.layers.1.conv.weight is [2, 1, 5], the model wants [2, 7].
            model.pt: decoder.layers.0.conv.weight is [2, 1, 3], the model wants [2, 31].
            """,
            ("encoder_kernel_size_list", Py.List(3, 7)), ("decoder_kernel_size_list", Py.List(31, 4)));
        Refuses(
            """
            model.pt: encoder.layers.0.linear1.weight is [8, 8], the model wants [16, 8].
            model.pt: encoder.layers.0.linear1.bias is [8], the model wants [16].
            model.pt: encoder.layers.1.linear1.weight is [8, 8], the model wants [16, 8].
            model.pt: encoder.layers.1.linear1.bias is [8], the model wants [16].
            """,
            ("encoder_glu", true));
        Refuses("model.pt: attention_heads must divide model_width, got 3 and 8.", ("encoder_attention_heads", 3), ("decoder_attention_heads", 3));
        Refuses(
            """
            model.pt: encoder.layer_norm.weight is missing, the model wants [8].
            model.pt: encoder.layer_norm.bias is missing, the model wants [8].
            model.pt: decoder.layer_norm.weight is missing, the model wants [8].
            model.pt: decoder.layer_norm.bias is missing, the model wants [8].
            """,
            ("encoder_normalize_before", true), ("decoder_normalize_before", true));
        Refuses("model.pt: languages must be called by letters, digits, '-' and '_', got '../../etc/x' for source_lang.", ("source_lang", "../../etc/x"));
        Refuses("model.pt: must say its target language (target_lang), got none.", ("target_lang", null));
        Assert.False(Directory.Exists(_out));

        void Refuses(string message, params (object? Key, object? Value)[] changed)
            => Assert.Equal(message, Assert.Throws<InvalidDataException>(() => FairseqImport.Write(new FairseqImportOptions { Model = Write(model, changed), Output = _out })).Message);
    }

    [Fact]
    public void WhatIsNoNumberIsNotImported()
    {
        using var device = Device.Open("cpu");
        using var model = TinyModels.Create(TinyModels.Transformer, device);
        var weight = model.NamedParameters().Single(p => p.Name == "decoder.layers.1.fc2.weight").Tensor;
        float[] values = weight.ToArray();
        values[5] = float.NegativeInfinity;
        weight.CopyFrom(values);
        string checkpoint = Write(model);
        Assert.Equal(
            $"{Path.GetFileName(checkpoint)}: decoder.layers.1.fc2.weight must be finite numbers, got -Infinity at 5.",
            Assert.Throws<InvalidDataException>(() => FairseqImport.Write(new FairseqImportOptions { Model = checkpoint, Output = _out })).Message);
        Assert.False(Directory.Exists(_out));
    }

    [Fact]
    public void DictionariesMustBeTheModels()
    {
        using var device = Device.Open("cpu");
        using var model = TinyModels.Create(TinyModels.Transformer, device);
        var options = new FairseqImportOptions { Model = Write(model), Output = _out };
        string other = _folder.File("dict.fr.txt", "a 1\nb 1\n");
        Refuses($"{other}: must have 7 tokens, for the 11 rows of encoder.embed_tokens.weight, got 2.", options with { SourceLanguage = "fr" });
        Refuses($"{other}: must have 7 tokens, for the 11 rows of decoder.embed_tokens.weight, got 2.", options with { TargetLanguage = "fr" });
        other = _folder.File("dict.sv.txt", Dictionary.Replace("b 8", "g 8", StringComparison.Ordinal));
        Refuses($"{other}: must be the dictionary of {_folder.PathOf("dict.de.txt")}, as all embeddings are one table, got another.", options with { TargetLanguage = "sv" });
        Assert.Equal(
            $"{_folder.PathOf("dict.it.txt")}: there is no such file.",
            Assert.Throws<FileNotFoundException>(() => FairseqImport.Write(options with { SourceLanguage = "it" })).Message);
        Assert.False(Directory.Exists(_out));

        void Refuses(string message, FairseqImportOptions wrong) => Assert.Equal(message, Assert.Throws<InvalidDataException>(() => FairseqImport.Write(wrong)).Message);
    }

    [Fact]
    public void OtherFilesOfTorchSaveAreRefused()
    {
        Refuses("must be a checkpoint of fairseq, a dictionary with a model, got something else.", Py.List(1));
        Refuses("must be a checkpoint of fairseq, a dictionary with a model, got something else.", Py.Dictionary(("model", 3)));
        Refuses("model must hold tensors alone, got something else called a.", Py.Dictionary(("model", Py.OrderedDictionary(("a", 3)))));
        Refuses(
            "model must name its tensors in at most 100 characters, none of them a control character, got a?[31mb.", Py.Dictionary(("model", Py.OrderedDictionary(("a\e[31mb", FairseqStates.Tensor("0", 1))))));
        Refuses(
            "a: must have at most 6 axes and 2147483591 elements, got [1, 1, 1, 1, 1, 1, 1].",
            Py.Dictionary(("model", Py.OrderedDictionary(("a", FairseqStates.Tensor("0", 1, 1, 1, 1, 1, 1, 1))))));
        Refuses(
            "the pickle names fairseq.models.lightconv.LightConvModel, which is none of the classes that are read; nothing of a checkpoint is run.",
            Py.Dictionary(("model", new Py.Call(new Py.Global("fairseq.models.lightconv", "LightConvModel"), [], New: true))));

        void Refuses(string message, object root)
        {
            string path = _folder.File("model.pt", TorchFiles.Archive(root, new Dictionary<string, byte[]>()));
            Assert.Equal($"{path}: {message}", Assert.Throws<InvalidDataException>(() => FairseqImport.Write(new FairseqImportOptions { Model = path, Output = _out })).Message);
        }
    }

    [Fact]
    public void NamesOfMillionsOfLayersMakeNone()
    {
        var names = Enumerable.Range(0, 1001).Select(i => ((object?)$"encoder.layers.{i}.x", (object?)FairseqStates.Tensor("0", 1))).Append(("decoder.layers.0.x", FairseqStates.Tensor("0", 1)));
        var root = Py.Dictionary(("args", Py.Namespace(("arch", "transformer"), ("encoder_layers", 1001), ("decoder_layers", 1))), ("model", Py.OrderedDictionary([.. names])));
        string path = _folder.File("model.pt", TorchFiles.Archive(root, new Dictionary<string, byte[]> { ["0"] = new byte[4] }));
        Assert.Equal(
            "model.pt: encoder_layers must be at most 1000, got 1001.",
            Assert.Throws<InvalidDataException>(() => FairseqImport.Write(new FairseqImportOptions { Model = path, Output = _out })).Message);
    }

    // Every parameter a view of one table's elements: a small file would become a model of any size.
    [Fact]
    public void AModelLargerThanItsFileIsRefused()
    {
        using var device = Device.Open("cpu");
        var config = TinyModels.Transformer with { EncoderLayers = 40, DecoderLayers = 40, FeedForwardWidth = 64 };
        using var model = TinyModels.Create(config, device);
        var state = FairseqStates.Of(model, present: true);
        var parameters = Py.OrderedDictionary([.. state.Select(s => ((object?)s.Name, (object?)TorchFiles.Tensor("0", "HalfStorage", 512, 0, [.. s.Sizes.Cast<object?>()], Strides(s.Sizes))))]);
        var root = Py.Dictionary(("args", Py.Namespace([.. FairseqStates.Arguments(config)])), ("model", parameters));
        byte[] bytes = TorchFiles.Archive(root, new Dictionary<string, byte[]> { ["0"] = new byte[1024] });
        Assert.Equal(
            $"model.pt: {model.ParameterCount} parameters must be in the file, each for itself, got {bytes.Length} bytes.",
            Assert.Throws<InvalidDataException>(() => FairseqImport.Write(new FairseqImportOptions { Model = _folder.File("model.pt", bytes), Output = _out })).Message);
    }

    private static object?[] Strides(int[] sizes) => [.. sizes.Select((_, axis) => (object?)sizes.Skip(axis + 1).Aggregate(1L, (product, s) => product * s))];

    private static void Same(Seq2SeqModel a, Seq2SeqModel b)
        => Assert.All(a.NamedParameters().Zip(b.NamedParameters()), p => Assert.Equal(p.First.Tensor.ToArray(), p.Second.Tensor.ToArray()));

    private string Write(Seq2SeqModel model, params (object? Key, object? Value)[] changed)
    {
        var (root, storages) = FairseqStates.Checkpoint(model, present: false, changed);
        return _folder.File("model.pt", TorchFiles.Archive(root, storages));
    }
}
