using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;
using static CudaSeq.Tests.TinyTraining;

namespace CudaSeq.Tests;

/// <summary>What goes together: trained for some updates, saved and loaded, it decodes with what it remembers as with everything computed anew.</summary>
public sealed class CombinationTests : IDisposable
{
    private static readonly ModelConfig Plain = Of(Architecture.Transformer), Separate = DepthAdaptive2020.Aligned(Plain) with { ExitClassifiers = ExitClassifierKind.Separate };

    // What learns, and from whom; null for nobody.
    private static readonly Dictionary<string, (ModelConfig Model, ModelConfig? Teacher)> All = new()
    {
        ["a linear layer and hard fusion"] = (SurfaceFusion2021.Hard(Plain with { OutputLinear = true }), null),
        ["a linear layer, hard fusion with a learned gate, every depth"] = (DepthAdaptive2020.Aligned(SurfaceFusion2021.Hard(Plain with { OutputLinear = true }, gate: 0)), null),
        ["a linear layer and soft fusion"] = (SurfaceFusion2021.Soft(Of(Architecture.DynamicConv) with { OutputLinear = true }, scale: 0.2f), null),
        ["an encoder of another width, fusions and every depth"] = (DepthAdaptive2020.Aligned(SurfaceFusion2021.Hard(Plain with { EncoderWidth = 48, EncoderFusion = EncoderFusion.Fine })) with { ExitPredictor = ExitPredictor.Sequence }, null),
        ["LayerDrop and fused layers"] = (Of(Architecture.LightConv) with { EncoderFusion = EncoderFusion.Coarse, EncoderLayerDrop = 0.4f, DecoderLayerDrop = 0.4f }, null),
        ["every depth learns from a plain teacher"] = (Separate, Plain),
        ["drawn depths learn from one that can be left early"] = (DepthAdaptive2020.Mixed(Of(Architecture.DynamicConv), paths: 2), Separate),
        ["a plain model learns from one that can be left early"] = (Plain, Separate),
        ["one that halts learns from another"] = (UniversalTransformer2018.Halted(Plain with { StepSignal = StepSignal.Sinusoid }), UniversalTransformer2018.Halted(Of(Architecture.LightConv))),
    };

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Names => [.. All.Keys];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public void TrainedSavedAndLoadedItDecodesAsComputedAnew(string name)
    {
        var (config, teacher) = All[name];
        using var device = new CpuDevice(2);
        var directory = new RunDirectory(_folder.PathOf("run"));
        float[][] learned = Learned(config, teacher, directory, device);
        if (teacher is not null)
            Assert.NotEqual(learned, Learned(config, null, new RunDirectory(_folder.PathOf("alone")), device));

        var header = Checkpoint.ReadHeader(directory.Last);
        using var model = (EncoderDecoderModel)SequenceModel.Create(header.Config, device, new RandomSource(0));
        Checkpoint.Load(directory.Last, model);
        Assert.Equal(learned, model.Parameters.Select(p => p.ToArray()));
        int depths = config.AdaptiveDepth == AdaptiveDepth.None ? 0 : config.DecoderDepth;
        for (int depth = 0; depth <= depths; depth++)
        {
            var options = new DecodingOptions { Beam = 1, MaxLengthA = 0, MaxLengthB = 6, Exit = depth == 0 ? null : ExitRule.AtDepth(depth) };
            foreach (int[] source in TinyModels.Sentences(new Random(5), header.Config.SourceVocabulary, 3, 6, 2))
            {
                var found = new SequenceGenerator(model).Generate([source], options)[0][0];
                int[] tokens = [.. found.Tokens, Vocabulary.Eos];
                double[][] logs = Anew(model, source, tokens, depth);
                Assert.NotEmpty(found.TokenScores);
                for (int t = 0; t < found.TokenScores.Length; t++)
                    Assert.Equal(logs[t][tokens[t]], found.TokenScores[t], 1e-4);
            }
        }
    }

    private static float[][] Learned(ModelConfig config, ModelConfig? teacher, RunDirectory directory, Device device)
    {
        var (model, data, random) = Setup(config, device);
        using var _ = model;
        using var distillation = teacher is null ? null : new Distillation(Setup(teacher, device).Model, 0.7f, 2);
        using var trainer = new Trainer(model, data, Options(4) with { ValidateEvery = 1000, Teacher = distillation }, random, directory);
        trainer.Run();
        return [.. model.Parameters.Select(p => p.ToArray())];
    }

    // Log probabilities at each position, of the decoder that ends after so many layers; 0 for the whole.
    private static double[][] Anew(EncoderDecoderModel model, int[] source, int[] tokens, int depth)
    {
        using var scope = TensorScope.Begin();
        using var pause = new NoGrad();
        var previous = TinyModels.Pad(model.Device, [TinyModels.Shifted(tokens)]);
        var encoded = TinyModels.Encode(model, [source]);
        var logits = depth == 0
            ? model.Logits(model.Decode(previous, encoded))
            : model.Decoder.Classifiers.Head(depth).Logits(model.Decoder.ForwardExits(previous, encoded, random: null).Features[depth - 1]);
        return [.. (model.GivesLogProbabilities ? logits : Ops.LogSoftmax(logits)).ToArray().Chunk(model.Config.TargetVocabulary).Select(row => Array.ConvertAll(row, v => (double)v))];
    }
}
