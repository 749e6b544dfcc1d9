using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Layers that are applied several times, or passed by. That such models are the equations of theirs is among the tests of whole models, which have some.</summary>
public sealed class RecurrentStackingTests
{
    // Dabre and Fujita's base model: 6 layers a side, 44,138,496 parameters besides embeddings, a sixth of them when stacked, whatever the depth.
    [Theory]
    [InlineData(6)]
    [InlineData(12)]
    [InlineData(1)]
    public void ParametersDoNotGrowWithDepth(int depth)
    {
        var config = Transformer2017.Base with { SourceVocabulary = 32_000, TargetVocabulary = 32_000 };
        long table = 32_000L * 512;
        Assert.Equal(44_138_496, SequenceModel.Declare(config).ParameterCount - table);
        var stacked = RecurrentStacking2019.Of(config, depth, depth);
        Assert.Equal((7_356_416, depth, depth), (SequenceModel.Declare(stacked).ParameterCount - table, stacked.EncoderDepth, stacked.DecoderDepth));
    }

    [Theory]
    [InlineData(1, 6, "1 1 1 1 1 1", "1 1 1 1 1 1", "1 1 1 1 1 1")]
    [InlineData(6, 12, "1 1 2 2 3 3 4 4 5 5 6 6", "1 2 3 4 5 6 1 2 3 4 5 6", "1 2 3 4 5 6 6 5 4 3 2 1")]
    [InlineData(3, 9, "1 1 1 2 2 2 3 3 3", "1 2 3 1 2 3 1 2 3", "1 2 3 1 2 3 3 2 1")]
    [InlineData(2, 3, "1 2 2", "1 2 1", "1 2 1")]
    [InlineData(3, 3, "1 2 3", "1 2 3", "3 2 1")]
    public void OrdersAreAsPublished(int layers, int depth, string sequence, string cycle, string reversed) => Assert.Equal(
        (sequence, cycle, reversed),
        (string.Join(' ', RecurrentStacking2019.Sequence(layers, depth)), string.Join(' ', RecurrentStacking2019.Cycle(layers, depth)), string.Join(' ', RecurrentStacking2019.CycleReversed(layers, depth))));

    [Fact]
    public void WhatCannotBeStackedIsRefused()
    {
        Assert.Equal("RecurrentStacking2019: there must be 1 layer or more and no more than the depth, got 3 and 2.", Assert.Throws<ArgumentException>(() => RecurrentStacking2019.Cycle(3, 2)).Message);
        var stacked = RecurrentStacking2019.Of(TinyModels.Transformer);
        Assert.Equal("RecurrentStacking2019: a model must have no paths yet, got [1, 1] and [1, 1].", Assert.Throws<ArgumentException>(() => RecurrentStacking2019.Of(stacked)).Message);
        Assert.Equal(["encoder_layer_drop must be a number of at least 0 and below 1, got 1.", "decoder_path must name layers from 1 to 2, got [1, 3]."], (TinyModels.Transformer with { DecoderPath = [1, 3], EncoderLayerDrop = 1 }).Validate());
        Assert.Equal(["encoder_path has no meaning for a language model; leave it out."], (TinyModels.Transformer.AsLanguageModel() with { EncoderPath = [1] }).Validate());
    }

    /// <summary>The gradient of a layer that is applied N times is the sum over N layers with the same values, each applied once.</summary>
    [Theory, Devices]
    public void AStackIsSoManyEqualLayers(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var architecture in TinyModels.OfLayers)
        {
            var untied = TinyModels.Of(architecture) with { EncoderLayers = 3, DecoderLayers = 3, EncoderKernelWidths = [.. TinyModels.Of(architecture).EncoderKernelWidths.Take(1)], DecoderKernelWidths = [.. TinyModels.Of(architecture).DecoderKernelWidths.Take(1)] };
            using var stacked = TinyModels.Create(RecurrentStacking2019.Of(untied), device);
            using var layers = TinyModels.Create(untied, device, seed: 2);
            var first = stacked.NamedParameters().ToDictionary(p => p.Name, p => p.Tensor);
            foreach (var (parameter, tensor) in layers.NamedParameters())
                tensor.CopyFrom(first[OfFirst(parameter)].ToArray());
            using var scope = TensorScope.Begin();
            float[] once = Learn(layers), again = Learn(stacked);
            Assert.Equal(once, again);
            foreach (var group in layers.NamedParameters().GroupBy(p => OfFirst(p.Name)))
            {
                float[] sum = [.. group.Select(p => p.Tensor.Grad!.ToArray()).Aggregate((a, b) => [.. a.Zip(b, (x, y) => x + y)])], shared = first[group.Key].Grad!.ToArray();
                float most = sum.Max(Math.Abs);
                Assert.All(sum.Zip(shared), p => Assert.True(Math.Abs(p.First - p.Second) <= 1e-5f * (1 + most), $"{group.Key}: {p}"));
            }
        }

        static string OfFirst(string parameter) => parameter.Replace(".layers.1.", ".layers.0.", StringComparison.Ordinal).Replace(".layers.2.", ".layers.0.", StringComparison.Ordinal);

        static float[] Learn(Seq2SeqModel model)
        {
            var encoded = TinyModels.Encode(model, [[4, 5, 6, Vocabulary.Eos], [7, Vocabulary.Eos]]);
            var features = model.Decode(Tensor.From(model.Device, [2, 4, 5, 2, 8, 9], [2, 3]), encoded);
            float[] values = features.ToArray();
            Ops.Sum(Ops.Multiply(features, features)).Backward();
            return values;
        }
    }

    [Fact]
    public void ADroppedLayerIsPassedByAndNoneWhenNothingIsTrained()
    {
        using var device = new CpuDevice(1);
        var config = TinyModels.Transformer with { DecoderLayers = 4, DecoderLayerDrop = 0.5f };
        using var model = TinyModels.Create(config, device);
        using var scope = TensorScope.Begin();
        var encoded = TinyModels.Encode(model, [[4, 5, Vocabulary.Eos]]);
        var previous = Tensor.From(device, [2, 4, 5], [1, 3]);
        var random = new RandomSource(5);
        var seen = new Dictionary<string, int>();
        for (int i = 0; i < 400; i++)
        {
            ulong before = random.Position;
            string features = string.Join(' ', model.Decode(previous, encoded, random).ToArray());
            Assert.Equal(features, string.Join(' ', model.Decode(previous, encoded, new RandomSource(5, before)).ToArray()));
            seen[features] = seen.GetValueOrDefault(features) + 1;
        }

        // All 16 ways through four layers come, each 25 times in the mean.
        Assert.Equal(16, seen.Count);
        Assert.All(seen.Values, n => Assert.InRange(n, 8, 50));
        foreach (int[] path in (int[][])[[1, 2, 3, 4], [2, 4]])
        {
            using var pruned = SequenceModel.Create(config with { DecoderPath = path }, device, new RandomSource(1));
            pruned.LoadParameters("model", model.NamedParameters().ToDictionary(p => p.Name, p => p.Tensor));
            string features = string.Join(' ', pruned.Decode(previous, TinyModels.Encode(pruned, [[4, 5, Vocabulary.Eos]])).ToArray());
            Assert.Contains(features, seen.Keys);
            if (path.Length == 4)
                Assert.Equal(features, string.Join(' ', model.Decode(previous, encoded).ToArray()));
        }
    }

    [Theory]
    [InlineData(6, 0.5f, "1 3 5")]
    [InlineData(6, 0.4f, "1 3 5")]
    [InlineData(6, 0.3f, "1 2 4 5")]
    [InlineData(12, 0.2f, "1 2 3 4 6 7 8 9 11 12")]
    public void EveryOtherIsAsPublished(int layers, float probability, string left) => Assert.Equal(left, string.Join(' ', LayerDrop2020.EveryOther(layers, probability)));

    [Fact]
    public void LayersAreDroppedOnBothSidesWhereThereAreTwo()
    {
        var config = LayerDrop2020.Of(TinyModels.Transformer);
        Assert.Equal((0.2f, 0.2f), (config.EncoderLayerDrop, config.DecoderLayerDrop));
        Assert.Empty(LayerDrop2020.Of(TinyModels.Transformer.AsLanguageModel() with { TargetVocabulary = 11 }).Validate());
        Assert.Equal((0.5f, 0f), (LayerDrop2020.Probability(6, 3), LayerDrop2020.Probability(6, 6)));
        Assert.Equal("LayerDrop2020: 1 to 6 layers must be left, got 7.", Assert.Throws<ArgumentOutOfRangeException>(() => LayerDrop2020.Probability(6, 7)).Message);
        Assert.Equal("LayerDrop2020: the probability must be above 0 and at most 0.5, got 0.6.", Assert.Throws<ArgumentOutOfRangeException>(() => LayerDrop2020.EveryOther(6, 0.6f)).Message);
    }

    // C = 8, F = 12: a layer of the encoder has 532 parameters, one of the decoder 836.
    [Fact]
    public void LayersAreTraded()
    {
        var config = DeepEncoder2021.Of(TinyModels.Transformer with { DecoderPath = [1, 2, 1] }, encoder: 5, decoder: 1);
        Assert.Equal((5, 1, true, 0), (config.EncoderLayers, config.DecoderLayers, config.PreNorm, config.DecoderPath.Count));
        using var model = SequenceModel.Declare(config);
        using var linear = SequenceModel.Declare(DeepEncoder2021.WithOutputLinear(config));
        Assert.Equal((11 * 8) + (5 * 532) + 836 + 32, model.ParameterCount);
        Assert.Equal(model.ParameterCount + 64, linear.ParameterCount);
    }
}
