using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Decoding that leaves the layers early gives what the whole decoder gives when states are passed on.</summary>
public sealed class EarlyExitTests
{
    private static readonly int[][] Sources = [[4, 5, 6, Vocabulary.Eos], [7, Vocabulary.Eos], [8, 9, Vocabulary.Eos]];

    public static TheoryData<string> Kinds => DepthAdaptiveTests.Kinds;

    /// <summary>Each position of each hypothesis at a depth of its own, against one parallel pass over the whole.</summary>
    [Theory, Devices]
    public void StepsAreThoseOfTheWholeDecoder(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (string kind in new[] { "post-norm", "pre-norm", "dynamicconv", "stacked", "fused", "universal", "all at once" })
        {
            using var model = (EncoderDecoderModel)TinyModels.Create(DepthAdaptiveTests.Of(kind), device);
            using var scope = TensorScope.Begin();
            int deepest = model.Config.DecoderDepth;
            var random = new Random(3);
            const int Steps = 5;
            int[][] previous = [.. Enumerable.Range(0, 6).Select(_ => (int[])[Vocabulary.Eos, .. Enumerable.Range(0, Steps - 1).Select(_ => random.Next(4, 11))])];
            int[][] depths = [.. Enumerable.Range(0, 6).Select(_ => Enumerable.Range(0, Steps).Select(_ => random.Next(1, deepest + 1)).ToArray())];
            depths[2] = [1, 1, 1, 1, 1];
            depths[3] = [1, 1, 1, 1, 1];
            var encoded = TinyModels.Encode(model, Sources);
            var rows = Tensor.From(device, [0, 0, 1, 1, 2, 2]);
            var twice = new EncoderOutput(Of(encoded.States), Tensor.From(device, [4, 4, 2, 2, 3, 3])) { Layers = [.. encoded.Layers.Select(Of)], Surface = encoded.Surface is { } s ? Of(s) : null };
            var whole = model.Decoder.ForwardMixed(Tensor.From(device, [.. previous.SelectMany(p => p)], [6, Steps]), twice, depths.SelectMany(d => d).ToArray(), null);
            int width = whole.Shape[2];
            float[] expected = whole.ToArray();
            var plan = new Plan();
            using var state = model.Begin(Sources, beam: 2, maxLength: Steps, DecodingSizes.Exact, memory: null, plan);
            state.ExitCounts = new long[deepest];
            int[] order = [0, 1, 2, 3, 4, 5];
            for (int t = 0; t < Steps; t++)
            {
                plan.Depths = [.. order.Select(n => depths[n][t])];
                float[] step = model.DecodeStep(Tensor.From(device, [.. order.Select(n => previous[n][t])]), state).ToArray();
                for (int i = 0; i < 6; i++)
                {
                    for (int c = 0; c < width; c++)
                        Assert.Equal(expected[(((order[i] * Steps) + t) * width) + c], step[(i * width) + c], 1e-4f);
                }

                int[] parents = [.. Enumerable.Range(0, 6).Select(i => i / 2 == t % 3 ? i ^ 1 : i)];
                state.Reorder(parents);
                order = [.. parents.Select(i => order[i])];
            }

            Assert.Equal(Enumerable.Range(1, deepest).Select(n => (long)depths.Sum(d => d.Count(v => v == n))), state.ExitCounts);

            Tensor Of(Tensor x) => Ops.IndexSelect(x, 0, rows);
        }
    }

    /// <summary>Each layer is as likely, and what is drawn for a sentence depends on nothing beside it: neither on the batch nor on its place in it.</summary>
    [Fact]
    public void ARandomExitIsEquallyLikelyAfterEachLayerWhateverStandsBesideIt()
    {
        using var device = new CpuDevice(2);
        using var model = TinyModels.Create(DepthAdaptiveTests.Of("pre-norm"), device);
        var random = new Random(5);
        int[][] sources = [.. Enumerable.Range(0, 100).Select(_ => (int[])[.. Enumerable.Range(0, random.Next(2, 7)).Select(_ => random.Next(4, 11)), Vocabulary.Eos])];
        var options = new DecodingOptions { Beam = 1, MinLength = 20, MaxLengthB = 20, Exit = ExitRule.Random(7) };
        var generator = new SequenceGenerator(model);
        var together = generator.Generate(sources, options);
        long[] counts = [.. generator.ExitCounts];
        double expected = counts.Sum() / (double)counts.Length, deviation = Math.Sqrt(expected * (counts.Length - 1) / counts.Length);
        Assert.True(counts.Sum() >= 2000);
        Assert.All(counts, c => Assert.InRange(c, expected - (4 * deviation), expected + (4 * deviation)));
        for (int i = 0; i < 5; i++)
            PlainSearch.Same(together[i], generator.Generate([sources[i]], options)[0]);
        Assert.NotEqual(counts, Counts(8));
        Assert.Equal(counts, Counts(7));

        IReadOnlyList<long> Counts(ulong seed)
        {
            generator.Generate(sources, options with { Exit = ExitRule.Random(seed) });
            return generator.ExitCounts;
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void AFixedDepthIsTheModelThatEndsThere(string kind)
    {
        using var device = new CpuDevice(1);
        var config = DepthAdaptiveTests.Of(kind);
        if (config.EncoderFusion != EncoderFusion.None)
            return;
        using var model = TinyModels.Create(config, device);
        var options = new DecodingOptions { Beam = 3, NBest = 3, MaxLengthB = 7 };
        for (int depth = 1; depth <= config.DecoderDepth; depth++)
        {
            var path = config.DecoderPath.Count > 0 ? config.DecoderPath : Enumerable.Range(1, config.DecoderLayers);
            using var ended = SequenceModel.Create(config with { DecoderPath = [.. path.Take(depth)] }, device, new RandomSource(1));
            ended.LoadParameters("model", model.NamedParameters().ToDictionary(p => p.Name, p => p.Tensor));
            var expected = new SequenceGenerator(ended).Generate(Sources, options);
            var generator = new SequenceGenerator(model);
            var got = generator.Generate(Sources, options with { Exit = ExitRule.AtDepth(depth) });
            foreach (var (e, g) in expected.Zip(got))
                PlainSearch.Same(e, g);
            Assert.Equal(config.DecoderDepth, generator.ExitCounts.Count);
            Assert.Equal(generator.ExitCounts.Sum(), generator.ExitCounts[depth - 1]);
        }
    }

    [Theory, Devices]
    public void ConfidenceIsTheLargestProbabilityOfALayer(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (string kind in name == TestDevices.Emulated ? ["pre-norm", "all at once"] : Kinds.Select(k => k.Data))
            LeavesByConfidence(device, kind);
    }

    // The keys and values of the source are projected for the layers that somebody came to, when the first of them came.
    [Theory, Devices]
    public void ALayerSeesTheSourceWhenSomebodyComesToIt(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (string kind in new[] { "pre-norm", "stacked", "fused", "all at once" })
        {
            using var model = (EncoderDecoderModel)TinyModels.Create(DepthAdaptiveTests.Of(kind), device);
            using var pause = new NoGrad();
            var plan = new Plan();
            using var state = model.Begin(Sources, beam: 1, maxLength: 3, DecodingSizes.Exact, memory: null, plan);
            foreach (int[] depths in (int[][])[[1, 1, 1], [2, 1, 1], [1, 3, 2]])
            {
                plan.Depths = depths;
                using (var scope = TensorScope.Begin())
                    model.DecodeStep(Tensor.From(device, [2, 2, 2]), state);
                Assert.Equal(Enumerable.Range(1, model.Config.DecoderDepth).Select(n => n > depths.Max()), Enumerable.Range(0, model.Config.DecoderDepth).Select(n => IsBlind(model.Decoder, state, n)));
            }
        }

        static bool IsBlind(Decoder decoder, IncrementalState state, int place)
        {
            state.Depth = place;
            return decoder.Path[place].IsBlind(state);
        }
    }

    // Blocks that nobody comes to launch no attention and no feed-forward, and rows that have left are not computed: their keys and values alone are.
    [Fact]
    public void WhatNobodyComesToIsNotComputed()
    {
        using var cuda = TestDevices.OpenCuda();
        using var model = (EncoderDecoderModel)TinyModels.Create(DepthAdaptiveTests.Of("pre-norm"), cuda);
        using var pause = new NoGrad();
        var plan = new Plan();
        using var state = model.Begin(Sources, beam: 1, maxLength: 4, DecodingSizes.Exact, memory: null, plan);
        long[] launches = [.. new[] { 3, 2, 1 }.Select(depth =>
        {
            plan.Depths = [depth, depth, depth];
            long before = cuda.KernelLaunches;
            using var scope = TensorScope.Begin();
            model.DecodeStep(Tensor.From(cuda, [2, 2, 2]), state);
            return cuda.KernelLaunches - before;
        })];

        // A step of this model has one layer and what surrounds the layers, so that each layer more is a good part of it.
        Assert.Equal(launches[0] - launches[1], launches[1] - launches[2]);
        Assert.InRange(launches[1] - launches[2], launches[2] / 4, launches[2]);

        using var scope = TensorScope.Begin();
        using var fresh = model.Begin(Sources, beam: 1, maxLength: 4, DecodingSizes.Exact, memory: null, plan);
        var rows = new StepRows(fresh, [0, 2]);
        fresh.Depth = 0;
        fresh.Prepare();
        foreach (var mixer in new SequenceMixer[] { new SelfAttention(8, 2, 0, causal: true), new ConvModule(8, glu: true, 0, new DynamicConvolution(8, 2, 3, causal: true, TapNormalization.Softmax, 0)) })
        {
            mixer.Initialize(cuda, new RandomSource(1));
            mixer.Begin(fresh);
            Assert.Equal([2, 8], mixer.Step(Tensor.Zeros(cuda, [3, 8]), fresh, rows)!.Shape);
            mixer.Dispose();
        }
    }

    private static void LeavesByConfidence(Device device, string kind)
    {
        using var model = TinyModels.Create(DepthAdaptiveTests.Of(kind), device);
        int deepest = model.Config.DecoderDepth;
        var generator = new SequenceGenerator(model);
        var options = new DecodingOptions { Beam = 2, MaxLengthB = 7 };
        var plain = generator.Generate(Sources, options);
        Assert.Empty(generator.ExitCounts);
        var never = generator.Generate(Sources, options with { Exit = ExitRule.Confidence(1) });
        foreach (var (e, g) in plain.Zip(never))
            PlainSearch.Same(e, g);
        Assert.Equal(generator.ExitCounts.Sum(), generator.ExitCounts[^1]);
        generator.Generate(Sources, options with { Exit = ExitRule.Confidence(0) });
        if (model.Config.SurfaceFusion != SurfaceFusion.Hard)
            Assert.Equal(generator.ExitCounts.Sum(), generator.ExitCounts[0]);

        // Between them some leave and some stay.
        Assert.Contains(Enumerable.Range(1, 19).Select(i => i / 20f).Concat([0.99f, 0.999f, 0.9999f, 0.99999f, 0.999999f]), threshold =>
        {
            generator.Generate(Sources, options with { Exit = ExitRule.Confidence([.. Enumerable.Repeat(threshold, deepest - 1)]) });
            return generator.ExitCounts.Count(c => c > 0) > 1;
        });
        Assert.Equal(
            $"SequenceGenerator: exit thresholds must be one, or one for each of the {deepest - 1} layers before the last, got {deepest + 3}.",
            Assert.Throws<ArgumentException>(() => generator.Generate(Sources, options with { Exit = ExitRule.Confidence(new float[deepest + 3]) })).Message);
    }

    [Fact]
    public void WhatIsNoRuleIsRefused()
    {
        Assert.Equal("ExitRule: the depth must be at least 1, got 0.", Assert.Throws<ArgumentOutOfRangeException>(() => ExitRule.AtDepth(0)).Message);
        using var device = new CpuDevice(1);
        using var model = TinyModels.Create(TinyModels.Transformer, device);
        Assert.Equal(
            "SequenceGenerator: the depth of an exit must be from 1 to 2, got 3.",
            Assert.Throws<ArgumentException>(() => new SequenceGenerator(model).Generate(Sources, new DecodingOptions { Exit = ExitRule.AtDepth(3) })).Message);
        Assert.Equal(
            "SequenceGenerator: alignments are of the decoder's last layer, they cannot be had with exits before it.",
            Assert.Throws<ArgumentException>(() => new SequenceGenerator(model).Generate(Sources, new DecodingOptions { Exit = ExitRule.AtDepth(1), Alignments = true })).Message);
        Assert.Equal("ExitRule: a threshold must be in 0 .. 1, got 1.5.", Assert.Throws<ArgumentOutOfRangeException>(() => ExitRule.Confidence(0.5f, 1.5f)).Message);
        Assert.Equal("ExitRule: there must be at least one threshold, got none.", Assert.Throws<ArgumentException>(() => ExitRule.Confidence()).Message);
    }

    private sealed class Plan : ExitRule
    {
        public int[] Depths { get; set; } = [];

        internal override bool[] Leaves(int depth, IReadOnlyList<int> rows, ExitEvidence evidence) => [.. rows.Select(n => Depths[n] == depth)];
    }
}
