using System.Globalization;
using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Decoders that can be left at any depth: each depth is the model that ends there.</summary>
public sealed class DepthAdaptiveTests
{
    private static readonly int[][] Sources = [[4, 5, 6, Vocabulary.Eos], [7, Vocabulary.Eos]], Targets = [[8, 9, Vocabulary.Eos], [10, Vocabulary.Eos]];

    private static ModelConfig Deep => DepthAdaptive2020.Aligned(TinyModels.Transformer with { DecoderLayers = 3 });

    /// <summary>Transformers before and after norms, convolutions, recurrences without and with signals, fusions; recurrences of dynamic convolutions with surface fusion.</summary>
    public static TheoryData<string> Kinds => ["post-norm", "pre-norm", "dynamicconv", "stacked", "universal", "fused", "all at once"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void EveryExitIsTheModelThatEndsThere(string kind)
    {
        using var device = new CpuDevice(1);
        var config = Of(kind);
        using var model = (EncoderDecoderModel)TinyModels.Create(config, device);
        using var scope = TensorScope.Begin();
        var previous = Tensor.From(device, [2, 4, 5, 2, 6, 7], [2, 3]);
        var encoded = TinyModels.Encode(model, Sources);
        var exits = model.Decoder.ForwardExits(previous, encoded, null).Features;
        Assert.Equal(config.DecoderDepth, exits.Count);
        Assert.Equal(model.Decode(previous, encoded).ToArray(), exits[^1].ToArray());
        for (int n = 1; n <= exits.Count; n++)
        {
            // Every position at one depth is that depth.
            Assert.All(exits[n - 1].ToArray().Zip(model.Decoder.ForwardMixed(previous, encoded, Enumerable.Repeat(n, 6).ToArray(), null).ToArray()), p => Assert.Equal(p.First, p.Second, 1e-6f));
            if (config.EncoderFusion != EncoderFusion.None)
                continue;
            var path = config.DecoderPath.Count > 0 ? config.DecoderPath : Enumerable.Range(1, config.DecoderLayers);
            using var ended = SequenceModel.Create(config with { DecoderPath = [.. path.Take(n)] }, device, new RandomSource(1));
            ended.LoadParameters("model", model.NamedParameters().ToDictionary(p => p.Name, p => p.Tensor));
            Assert.Equal(ended.Decode(previous, TinyModels.Encode(ended, Sources)).ToArray(), exits[n - 1].ToArray());
        }
    }

    /// <summary>What a position is left at changes it and those after it, and none before.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public void DepthsAreSeenFromThereOn(string kind)
    {
        using var device = new CpuDevice(1);
        using var model = (EncoderDecoderModel)TinyModels.Create(Of(kind), device);
        using var scope = TensorScope.Begin();
        var previous = Tensor.From(device, [2, 4, 5, 6], [1, 4]);
        var encoded = TinyModels.Encode(model, [[4, 5, Vocabulary.Eos]]);
        int deepest = model.Config.DecoderDepth;
        var (one, other) = (Positions([deepest, 1, deepest, deepest]), Positions([deepest, 2, deepest, deepest]));
        Assert.Equal(one[0], other[0]);
        Assert.All(new[] { 1, 2, 3 }, t => Assert.NotEqual(one[t], other[t]));

        float[][] Positions(int[] depths) => [.. model.Decoder.ForwardMixed(previous, encoded, depths, null).ToArray().Chunk(model.Decode(previous, encoded).Shape[2])];
    }

    [Theory, Devices]
    public void TheLossIsTheWeightedMeanOfTheExits(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var (weights, w) in new (ExitWeights, double[])[]
        {
            (ExitWeights.Uniform, [1, 1, 1]), (ExitWeights.Proportional, [1, 2, 3]), (ExitWeights.SquareRoot, [1, 1.41421356, 1.73205081]),
            (ExitWeights.InverseSquareRoot, [1, 0.70710678, 0.57735027]), (ExitWeights.Inverse, [1, 0.5, 0.33333333]),
        })
        {
            using var model = TinyModels.Create(Deep with { ExitWeights = weights }, device);
            using var scope = TensorScope.Begin();
            using var batch = Batch(device);
            var (loss, nll) = model.Loss(batch, 0.1f, LabelSmoothing.OverOthers, null);
            var encoded = model.Encode(batch.Source!, batch.SourceLengths!);
            var decoder = ((EncoderDecoderModel)model).Decoder;
            var exits = decoder.ForwardExits(batch.PreviousTarget, encoded, null).Features;
            var parts = exits.Select(e => decoder.Head.CrossEntropy(e.Reshape([e.Shape[0] * e.Shape[1], e.Shape[2]]), batch.Target, 0.1f, LabelSmoothing.OverOthers)).ToArray();
            Assert.Equal(parts.Zip(w, (p, v) => p.Loss.Item() * v).Sum() / w.Sum(), loss.Item(), 1e-4);
            Assert.Equal(parts[^1].NegativeLogLikelihood.Item(), nll.Item(), 1e-5);
            Assert.Equal(loss.Item(), model.Loss(batch.Source!, batch.SourceLengths!, batch.PreviousTarget, batch.Target, 0.1f).Loss.Item());
        }
    }

    [Theory, Devices]
    public void GradientsAreThoseOfTheEquations(string name) => CheckGradients(name, Deep with { ExitWeights = ExitWeights.Inverse }, (_, depth) => 1.0 / depth);

    /// <summary>
    /// The gradient of a prediction is multiplied by gamma_n = gamma (N - n), that of the state above block n by 1 / gamma_{n + 1}, and gamma_N is 1: with three layers those of the first
    /// see gamma_1, gamma_2 / gamma_2 and 1 / gamma_2, those of the second gamma_2 and 1, the projection all three gammas.
    /// </summary>
    [Theory, Devices]
    public void ScaledGradientsAreThoseOfTheEquations(string name)
    {
        const double Gamma = 0.7;
        double[] scales = [2 * Gamma, Gamma, 1];
        CheckGradients(name, Deep with { ShareEmbeddings = EmbeddingSharing.None, ExitGradientScale = (float)Gamma }, (parameter, depth) =>
        {
            if (parameter == "decoder.output_projection.weight")
                return scales[depth - 1];
            int layer = int.Parse(parameter["decoder.layers.".Length..][..1], CultureInfo.InvariantCulture) + 1;
            double scale = scales[depth - 1];
            for (int above = layer + 1; above <= depth; above++)
                scale /= scales[above - 1];
            return depth < layer ? 0 : scale;
        });
    }

    /// <summary>Each position at a depth of its own, its state passed on above it, against loops.</summary>
    [Theory, Devices]
    public void MixedDepthsAreThoseOfTheEquations(string name)
    {
        using var device = TestDevices.Open(name);
        using var model = TinyModels.Create(DepthAdaptive2020.Mixed(Deep), device);
        using var scope = TensorScope.Begin();
        using var batch = Batch(device);
        float[] draws = new float[6];
        new RandomSource(5).Uniform(draws, 0, 3);
        int[] depths = [.. draws.Select(d => 1 + (int)d)];
        Assert.Equal([1, 2, 3], depths.Distinct().Order());
        var (loss, _) = model.Loss(batch, 0.1f, LabelSmoothing.OverOthers, new RandomSource(5));
        loss.Backward();
        Compare(model, loss.Item(), _ => true, (parameters, _) => Sources.Zip(Targets).Select((pair, b) => new ReferenceModel(model.Config, parameters) { Depths = depths[(3 * b)..(3 * b + 3)] }.Loss(pair.First, pair.Second, 0.1)).Sum());
    }

    // Losses of the model cut off at each depth, with a weight for each.
    private static void CheckGradients(string name, ModelConfig config, Func<string, int, double> weight)
    {
        using var device = TestDevices.Open(name);
        using var model = TinyModels.Create(config, device);
        using var scope = TensorScope.Begin();
        using var batch = Batch(device);
        model.Loss(batch, 0.1f, LabelSmoothing.OverOthers, null).Loss.Backward();
        double all = config.ExitWeights == ExitWeights.Inverse ? 1 + 0.5 + (1 / 3.0) : 3;
        bool scaled = config.ExitGradientScale != 0;
        Compare(model, null, p => !scaled || p == "decoder.output_projection.weight" || (p.StartsWith("decoder.layers.", StringComparison.Ordinal) && p.EndsWith(".weight", StringComparison.Ordinal)), (parameters, parameter) =>
        {
            double sum = 0;
            for (int n = 1; n <= 3; n++)
                sum += weight(parameter, n) * Sources.Zip(Targets, (s, t) => new ReferenceModel(model.Config with { DecoderPath = [.. Enumerable.Range(1, n)] }, parameters).Loss(s, t, 0.1)).Sum();
            return sum / all;
        });
    }

    // Gradients along a random direction of each parameter, against central differences in float64.
    private static void Compare(Seq2SeqModel model, double? loss, Func<string, bool> chosen, Func<Dictionary<string, double[]>, string, double> function)
    {
        var at = model.NamedParameters().ToDictionary(p => p.Name, p => Array.ConvertAll(p.Tensor.ToArray(), v => (double)v));
        if (loss is { } value)
            Assert.Equal(function(at, ""), value, 1e-4);
        var random = new Random(3);
        int compared = 0;
        foreach (var (parameter, tensor) in model.NamedParameters().Where(p => chosen(p.Name)))
        {
            double[] direction = [.. at[parameter].Select(_ => Input.Normal(random))];
            const double Step = 1e-5;
            double difference = (Along(Step) - Along(-Step)) / (2 * Step);
            float[] gradient = tensor.Grad!.ToArray();
            double product = gradient.Zip(direction, (g, d) => g * d).Sum(), size = Math.Sqrt(gradient.Sum(g => (double)g * g) * direction.Sum(d => d * d));
            Assert.True(Math.Abs(product - difference) <= (1e-4 * size) + 1e-5, $"{parameter}: gradient {product}, difference {difference}");
            compared++;

            double Along(double step) => function(new Dictionary<string, double[]>(at) { [parameter] = [.. at[parameter].Zip(direction, (v, d) => v + (step * d))] }, parameter);
        }

        Assert.True(compared > 20, $"{compared} parameters");
    }

    /// <summary>Scaling changes no value. The last layer's gradient comes from the last exit alone, whose factor is 1.</summary>
    [Fact]
    public void GradientsAreScaledAndNothingElse()
    {
        using var device = new CpuDevice(1);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, [1f, -2f, 3f]).AsParameter();
        var y = DepthAdaptive2020.Scaled(x, 0.25f);
        Assert.Equal(x.ToArray(), y.ToArray());
        y.Backward(Tensor.From(device, [1f, 2f, 4f]));
        Assert.Equal([0.25f, 0.5f, 1f], x.Grad!.ToArray());
        Assert.Equal([1.5f, 1f, 0.5f, 1f], new[] { 1, 2, 3, 4 }.Select(n => DepthAdaptive2020.GradientScale(Deep with { DecoderLayers = 4, ExitGradientScale = 0.5f }, n)));

        using var plain = TinyModels.Create(Deep, device);
        using var scaled = TinyModels.Create(Deep with { ExitGradientScale = 0.5f }, device);
        using var batch = Batch(device);
        var losses = new[] { plain, scaled }.Select(m => m.Loss(batch, 0, LabelSmoothing.OverOthers, null).Loss).ToArray();
        Assert.Equal(losses[0].Item(), losses[1].Item(), 1e-5);
        foreach (var loss in losses)
            loss.Backward();
        foreach (var (a, b) in plain.NamedParameters().Zip(scaled.NamedParameters()))
        {
            bool same = a.Tensor.Grad!.ToArray().Zip(b.Tensor.Grad!.ToArray()).All(p => Math.Abs(p.First - p.Second) <= 1e-5f * (1 + Math.Abs(p.First)));
            if (a.Name.StartsWith("decoder.layers.2.", StringComparison.Ordinal))
                Assert.True(same, a.Name);
            else if (a.Name.StartsWith("decoder.layers.0.fc", StringComparison.Ordinal))
                Assert.False(same, a.Name);
        }
    }

    [Fact]
    public void MixedTrainingDrawsDepthsAndRepeatsWithItsSeed()
    {
        using var device = new CpuDevice(1);
        using var model = TinyModels.Create(DepthAdaptive2020.Mixed(Deep), device);
        using var several = TinyModels.Create(DepthAdaptive2020.Mixed(Deep, paths: 200), device);
        using var scope = TensorScope.Begin();
        using var batch = Batch(device);
        float whole = Loss(model, null);
        Assert.Equal(whole, Loss(several, null));
        float[] drawn = [.. Enumerable.Range(0, 200).Select(i => Loss(model, new RandomSource((ulong)i)))];
        Assert.InRange(drawn.Distinct().Count(), 40, 200);
        Assert.Equal(Loss(model, new RandomSource(3)), Loss(model, new RandomSource(3)));
        Assert.Equal(drawn.Average(), Loss(several, new RandomSource(9)), 0.25f);

        float Loss(Seq2SeqModel m, RandomSource? random) => m.Loss(batch, 0, LabelSmoothing.OverOthers, random).Loss.Item();
    }

    [Fact]
    public void WhatHasNoMeaningIsRefused() => Assert.Equal(
        [
            "exit_gradient_scale needs adaptive_depth aligned.",
            "mixed_paths needs adaptive_depth mixed, got 2.",
        ],
        (TinyModels.Transformer with { ExitGradientScale = 0.5f, MixedPaths = 2 }).Validate().Concat((Deep with { ExitGradientScale = 0.5f }).Validate()));

    internal static ModelConfig Of(string kind) => DepthAdaptive2020.Aligned(kind switch
    {
        "pre-norm" => TinyModels.Transformer with { DecoderLayers = 3, PreNorm = true },
        "dynamicconv" => TinyModels.Conv(Architecture.DynamicConv) with { DecoderLayers = 3, DecoderKernelWidths = [3, 4, 3] },
        "stacked" => TinyModels.Transformer with { DecoderPath = [1, 2, 1, 1] },
        "universal" => TinyModels.Transformer with { DecoderPath = [1, 2, 1], StepSignal = StepSignal.Sinusoid },
        "all at once" => SurfaceFusion2021.Hard(TinyModels.Conv(Architecture.DynamicConv) with { EncoderPath = [1, 2, 1], DecoderPath = [2, 1, 2], PreNorm = true }),
        "fused" => SurfaceFusion2021.Hard(TinyModels.Transformer) with { EncoderFusion = EncoderFusion.Fine, DecoderLayers = 3, SurfaceLayer = 2 },
        _ => TinyModels.Transformer with { DecoderLayers = 3 },
    });

    private static BatchTensors Batch(Device device)
        => new(device, CudaSeq.Models.Batch.Of(Corpus.From(Sources.Zip(Targets, (s, t) => new SentencePair(s, t))), [0, 1]));
}
