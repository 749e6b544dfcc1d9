using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>One layer many times. That such models are the equations of theirs, and decode what they compute, is among the tests of whole models, which have some.</summary>
public sealed class UniversalTransformerTests
{
    // tensor2tensor's base: the layers of a big transformer once, 61 to 63 million parameters with a vocabulary of 32 to 33 thousand.
    [Theory]
    [InlineData("universal_base", 1024, 4096, 16, 0.3f, 61.2e6, 63.1e6)]
    [InlineData("universal_small", 512, 2048, 8, 0.1f, 23.7e6, 24.3e6)]
    [InlineData("universal_big", 2048, 8192, 16, 0.3f, 183e6, 185e6)]
    public void PresetsAreTensor2Tensors(string preset, int width, int inner, int heads, float dropout, double least, double most)
    {
        var config = SequenceModel.Presets(Architecture.Transformer)[preset] with { SourceVocabulary = 32_500, TargetVocabulary = 32_500 };
        Assert.Empty(config.Validate());
        Assert.Equal((width, inner, heads, dropout, false, 6, 6, 1, 1), (config.ModelWidth, config.FeedForwardWidth, config.AttentionHeads, config.Dropout, config.PreNorm, config.EncoderDepth, config.DecoderDepth, config.EncoderLayers, config.DecoderLayers));
        Assert.Equal((StepSignal.Sinusoid, Halting.None), (config.StepSignal, config.Halting));

        // 4 C^2 of an attention, 2 C F of a feed-forward block, biases and norms, and one table.
        long c = width, f = inner, attention = (4 * c * c) + (4 * c), feedForward = (2 * c * f) + c + f, norm = 2 * c;
        long expected = (3 * attention) + (2 * feedForward) + (5 * norm) + (32_500 * c);
        using var model = SequenceModel.Declare(config);
        Assert.Equal(expected, model.ParameterCount);
        Assert.InRange(expected, least, most);
    }

    [Fact]
    public void LearnedSignalsAndHaltingUnitsAreParameters()
    {
        var config = UniversalTransformer2018.Halted(UniversalTransformer2018.Of(TinyModels.Transformer with { EncoderLayers = 3, DecoderLayers = 4 }, StepSignal.Learned));
        using var model = SequenceModel.Declare(config);
        Assert.Equal(
            ["encoder.step_signal.weight [3, 8]", "encoder.halting.weight [1, 8]", "encoder.halting.bias [1]", "decoder.step_signal.weight [4, 8]", "decoder.halting.weight [1, 8]", "decoder.halting.bias [1]"],
            model.ParameterShapes().Where(p => p.Name.Contains("step", StringComparison.Ordinal) || p.Name.Contains("halting", StringComparison.Ordinal)).Select(p => $"{p.Name} {p.Shape}"));
    }

    /// <summary>A unit that is sure after its first step makes of any stack its first layer, at a ponder of 2; one that never is makes it the whole stack, at T + 1.</summary>
    [Fact]
    public void HaltingAtOnceIsOneLayerAndNeverIsAllOfThem()
    {
        using var device = new CpuDevice(1);
        using var scope = TensorScope.Begin();
        var config = UniversalTransformer2018.Of(TinyModels.Transformer with { EncoderLayers = 3, DecoderLayers = 3 });
        foreach (var (bias, depth) in new[] { (40f, 1), (-40f, 3) })
        {
            using var halted = TinyModels.Create(UniversalTransformer2018.Halted(config), device);
            var parameters = halted.NamedParameters().ToDictionary(p => p.Name, p => p.Tensor);
            parameters["encoder.halting.bias"].CopyFrom([bias]);
            parameters["decoder.halting.bias"].CopyFrom([bias]);
            int[] path = [.. Enumerable.Repeat(1, depth)];
            using var plain = SequenceModel.Create(config with { EncoderPath = path, DecoderPath = path }, device, new RandomSource(1));
            plain.LoadParameters("model", plain.NamedParameters().ToDictionary(p => p.Name, p => parameters[p.Name]));
            var (encoded, expected) = (TinyModels.Encode(halted, [[4, 5, 6, Vocabulary.Eos]]), TinyModels.Encode(plain, [[4, 5, 6, Vocabulary.Eos]]));
            Assert.All(encoded.Ponder!.ToArray(), p => Assert.Equal(depth + 1, p, 1e-5f));
            var previous = Tensor.From(device, [2, 4, 5], [1, 3]);
            Assert.All(plain.Decode(previous, expected).ToArray().Zip(halted.Decode(previous, encoded).ToArray()), p => Assert.Equal(p.First, p.Second, 1e-5f));
            if (depth == 3)
                Assert.All(plain.SourceAttention(previous, expected).ToArray().Zip(halted.SourceAttention(previous, encoded).ToArray()), p => Assert.Equal(p.First, p.Second, 1e-5f));
        }
    }

    /// <summary>The last layer pays its attention from the states that have halted before it: after the first layer those that this one gave, as if no layer stood between the two.</summary>
    [Fact]
    public void AttentionIsPaidFromTheStatesThatHalted()
    {
        using var device = new CpuDevice(1);
        using var scope = TensorScope.Begin();
        var config = TinyModels.Transformer with { EncoderLayers = 3, DecoderLayers = 3 };
        using var halted = TinyModels.Create(UniversalTransformer2018.Halted(config), device);
        var parameters = halted.NamedParameters().ToDictionary(p => p.Name, p => p.Tensor);
        parameters["encoder.halting.bias"].CopyFrom([40f]);
        parameters["decoder.halting.bias"].CopyFrom([40f]);
        var previous = Tensor.From(device, [2, 4, 5], [1, 3]);
        float[] got = halted.SourceAttention(previous, TinyModels.Encode(halted, [[4, 5, 6, Vocabulary.Eos]])).ToArray();
        Assert.All(Plain([1, 3]).Zip(got), p => Assert.Equal(p.First, p.Second, 1e-5f));
        Assert.Contains(Plain([1, 2, 3]).Zip(got), p => Math.Abs(p.First - p.Second) > 1e-2f);

        float[] Plain(int[] path)
        {
            using var plain = SequenceModel.Create(config with { EncoderPath = [1], DecoderPath = path }, device, new RandomSource(1));
            plain.LoadParameters("model", plain.NamedParameters().ToDictionary(p => p.Name, p => parameters[p.Name]));
            return plain.SourceAttention(previous, TinyModels.Encode(plain, [[4, 5, 6, Vocabulary.Eos]])).ToArray();
        }
    }

    [Fact]
    public void PonderingCostsAndPaddingDoesNot()
    {
        using var device = new CpuDevice(1);
        using var scope = TensorScope.Begin();
        var config = UniversalTransformer2018.Halted(UniversalTransformer2018.Of(TinyModels.Transformer), weight: 0.5f);
        foreach (bool language in (bool[])[false, true])
        {
            using AutoregressiveModel costly = Create(config, language), free = Create(config with { HaltingLossWeight = 0 }, language);
            var pair = CudaSeq.Models.Batch.Of(Corpus.From([new SentencePair([4, 5, Vocabulary.Eos], [8, 9, 10, Vocabulary.Eos]), new SentencePair([7, Vocabulary.Eos], [9, Vocabulary.Eos])]), [0, 1]);
            double Cost(CudaSeq.Models.Batch batch)
            {
                using var tensors = new BatchTensors(device, batch);
                var (loss, nll) = costly.Loss(tensors, 0, LabelSmoothing.OverOthers, null);
                var (without, same) = free.Loss(tensors, 0, LabelSmoothing.OverOthers, null);
                Assert.Equal((same.Item(), same.Item()), (nll.Item(), without.Item()));
                return loss.Item() - without.Item();
            }

            // Every real position takes a step at least, and the rest with it.
            int positions = 6 + (language ? 0 : 5);
            Assert.InRange(Cost(pair), 0.5 * 2 * positions * 0.999, 0.5 * 3 * positions);
            Assert.Equal(Cost(pair), Cost(pair.PaddedTo(16)), 1e-4);
        }

        AutoregressiveModel Create(ModelConfig c, bool language) => language ? TinyModels.CreateLanguageModel(c.AsLanguageModel(), device) : TinyModels.Create(c, device);
    }

    [Fact]
    public void WhatHasNoMeaningIsRefused()
    {
        var halted = UniversalTransformer2018.Halted(TinyModels.Transformer);
        Assert.Equal(["halting_epsilon needs halting act."], (TinyModels.Transformer with { HaltingEpsilon = 0.1f }).Validate());
        Assert.Equal(["halting_loss_weight needs halting act."], (TinyModels.Transformer with { HaltingLossWeight = 1 }).Validate());
        Assert.Equal(["halting_epsilon must be a number of at least 0 and below 1, got 1."], (halted with { HaltingEpsilon = 1 }).Validate());
        Assert.Equal(["adaptive_depth must be none with halting act, which has depths of its own."], DepthAdaptive2020.Aligned(halted).Validate());
        Assert.Equal(["encoder_fusion must be none with halting act, which has no layers that all positions pass through."], (halted with { EncoderFusion = EncoderFusion.Coarse }).Validate());
        Assert.Equal(["decoder_layer_drop must be 0 with halting act, which leaves out layers by itself."], (halted with { DecoderLayerDrop = 0.1f }).Validate());

        using var device = new CpuDevice(1);
        using var model = TinyModels.Create(halted, device);
        var refusal = Assert.Throws<ArgumentException>(() => new SequenceGenerator(model).Generate([[4, Vocabulary.Eos]], new DecodingOptions { Exit = ExitRule.AtDepth(1) }));
        Assert.Equal("SequenceGenerator: positions of a model with halting act halt where it says, and cannot leave elsewhere.", refusal.Message);
    }

    [Theory]
    [InlineData(Halting.None)]
    [InlineData(Halting.Act)]
    public void LearnsToReverse(Halting halting)
    {
        var config = UniversalTransformer2018.Of(TinyTraining.Of(Architecture.Transformer)) with { Halting = halting, EncoderPath = [1, 1, 1], DecoderPath = [1, 1, 1] };
        var result = TinyTraining.Train(config, TinyTraining.Options(150) with { ValidateEvery = 150 });
        Assert.True(result.Validation!.Perplexity < 3, $"perplexity {result.Validation.Perplexity}");
    }
}
