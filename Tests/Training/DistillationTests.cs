using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Learning from a trained model.</summary>
public sealed class DistillationTests
{
    private static readonly int[][] Sources = [[4, 5, 6, Vocabulary.Eos], [7, Vocabulary.Eos]], Targets = [[8, 9, Vocabulary.Eos], [10, Vocabulary.Eos]];

    /// <summary>The sum over the tokens, by hand from both models' logits; padding counts for nothing.</summary>
    [Theory, Devices]
    public void TheLossIsTheEquation(string name)
    {
        using var device = TestDevices.Open(name);
        using var model = TinyModels.Create(TinyModels.Transformer, device, seed: 1);
        using var scope = TensorScope.Begin();
        using var batch = Batch(device);
        foreach (var (weight, temperature) in new[] { (0.7f, 1f), (1f, 2f), (0f, 3f) })
        {
            using var distillation = new Distillation(TinyModels.Create(TinyModels.Conv(Architecture.LightConv), device, seed: 2), weight, temperature);
            using var teacher = TinyModels.Create(TinyModels.Conv(Architecture.LightConv), device, seed: 2);
            var (loss, nll) = distillation.Loss(model, batch, 0.1f, LabelSmoothing.OverOthers, random: null);
            var (plain, plainNll) = model.Loss(batch, 0.1f, LabelSmoothing.OverOthers, random: null);
            double[][] q = Logs(model), p = Logs(teacher);
            double distilled = 0;
            for (int n = 0; n < q.Length; n++)
            {
                for (int v = 0; v < q[n].Length; v++)
                    distilled -= Math.Exp(p[n][v]) * q[n][v];
            }

            Assert.Equal((weight * temperature * temperature * distilled) + ((1 - weight) * plain.Item()), loss.Item(), 1e-3);
            Assert.Equal(plainNll.Item(), nll.Item(), 1e-4);

            double[][] Logs(Seq2SeqModel m)
            {
                float[] logits = m.Logits(m.Features(batch, random: null)).ToArray();
                return [.. new[] { 0, 1, 2, 3, 4 }.Select(n => Softened([.. logits.Skip(n * 11).Take(11).Select(v => (double)v / temperature)]))];
            }
        }

        static double[] Softened(double[] x)
        {
            double log = Math.Log(x.Sum(v => Math.Exp(v - x.Max()))) + x.Max();
            return [.. x.Select(v => v - log)];
        }
    }

    public static TheoryData<string> Students => ["aligned", "aligned, separate classifiers", "mixed", "halting", "a language model", "adaptive language model"];

    /// <summary>
    /// At every depth from which a model predicts, the teacher's loss and the text's share its cross-entropy's place; what pondering and predictors cost stays beside them. Both parts are recovered from losses of two
    /// weights, and the teacher's is written down from both models' logits.
    /// </summary>
    [Theory]
    [MemberData(nameof(Students))]
    public void WhateverADepthPredictsIsTaught(string kind)
    {
        using var device = new CpuDevice(2);
        var config = Student(kind);
        using var model = Create(config, device, seed: 1);
        using var scope = TensorScope.Begin();
        using var batch = Batch(device);
        const float Temperature = 2;

        // Teachers may be left early, or halt, themselves: what they say is what they say in the end.
        foreach (var of in new[] { TinyModels.Transformer, Student("aligned, separate classifiers"), Student("halting") })
        {
            var taught = config.IsLanguageModel ? of.AsLanguageModel() : of;
            using var teacher = Create(taught, device, seed: 2);
            using Distillation all = new(Create(taught, device, seed: 2), 1, Temperature), half = new(Create(taught, device, seed: 2), 0.5f, Temperature), none = new(Create(taught, device, seed: 2), 0, Temperature);
            var (plain, plainNll) = model.Loss(batch, 0.1f, LabelSmoothing.OverOthers, random: null);
            var (loss, nll) = all.Loss(model, batch, 0.1f, LabelSmoothing.OverOthers, random: null);
            Assert.Equal(plain.Item(), none.Loss(model, batch, 0.1f, LabelSmoothing.OverOthers, random: null).Loss.Item(), 1e-4);
            Assert.Equal((plain.Item() + loss.Item()) / 2, half.Loss(model, batch, 0.1f, LabelSmoothing.OverOthers, random: null).Loss.Item(), 1e-3);
            Assert.Equal(plainNll.Item(), nll.Item(), 1e-4);

            double[][] p = Softened(teacher.Logits(teacher.Features(batch, random: null)).ToArray());
            Assert.Equal((Temperature * Temperature * Exits().Average(q => Divergence(p, Softened(q)))) + Beside(), loss.Item(), 2e-3);
        }

        // Of a batch in training, aligned: a depth that predicts badly gets a gradient of its own from the teacher.
        if (kind == "aligned, separate classifiers")
        {
            using var distillation = new Distillation(Create(TinyModels.Transformer, device, seed: 2), 1, 1);
            distillation.Loss(model, batch, 0, LabelSmoothing.OverOthers, random: null).Loss.Backward();
            Assert.Contains(model.NamedParameters(), q => q.Name == "decoder.exit_classifiers.0.output_projection.weight" && q.Tensor.Grad!.ToArray().Any(g => Math.Abs(g) > 0.01f));
        }

        // Logits of every depth that predicts while nothing is drawn.
        IEnumerable<float[]> Exits()
        {
            var decoder = model is LanguageModel language ? language.Decoder : ((EncoderDecoderModel)model).Decoder;
            var encoded = model is Seq2SeqModel translation ? translation.Encode(batch.Source!, batch.SourceLengths!) : null;
            return config.AdaptiveDepth == AdaptiveDepth.Aligned
                ? decoder.ForwardExits(batch.PreviousTarget, encoded, random: null).Features.Select((f, i) => decoder.Classifiers.Head(i + 1).Logits(f).ToArray())
                : [model.Logits(model.Features(batch, random: null)).ToArray()];
        }

        // What a model's own loss has besides cross-entropies.
        double Beside()
        {
            if (config.Halting == Halting.None)
                return 0;
            var features = model.Features(batch, random: null);
            var text = ((EncoderDecoderModel)model).Decoder.Head.CrossEntropy(features.Reshape([features.Shape[0] * features.Shape[1], features.Shape[2]]), batch.Target, 0.1f, LabelSmoothing.OverOthers).Loss;
            return model.Loss(batch, 0.1f, LabelSmoothing.OverOthers, random: null).Loss.Item() - text.Item();
        }

        static double Divergence(double[][] p, double[][] q) => p.Zip(q, (a, b) => -a.Zip(b, (x, y) => Math.Exp(x) * y).Sum()).Sum();

        // Log probabilities of the five tokens that are no padding.
        static double[][] Softened(float[] logits) => [.. logits.Chunk(11).Take(5).Select(row =>
        {
            double[] x = [.. row.Select(v => (double)v / Temperature)];
            double log = Math.Log(x.Sum(v => Math.Exp(v - x.Max()))) + x.Max();
            return x.Select(v => v - log).ToArray();
        })];
    }

    /// <summary>Mixed training: the depths that are drawn are those without a teacher, and their losses are mixed.</summary>
    [Fact]
    public void DrawnDepthsAreTaughtToo()
    {
        using var device = new CpuDevice(1);
        using var model = Create(Student("mixed"), device, seed: 1);
        using var scope = TensorScope.Begin();
        using var batch = Batch(device);
        using Distillation all = new(Create(TinyModels.Transformer, device, seed: 2), 1, 1), half = new(Create(TinyModels.Transformer, device, seed: 2), 0.5f, 1);
        double plain = model.Loss(batch, 0.1f, LabelSmoothing.OverOthers, new RandomSource(4)).Loss.Item();
        double taught = all.Loss(model, batch, 0.1f, LabelSmoothing.OverOthers, new RandomSource(4)).Loss.Item();
        Assert.Equal((plain + taught) / 2, half.Loss(model, batch, 0.1f, LabelSmoothing.OverOthers, new RandomSource(4)).Loss.Item(), 1e-3);
        Assert.NotEqual(taught, all.Loss(model, batch, 0.1f, LabelSmoothing.OverOthers, random: null).Loss.Item(), 1e-2);
    }

    /// <summary>A teacher that is the model itself teaches nothing: the gradient of its part is zero.</summary>
    [Fact]
    public void WhoKnowsAllLearnsNothing()
    {
        using var device = new CpuDevice(1);
        using var model = TinyModels.Create(TinyModels.Transformer, device, seed: 1);
        using var distillation = new Distillation(TinyModels.Create(TinyModels.Transformer, device, seed: 1), 1, 1);
        using var other = new Distillation(TinyModels.Create(TinyModels.Transformer, device, seed: 2), 1, 1);
        using var scope = TensorScope.Begin();
        using var batch = Batch(device);
        distillation.Loss(model, batch, 0, LabelSmoothing.OverOthers, null).Loss.Backward();
        Assert.All(model.Parameters, p => Assert.All(p.Grad!.ToArray(), g => Assert.Equal(0, g, 2e-5f)));
        other.Loss(model, batch, 0, LabelSmoothing.OverOthers, null).Loss.Backward();
        Assert.Contains(model.Parameters, p => p.Grad!.ToArray().Any(g => Math.Abs(g) > 0.1f));
    }

    private static ModelConfig Student(string kind) => kind switch
    {
        "aligned" => DepthAdaptive2020.Aligned(TinyModels.Transformer) with { ExitWeights = ExitWeights.Uniform },
        "aligned, separate classifiers" => DepthAdaptive2020.Aligned(TinyModels.Transformer) with { ShareEmbeddings = EmbeddingSharing.None, ExitClassifiers = ExitClassifierKind.Separate, PreNorm = true },
        "mixed" => DepthAdaptive2020.Mixed(TinyModels.Conv(Architecture.DynamicConv), paths: 2) with { ShareEmbeddings = EmbeddingSharing.None, ExitClassifiers = ExitClassifierKind.Separate },
        "halting" => UniversalTransformer2018.Halted(TinyModels.Transformer with { StepSignal = StepSignal.Learned }, weight: 0.3f),
        "a language model" => TinyModels.Transformer.AsLanguageModel(),
        _ => DepthAdaptive2020.Aligned(TinyModels.Transformer.AsLanguageModel()),
    };

    private static AutoregressiveModel Create(ModelConfig config, Device device, ulong seed)
        => config.IsLanguageModel ? TinyModels.CreateLanguageModel(config, device, seed) : TinyModels.Create(config, device, seed);

    // Two targets of 3 and 2 tokens, one place of padding at the end.
    private static BatchTensors Batch(Device device)
    {
        var corpus = Corpus.From(Sources.Zip(Targets, (s, t) => new SentencePair(s, t)));
        return new BatchTensors(device, CudaSeq.Models.Batch.Of(corpus, [0, 1]));
    }
}
