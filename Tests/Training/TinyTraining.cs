using System.Text.Json.Nodes;
using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Runs of models so small that a test can make several: they learn to reverse lines of eight words.</summary>
internal static class TinyTraining
{
    public static IEnumerable<JsonObject> Events(RunDirectory directory, string kind) => TrainingLog.Read(directory.Log).Where(e => (string?)e["event"] == kind);

    public static TrainingResult Train(Architecture architecture, RunDirectory? directory, int updates, bool resume = false, int threads = 2)
        => Train(architecture, directory, Options(updates), resume, threads);

    /// <summary>Without a folder: what is learned.</summary>
    public static TrainingResult Train(ModelConfig config, TrainerOptions options)
    {
        using var device = new CpuDevice(1);
        var (model, data, random) = Setup(config, device);
        using var _ = model;
        using var trainer = new Trainer(model, data, options, random);
        return trainer.Run();
    }

    // With stopAt the run is interrupted after that update, and goes on from where it was if there is something to go on from.
    public static TrainingResult Train(
        Architecture architecture, RunDirectory? directory, TrainerOptions options, bool resume = false, int threads = 2, long stopAt = long.MaxValue)
        => Train(Of(architecture), directory, options, resume, threads, stopAt);

    public static TrainingResult Train(
        ModelConfig config, RunDirectory? directory, TrainerOptions options, bool resume = false, int threads = 2, long stopAt = long.MaxValue)
    {
        using var interruption = new CancellationTokenSource();
        using var device = new CpuDevice(threads);
        var (model, data, random) = Setup(config, device);
        using var _ = model;
        using var trainer = new Trainer(model, data, options, random, directory);
        if (resume || (stopAt < long.MaxValue && File.Exists(directory!.Last)))
            trainer.Resume();
        var sink = new Sink(p =>
        {
            if (p.Update >= stopAt)
                interruption.Cancel();
        });
        return trainer.Run(sink, interruption.Token);
    }

    public static TrainerOptions Options(int updates) => new()
    {
        BatchTokens = 200,
        MaxUpdates = updates,
        Schedule = new InverseSquareRootSchedule(5e-3f, 30),
        ReportEvery = TimeSpan.Zero,
        ValidateEvery = 7,
        ClipNorm = 1,
        ValidationDecoding = new DecodingOptions { Beam = 1, MaxLengthB = 10 },
    };

    public static (Seq2SeqModel Model, TrainingData Data, RandomSource Random) Setup(Architecture architecture, Device device) => Setup(Of(architecture), device);

    public static (Seq2SeqModel Model, TrainingData Data, RandomSource Random) Setup(ModelConfig config, Device device)
    {
        string[] words = ["one", "two", "three", "four", "five", "six", "seven", "eight"];
        var tokenizer = new WordTokenizer();
        var codec = new TextCodec(tokenizer, Vocabulary.Build(tokenizer, [string.Join(' ', words)]));
        var pick = new Random(7);
        (string, string)[] lines =
        [
            .. Enumerable.Range(0, 400).Select(_ =>
            {
                string[] line = [.. Enumerable.Range(0, 2 + pick.Next(4)).Select(_ => words[pick.Next(words.Length)])];
                return (string.Join(' ', line), string.Join(' ', line.Reverse()));
            }),
        ];
        var valid = Corpus.Encode(lines[..20], codec, codec);
        var data = new TrainingData
        {
            Source = codec,
            Target = codec,
            Train = Corpus.Encode(lines[20..], codec, codec),
            Valid = valid,
            ValidReferences = [.. lines[..20].Select(l => l.Item2)],
        };
        config = config with { SourceVocabulary = codec.Vocabulary.Count, TargetVocabulary = codec.Vocabulary.Count };
        var random = new RandomSource(3);
        return (SequenceModel.Create(config, device, random), data, random);
    }

    /// <summary>What stands on roads of its own through training: those that are no stacks of layers, and what layers can be given, by name.</summary>
    public static IReadOnlyDictionary<string, ModelConfig> Kinds { get; } = new Dictionary<string, ModelConfig>
    {
        ["lstm"] = Of(Architecture.Lstm),
        ["rnnsearch"] = Of(Architecture.RnnSearch),
        ["convs2s"] = Of(Architecture.ConvS2S),
        ["cnn"] = Of(Architecture.Cnn),
        ["halting"] = UniversalTransformer2018.Halted(Of(Architecture.Transformer) with { StepSignal = StepSignal.Learned, EncoderPath = [1, 2, 1], DecoderPath = [2, 1, 2] }, weight: 0.3f),
        ["LayerDrop and windows"] = Of(Architecture.Transformer) with { EncoderLayerDrop = 0.3f, DecoderLayerDrop = 0.3f, AttentionWindows = [3, 2] },
        ["a filter for each channel, abs/L2"] = Of(Architecture.DynamicConv) with { ConvHeads = 32, ConvNormalization = TapNormalization.AbsL2 },
        ["aligned"] = DepthAdaptive2020.Aligned(Of(Architecture.DynamicConv)),
        ["aligned, with a predictor"] = DepthAdaptive2020.Aligned(Of(Architecture.DynamicConv)) with { ExitPredictor = ExitPredictor.Geometric },
        ["mixed"] = DepthAdaptive2020.Mixed(Of(Architecture.Transformer), paths: 2) with { ExitClassifiers = ExitClassifierKind.Separate },
        ["all at once"] = DepthAdaptive2020.Aligned(SurfaceFusion2021.Soft(Of(Architecture.DynamicConv) with { EncoderPath = [1, 2, 1], DecoderPath = [2, 1, 2], EncoderFusion = EncoderFusion.Coarse, FusionDropConnect = 0.2f }, scale: 0.2f)) with { ExitPredictor = ExitPredictor.Geometric },
        ["fusion, LayerDrop and a linear layer"] = SurfaceFusion2021.Hard(Of(Architecture.Transformer) with { OutputLinear = true, EncoderLayerDrop = 0.3f, DecoderLayerDrop = 0.3f }) with { EncoderFusion = EncoderFusion.Fine },
        ["fusions"] = SurfaceFusion2021.Hard(Of(Architecture.LightConv), gate: 0) with { EncoderFusion = EncoderFusion.Fine, FusionDropConnect = 0.2f },
    };

    /// <summary>A model of each architecture, vocabularies left at 0.</summary>
    public static ModelConfig Of(Architecture architecture)
    {
        if (!TinyModels.Of(architecture).HasLayers)
            return TinyModels.Of(architecture) with { ModelWidth = 48, EmbeddingWidth = 0, AlignmentWidth = 0, OutputWidth = 0, EncoderChannels = [], DecoderChannels = [], Dropout = 0.1f, ShareEmbeddings = EmbeddingSharing.None };
        bool convolves = architecture != Architecture.Transformer, filters = architecture is Architecture.LightConv or Architecture.DynamicConv;
        return new ModelConfig
        {
            Architecture = architecture,
            ModelWidth = 32,
            FeedForwardWidth = 64,
            AttentionHeads = 4,
            EncoderLayers = 2,
            DecoderLayers = 2,
            EncoderKernelWidths = convolves ? [3, 7] : [],
            DecoderKernelWidths = convolves ? [3, 7] : [],
            EncoderGlu = filters,
            Dropout = 0.1f,
            AttentionDropout = 0.1f,
            WeightDropout = filters ? 0.1f : 0,
        };
    }

    /// <summary>Trains and then translates three sentences with beam 4: the losses, the tokens found, and how many shapes of batches became graphs.</summary>
    public static (double[] Losses, int[][] Words, int CapturedShapes) LearnAndTranslate(ModelConfig config, Device device, TrainerOptions options)
    {
        var (model, data, random) = Setup(config, device);
        using var _ = model;
        using var trainer = new Trainer(model, data, options, random);
        var progress = new List<TrainingProgress>();
        trainer.Run(new Sink(progress.Add));
        var results = new SequenceGenerator(model).Generate(
            TinyModels.Sentences(new Random(5), model.Config.SourceVocabulary, 3, 6, 2, 4), new DecodingOptions { Beam = 4, NBest = 4, MaxLengthB = 8 });
        return ([.. progress.Where(p => p.Validation is null).Select(p => p.Loss)], [.. results.SelectMany(r => r).Select(h => h.Tokens)], trainer.CapturedShapes);
    }

    public sealed class Sink(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
