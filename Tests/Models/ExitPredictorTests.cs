using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Depths that are chosen by the truth, learned, and followed.</summary>
public sealed class ExitPredictorTests
{
    private static readonly int[][] Sources = [[4, 5, 6, Vocabulary.Eos], [7, Vocabulary.Eos]], Targets = [[8, 9, Vocabulary.Eos], [10, Vocabulary.Eos]];

    private static ModelConfig Deep => DepthAdaptive2020.Aligned(TinyModels.Transformer with { DecoderLayers = 3 });

    // Two sequences of three places, the last of the second padding; three depths.
    [Theory]
    [InlineData(0, 0, "2 3 1 3 1 0")]
    [InlineData(0, 0.25f, "2 2 1 3 1 0")]
    [InlineData(0, 10, "1 1 1 1 1 0")]
    [InlineData(1e6f, 0, "2 2 2 3 3 0")]
    public void TokensHaveTheBestDepthAndTheLowestOfEquals(float sigma, float lambda, string expected)
    {
        int[] targets = [5, 6, 7, 8, 9, Vocabulary.Pad];
        float[][] values = [[0, 0, 1, 0, 0.5f, 9], [1, 0.9f, 0, 0, 0.5f, 0], [0, 1, 0.5f, 1, 0.5f, 0]];
        Assert.Equal(expected, string.Join(' ', ExitOracles.OfTokens(values, targets, 3, sigma, lambda)));
    }

    // By hand: e^(-1 / 2) = 0.6065 and e^(-4 / 2) = 0.1353.
    [Fact]
    public void NeighboursAreHeardByTheirDistance()
    {
        int[] targets = [5, 6, 7];
        Assert.Equal([2, 2, 2], ExitOracles.OfTokens([[1, 0, 0], [0, 0, 2]], targets, 3, sigma: 2, lambda: -0.8f));
        Assert.Equal([1, 2, 2], ExitOracles.OfTokens([[1, 0, 0], [0, 0, 2]], targets, 3, sigma: 2, lambda: 0));

        // 1 and 0.2707 at the first place: a layer may cost less than their difference the other way round.
        Assert.Equal(1, ExitOracles.OfTokens([[1, 0, 0], [0, 0, 2]], targets, 3, sigma: 2, lambda: -0.72f)[0]);
        Assert.Equal(2, ExitOracles.OfTokens([[1, 0, 0], [0, 0, 2]], targets, 3, sigma: 2, lambda: -0.74f)[0]);
    }

    [Fact]
    public void SequencesHaveTheBestSum()
    {
        int[] targets = [5, 6, 7, 8, 9, Vocabulary.Pad];
        float[][] values = [[-1, -1, -1, -1, -1, 90], [-0.5f, -2, -0.1f, -1, -1, 0], [-0.4f, -2, -0.1f, -0.5f, -0.9f, 0]];
        Assert.Equal([3, 3], ExitOracles.OfSequences(values, targets, 3, 0));
        Assert.Equal([2, 3], ExitOracles.OfSequences(values, targets, 3, 0.2f));
        Assert.Equal([1, 1], ExitOracles.OfSequences(values, targets, 3, 1));
    }

    [Theory, Devices]
    public void ValuesAreOfTheTrueToken(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var config in new[] { Deep, SurfaceFusion2021.Hard(Deep) })
        {
            using var model = (EncoderDecoderModel)TinyModels.Create(config, device);
            using var scope = TensorScope.Begin();
            using var batch = Batch(device);
            var features = model.Features(batch, null);
            var rows = features.Reshape([6, features.Shape[2]]);
            int[] targets = batch.Target.ToIntArray();
            float[] logits = model.Logits(rows).ToArray(), likelihood = ExitOracles.Values(model.Decoder.Head, rows, targets, ExitOracle.Likelihood, 11), correct = ExitOracles.Values(model.Decoder.Head, rows, targets, ExitOracle.Correctness, 11);
            for (int i = 0; i < 6; i++)
            {
                double[] row = [.. logits.Skip(i * 11).Take(11).Select(v => (double)v)];
                double total = model.GivesLogProbabilities ? 0 : Math.Log(row.Sum(v => Math.Exp(v - row.Max()))) + row.Max();
                Assert.Equal(row[targets[i]] - total, likelihood[i], 1e-4);
                Assert.Equal(Array.IndexOf(row, row.Max()) == targets[i] ? 1 : 0, correct[i]);
            }
        }
    }

    /// <summary>- ln q(n), by the definitions of q.</summary>
    [Theory, Devices]
    public void TheLossIsTheCrossEntropyWithTheWantedDepths(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var random = new RandomSource(4);
        Tensor[] states = [.. Enumerable.Range(0, 3).Select(_ => Normal(5, 8))];
        int[] wanted = [1, 2, 3, 0, 2];
        foreach (var kind in new[] { ExitPredictor.Multinomial, ExitPredictor.Geometric })
        {
            using var head = new ExitHead(Deep with { ExitPredictor = kind });
            head.Initialize(device, random);
            var parameters = head.NamedParameters().ToDictionary(p => p.Name, p => p.Tensor);
            parameters["bias"].CopyFrom([.. Enumerable.Range(0, parameters["bias"].Shape[0]).Select(i => 0.3f - (0.2f * i))]);
            double expected = 0;
            for (int i = 0; i < 5; i++)
            {
                if (wanted[i] == 0)
                    continue;
                double[][] z = [.. states.Select(s => Logits(s, i))];
                double[] q = kind == ExitPredictor.Multinomial
                    ? [.. z[0].Select(v => Math.Exp(v) / z[0].Sum(Math.Exp))]
                    : [Sigmoid(z[0][0]), (1 - Sigmoid(z[0][0])) * Sigmoid(z[1][0]), (1 - Sigmoid(z[0][0])) * (1 - Sigmoid(z[1][0]))];
                Assert.Equal(1, q.Sum(), 1e-9);
                expected -= Math.Log(q[wanted[i] - 1]);
            }

            Assert.Equal(expected, head.Loss(states, wanted).Item(), 1e-4);

            double[] Logits(Tensor s, int i)
            {
                float[] weight = parameters["weight"].ToArray(), bias = parameters["bias"].ToArray(), x = s.ToArray();
                return [.. bias.Select((b, o) => b + Enumerable.Range(0, 8).Sum(c => (double)weight[(o * 8) + c] * x[(i * 8) + c]))];
            }
        }

        static double Sigmoid(double v) => 1 / (1 + Math.Exp(-v));

        Tensor Normal(int rows, int width)
        {
            float[] values = new float[rows * width];
            random.Normal(values, 0, 1);
            return Tensor.From(device, values, [rows, width]);
        }
    }

    /// <summary>The predictor's loss is added with its weight, and teaches the layers too.</summary>
    [Theory]
    [InlineData(ExitPredictor.Sequence)]
    [InlineData(ExitPredictor.Multinomial)]
    [InlineData(ExitPredictor.Geometric)]
    public void ItsGradientReachesTheLayers(ExitPredictor kind)
    {
        using var device = new CpuDevice(1);
        var config = Deep with { ExitPredictor = kind, ExitOracle = ExitOracle.Correctness, OracleLambda = 0.1f };
        using var scope = TensorScope.Begin();
        using var batch = Batch(device);
        var (losses, gradients) = (new List<float>(), new List<float[]>());
        foreach (float weight in (float[])[0, 1, 2])
        {
            using var model = TinyModels.Create(config with { ExitLossWeight = weight }, device);
            var (loss, _) = model.Loss(batch, 0, LabelSmoothing.OverOthers, null);
            losses.Add(loss.Item());
            loss.Backward();
            gradients.Add(model.NamedParameters().Single(p => p.Name == (kind == ExitPredictor.Sequence ? "encoder.layers.1.fc1.weight" : "decoder.layers.0.fc1.weight")).Tensor.Grad!.ToArray());
        }

        Assert.True(losses[1] > losses[0]);
        Assert.Equal(losses[2] - losses[1], losses[1] - losses[0], 1e-3f);
        Assert.NotEqual(gradients[0], gradients[1]);
        Assert.All(Enumerable.Range(0, gradients[0].Length), i => Assert.Equal(gradients[2][i] - gradients[1][i], gradients[1][i] - gradients[0][i], 1e-3f));
    }

    [Theory, Devices]
    public void DecodingLeavesWhereItSays(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var (kind, depth) in new[]
        {
            (ExitPredictor.Sequence, 2), (ExitPredictor.Multinomial, 1), (ExitPredictor.Multinomial, 3), (ExitPredictor.Geometric, 1), (ExitPredictor.Geometric, 3),
        })
        {
            LeavesWhereItSays(device, kind, depth);
        }
    }

    // Of seven rows, three at a time: the last block is one.
    [Theory, Devices]
    public void ValuesDoNotDependOnTheBlocks(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        using var model = (EncoderDecoderModel)TinyModels.Create(Deep, device);
        var rows = Tensor.From(device, FiniteDifference.Normals(4, 7 * 8), [7, 8]);
        int[] targets = [4, 5, 6, 7, 8, 9, 10];
        foreach (var oracle in Enum.GetValues<ExitOracle>())
        {
            float[] whole = ExitOracles.Values(model.Decoder.Head, rows, targets, oracle, model.Config.TargetVocabulary);
            foreach (int elements in (int[])[33, 1])
                Assert.All(whole.Zip(ExitOracles.Values(model.Decoder.Head, rows, targets, oracle, model.Config.TargetVocabulary, elements)), p => Assert.Equal(p.First, p.Second, 1e-5f));
        }
    }

    private static void LeavesWhereItSays(Device device, ExitPredictor kind, int depth)
    {
        using var model = TinyModels.Create(Deep with { ExitPredictor = kind }, device);
        var bias = model.NamedParameters().Single(p => p.Name == "decoder.exits.bias").Tensor;
        bias.CopyFrom(kind == ExitPredictor.Geometric ? [depth == 1 ? 100 : -100] : [.. Enumerable.Range(1, 3).Select(n => n == depth ? 100f : 0)]);
        var options = new DecodingOptions { Beam = 2, MaxLengthB = 6 };
        var generator = new SequenceGenerator(model);
        var fixedly = generator.Generate(Sources, options with { Exit = ExitRule.AtDepth(depth) });
        var predicted = generator.Generate(Sources, options with { Exit = ExitRule.Predicted() });
        foreach (var (a, b) in fixedly.Zip(predicted))
            PlainSearch.Same(a, b);
        Assert.Equal(generator.ExitCounts.Sum(), generator.ExitCounts[depth - 1]);
    }

    // d = 8, f = 12, V = 11, N = 3, |x| = 5. A block costs 768 + 384 + 32 t + 160, a skipped one 256, the source of a block once 1280, the projection 176. Positions that visit one
    // and three layers: 1344 + 2 * 256, then 3 * 1376, three layers' sources, two projections: 10,176. Predictors: 2 * 3 * 8 once, or twice, or 2 * 8 * 4; confidence: four projections for two.
    [Theory]
    [InlineData(ExitPredictor.None, false, 10_176)]
    [InlineData(ExitPredictor.Sequence, false, 10_224)]
    [InlineData(ExitPredictor.Multinomial, false, 10_272)]
    [InlineData(ExitPredictor.Geometric, false, 10_240)]
    [InlineData(ExitPredictor.None, true, 10_528)]
    public void OperationsAreThePapers(ExitPredictor predictor, bool confidence, double expected)
    {
        Assert.Equal(expected, DepthAdaptive2020.Operations(Deep with { ExitPredictor = predictor }, 5, [1, 3], confidence), 1e-9);
        Assert.Equal(
            "DepthAdaptive2020: exits must be in 1 .. 3, got [1, 4].", Assert.Throws<ArgumentException>(() => DepthAdaptive2020.Operations(Deep, 5, [1, 4])).Message);
    }

    [Fact]
    public void WhatHasNoPredictorSaysSo()
    {
        using var device = new CpuDevice(1);
        using var model = TinyModels.Create(Deep, device);
        Assert.Equal(
            "SequenceGenerator: exits cannot be predicted, the model was trained without exit_predictor.",
            Assert.Throws<ArgumentException>(() => new SequenceGenerator(model).Generate(Sources, new DecodingOptions { Exit = ExitRule.Predicted() })).Message);
        Assert.Equal(
            ["exit_predictor needs adaptive_depth aligned.", "oracle_sigma needs exit_predictor multinomial or geometric.", "exit_oracle needs an exit_predictor."],
            (TinyModels.Transformer with { ExitPredictor = ExitPredictor.Geometric }).Validate()
                .Concat((Deep with { ExitPredictor = ExitPredictor.Sequence, OracleSigma = 1 }).Validate())
                .Concat((Deep with { ExitOracle = ExitOracle.Correctness }).Validate()));
    }

    private static BatchTensors Batch(Device device)
        => new(device, CudaSeq.Models.Batch.Of(Corpus.From(Sources.Zip(Targets, (s, t) => new SentencePair(s, t))), [0, 1]));
}
