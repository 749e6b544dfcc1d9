using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>What holds of layer attention and surface fusion beside their equations, which the tests of whole models have.</summary>
public sealed class SurfaceFusionTests
{
    private const string Block = "decoder.surface.feed_forward.";

    private static readonly int[][] Sources = [[4, 5, 6, Vocabulary.Eos], [7, Vocabulary.Eos]];

    // 6 layers of a decoder, 7 states, 512 channels; and the layer norm.
    [Fact]
    public void FineAttentionHasThePapersParameters()
    {
        var config = Transformer2017.Base with { SourceVocabulary = 100, TargetVocabulary = 100, PreNorm = true };
        long plain = SequenceModel.Declare(config).ParameterCount, fine = SequenceModel.Declare(SurfaceFusion2021.Fine(config)).ParameterCount, coarse = SequenceModel.Declare(SurfaceFusion2021.Coarse(config)).ParameterCount;

        // Its layer norm takes the place of the encoder's last.
        Assert.Equal((21_504, 42), (fine - plain, coarse - plain));
        var hard = SequenceModel.Declare(SurfaceFusion2021.Hard(config, gate: 0));
        Assert.Equal((4 * ((512 * 512) + 512)) + (2 * 512 * 2048) + 2048 + 512 + 1024, hard.ParameterCount - plain);
    }

    /// <summary>The block of both streams is four times as wide inside as the model, whatever the layers' blocks are.</summary>
    [Fact]
    public void TheSharedBlockHasAWidthOfItsOwn()
    {
        var plain = TinyModels.Transformer with { ModelWidth = 64, FeedForwardWidth = 96 };
        var hard = SequenceModel.Declare(SurfaceFusion2021.Hard(plain));
        long without = SequenceModel.Declare(SurfaceFusion2021.Hard(plain) with { SurfaceFeedForward = false }).ParameterCount;
        Assert.Equal(4 * ((64 * 64) + 64), without - SequenceModel.Declare(plain).ParameterCount);
        Assert.Equal((2 * 64 * 256) + 256 + 64, hard.ParameterCount - without);
        Assert.Equal(
            ["fc1.weight [256, 64]", "fc1.bias [256]", "fc2.weight [64, 256]", "fc2.bias [64]"],
            hard.ParameterShapes().Where(p => p.Name.StartsWith(Block, StringComparison.Ordinal)).Select(p => $"{p.Name[Block.Length..]} {p.Shape}"));
    }

    // Both have the same shape; with the one of the surface at zero its distribution is even, and what is left is the other's.
    [Fact]
    public void EachStreamHasAMatrixOfItsOwn()
    {
        using var device = new CpuDevice(1);
        var config = SurfaceFusion2021.Soft(TinyModels.Transformer) with { SurfaceLinear = true, SurfaceFeedForward = false };
        using var model = TinyModels.Create(config, device);
        using var plain = TinyModels.Create(TinyModels.Transformer, device);
        Assert.Equal((4 * (64 + 8)) + (2 * 64), model.ParameterCount - plain.ParameterCount);
        plain.LoadParameters("fused", model.NamedParameters().Where(p => !p.Name.Contains("surface", StringComparison.Ordinal)).ToDictionary(p => p.Name, p => p.Tensor));
        using var scope = TensorScope.Begin();
        model.LoadParameters("one", model.NamedParameters().ToDictionary(p => p.Name, p => p.Name switch
        {
            "decoder.surface.state_linear.weight" => Tensor.From(device, [.. Enumerable.Range(0, 64).Select(i => i % 9 == 0 ? 1f : 0f)], [8, 8]),
            "decoder.surface.surface_linear.weight" => Tensor.Zeros(device, [8, 8]),
            _ => p.Tensor,
        }));
        var previous = Tensor.From(device, [2, 4, 5, 2, 6, 7], [2, 3]);
        Assert.Equal(plain.Logits(plain.Decode(previous, TinyModels.Encode(plain, Sources))).ToArray(), model.Logits(model.Decode(previous, TinyModels.Encode(model, Sources))).ToArray());
    }

    [Fact]
    public void AnotherLayerMayAttend()
    {
        using var device = new CpuDevice(1);
        var config = SurfaceFusion2021.Soft(TinyModels.Transformer);
        float[] last = Logits(config), first = Logits(config with { SurfaceLayer = 1 });
        Assert.Equal(last, Logits(config with { SurfaceLayer = config.DecoderLayers }));
        Assert.NotEqual(last, first);
        Assert.Equal(["surface_layer must be from 0 to the decoder's 2 layers, got 3."], (config with { SurfaceLayer = 3 }).Validate());
        Assert.Equal(["surface_layer needs surface_fusion hard or soft."], (TinyModels.Transformer with { SurfaceLayer = 1 }).Validate());
        Assert.Equal(["surface_linear needs surface_fusion hard or soft."], (TinyModels.Transformer with { SurfaceLinear = true }).Validate());
        var halted = UniversalTransformer2018.Halted(config with { DecoderPath = [1, 2, 1], EncoderPath = [1, 2, 1], StepSignal = StepSignal.Sinusoid });
        Assert.Equal(["surface_layer must be 0 with halting, whose states are means over all steps, got 1."], (halted with { SurfaceLayer = 1 }).Validate());

        float[] Logits(ModelConfig of)
        {
            using var model = TinyModels.Create(of, device);
            using var scope = TensorScope.Begin();
            return model.Logits(model.Decode(Tensor.From(device, [2, 4, 5, 2, 6, 7], [2, 3]), TinyModels.Encode(model, Sources))).ToArray();
        }
    }

    // A path that ends early is the exit there; of another the layer that attends would be another one.
    [Fact]
    public void AShorterPathAttendsAsAnExitDoes()
    {
        using var device = new CpuDevice(1);
        var config = DepthAdaptive2020.Aligned(SurfaceFusion2021.Soft(TinyModels.Transformer with { DecoderLayers = 3 }) with { SurfaceLayer = 2 });
        Assert.Equal((1, 2, 2), (Of([1]).SurfaceLayer, Of([1, 2]).SurfaceLayer, Of([1, 2, 3]).SurfaceLayer));
        Assert.Equal(
            "decoder_path must be the beginning of [1, 2, 3], of whose places surface_layer is one, got [1, 3].",
            Assert.Throws<ArgumentException>(() => Of([1, 3])).Message);
        using var whole = TinyModels.Create(config, device);
        var options = new DecodingOptions { Beam = 2, MaxLengthA = 0, MaxLengthB = 6 };
        foreach (int n in new[] { 1, 2 })
        {
            using var cut = TinyModels.Create(Of([.. Enumerable.Range(1, n)]), device);
            cut.LoadParameters("whole", whole.NamedParameters().ToDictionary(p => p.Name, p => p.Tensor));
            var left = new SequenceGenerator(whole).Generate(Sources, options with { Exit = ExitRule.AtDepth(n) });
            var pruned = new SequenceGenerator(cut).Generate(Sources, options);
            Assert.Equal(left.Select(h => string.Join(' ', h[0].Tokens)), pruned.Select(h => string.Join(' ', h[0].Tokens)));
            Assert.All(left.Zip(pruned), p => Assert.Equal(p.First[0].Score, p.Second[0].Score, 1e-5f));
        }

        ModelConfig Of(int[] path) => new LayerPaths(Decoder: path).Of(config);
    }

    [Theory]
    [InlineData(EncoderFusion.Coarse)]
    [InlineData(EncoderFusion.Fine)]
    public void WeightsSumToOneAndDropConnectIsUnbiased(EncoderFusion fusion)
    {
        using var device = new CpuDevice(1);
        using var model = TinyModels.Create(TinyModels.Transformer with { EncoderFusion = fusion, FusionDropConnect = 0.3f }, device);
        var attention = ((EncoderDecoderModel)model).Decoder.LayerAttention!;
        using var scope = TensorScope.Begin();
        foreach (var random in new[] { null, new RandomSource(3) })
        {
            float[] weights = attention.Weights(random).ToArray();
            for (int row = 0; row < weights.Length / 3; row++)
                Assert.Equal(1, weights.Skip(row * 3).Take(3).Sum(), 1e-6f);
        }

        // A dropped logit is 0, not minus infinity: where all of a row are dropped the weights are equal.
        using var dropped = TinyModels.Create(TinyModels.Transformer with { EncoderFusion = fusion, FusionDropConnect = 0.999f }, device);
        Assert.All(((EncoderDecoderModel)dropped).Decoder.LayerAttention!.Weights(new RandomSource(5)).ToArray().Chunk(3).Take(2), row => Assert.All(row, w => Assert.Equal(1 / 3f, w, 1e-6f)));
        var logits = Tensor.From(device, [1f, -2f, 0.5f]);
        double[] sum = new double[3];
        var source = new RandomSource(7);
        for (int i = 0; i < 4000; i++)
        {
            float[] kept = Ops.DropConnect(logits, 0.3f, source).ToArray();
            for (int n = 0; n < 3; n++)
                sum[n] += kept[n] / 4000.0;
        }

        Assert.Equal(1, sum[0], 0.05);
        Assert.Equal(-2, sum[1], 0.1);
        Assert.Equal(0.5, sum[2], 0.03);
    }

    // In training alone, behind the softmax: weights are 0 or divided by 1 - p, and do not sum to 1.
    [Theory]
    [InlineData(EncoderFusion.Coarse)]
    [InlineData(EncoderFusion.Fine)]
    public void WeightsDropOutBehindTheirSoftmax(EncoderFusion fusion)
    {
        using var device = new CpuDevice(1);
        var config = TinyModels.Transformer with { EncoderFusion = fusion };
        using var model = TinyModels.Create(config with { FusionWeightDropout = 0.25f }, device);
        using var plain = TinyModels.Create(config, device);
        var attention = ((EncoderDecoderModel)model).Decoder.LayerAttention!;
        using var scope = TensorScope.Begin();
        float[] weights = attention.Weights().ToArray();
        Assert.Equal(((EncoderDecoderModel)plain).Decoder.LayerAttention!.Weights(new RandomSource(3)).ToArray(), weights);
        int zeros = 0, all = 0;
        bool sumsToOne = true;
        var random = new RandomSource(3);
        for (int i = 0; i < 100; i++)
        {
            float[] dropped = attention.Weights(random).ToArray();
            Assert.All(dropped.Zip(weights), p => Assert.True(p.First == 0 || Math.Abs(p.First - (p.Second / 0.75f)) < 1e-6f));
            zeros += dropped.Count(w => w == 0);
            all += dropped.Length;
            sumsToOne &= dropped.Chunk(3).All(row => Math.Abs(row.Sum() - 1) < 1e-3f);
        }

        Assert.InRange(zeros / (double)all, 0.19, 0.31);
        Assert.False(sumsToOne, "the weights that are left sum to 1");
        Assert.Equal(
            ["fusion_weight_dropout takes the place of fusion_drop_connect, one of them must be 0, got 0.25 and 0.3."],
            (config with { FusionWeightDropout = 0.25f, FusionDropConnect = 0.3f }).Validate());
        Assert.Equal(["fusion_weight_dropout needs an encoder_fusion, coarse or fine."], (TinyModels.Transformer with { FusionWeightDropout = 0.25f }).Validate());
    }

    [Fact]
    public void ALesionTakesALayerAwayAndLeavesTheOthersTheirWeights()
    {
        using var device = new CpuDevice(1);
        using var model = TinyModels.Create(TinyModels.Transformer with { EncoderFusion = EncoderFusion.Fine }, device);
        var attention = ((EncoderDecoderModel)model).Decoder.LayerAttention!;
        using var scope = TensorScope.Begin();
        var encoded = TinyModels.Encode(model, Sources);
        var zero = Tensor.Zeros(device, encoded.Layers[1].Shape);
        var without = attention.Forward([encoded.Layers[0], zero, encoded.Layers[2]], null);
        attention.Lesion = 1;
        var lesion = attention.Forward(encoded.Layers, null);
        foreach (var (a, b) in without.Zip(lesion))
            Assert.All(a.ToArray().Zip(b.ToArray()), p => Assert.Equal(p.First, p.Second, 1e-6f));
        Assert.Equal("LayerAttention: a lesion must be of a layer in 0 .. 2, got 3.", Assert.Throws<ArgumentOutOfRangeException>(() => attention.Lesion = 3).Message);
        attention.Lesion = null;
        Assert.NotEqual(lesion[0].ToArray(), attention.Forward(encoded.Layers, null)[0].ToArray());
    }

    /// <summary>Softmax does not see a constant: log softmax of the sum of the logits is that of the sum of the log probabilities ("postnorm" of the published code).</summary>
    [Fact]
    public void SoftFusionIsTheProductOfTheDistributions()
    {
        using var device = new CpuDevice(1);
        var hard = SurfaceFusion2021.Hard(TinyModels.Transformer);
        using var two = TinyModels.Create(hard, device);
        using var one = TinyModels.Create(SurfaceFusion2021.Soft(TinyModels.Transformer, scale: 0.2f), device);
        one.LoadParameters("two", two.NamedParameters().ToDictionary(p => p.Name, p => p.Tensor));
        using var scope = TensorScope.Begin();
        var previous = Tensor.From(device, [2, 4, 5, 2, 6, 7], [2, 3]);
        var streams = two.Decode(previous, TinyModels.Encode(two, Sources));
        var table = ((EncoderDecoderModel)two).Decoder.OutputWeight;
        Tensor own = Ops.LogSoftmax(Ops.Linear(Ops.Slice(streams, 2, 0, 8), table)), surface = Ops.LogSoftmax(Ops.Scale(Ops.Linear(Ops.Slice(streams, 2, 8, 8), table), 0.2f));
        float[] product = Ops.LogSoftmax(Ops.Add(own, surface)).ToArray(), soft = Ops.LogSoftmax(one.Logits(one.Decode(previous, TinyModels.Encode(one, Sources)))).ToArray();
        Assert.All(product.Zip(soft), p => Assert.Equal(p.First, p.Second, 1e-5f));
    }

    // Both streams pass the block F where there is one: then it is that model with F before the projection.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AGateOfOneIsTheModelWithoutASurface(bool feedForward)
    {
        using var device = new CpuDevice(1);
        using var fused = TinyModels.Create(SurfaceFusion2021.Hard(TinyModels.Transformer, gate: 1) with { SurfaceFeedForward = feedForward }, device);
        using var plain = TinyModels.Create(TinyModels.Transformer, device);
        plain.LoadParameters("fused", fused.NamedParameters().Where(p => !p.Name.Contains("surface", StringComparison.Ordinal)).ToDictionary(p => p.Name, p => p.Tensor));
        using var scope = TensorScope.Begin();
        var previous = Tensor.From(device, [2, 4, 5, 2, 6, 7], [2, 3]);
        float[] h = plain.Decode(previous, TinyModels.Encode(plain, Sources)).ToArray();
        if (feedForward)
        {
            var block = fused.NamedParameters().Where(p => p.Name.StartsWith(Block, StringComparison.Ordinal)).ToDictionary(p => p.Name[Block.Length..], p => p.Tensor.ToArray());
            h = [.. h.Chunk(8).SelectMany(z => z.Zip(Linear("fc2", [.. Linear("fc1", z).Select(v => Math.Max(0, v))]), (a, b) => a + b))];

            float[] Linear(string name, float[] x)
                => [.. block[$"{name}.weight"].Chunk(x.Length).Zip(block[$"{name}.bias"], (row, bias) => bias + row.Zip(x, (w, v) => w * v).Sum())];
        }

        float[] a = fused.Logits(fused.Decode(previous, TinyModels.Encode(fused, Sources))).ToArray(), b = Ops.LogSoftmax(plain.Logits(Tensor.From(device, h, [2, 3, 8]))).ToArray();
        Assert.All(a.Zip(b), p => Assert.Equal(p.First, p.Second, feedForward ? 1e-5f : 1e-6f));
    }

    /// <summary>Query and keys are detached: the surface teaches its own parameters and the embeddings, neither the decoder's layers nor the encoder's.</summary>
    [Theory, Devices]
    public void TheSurfaceTeachesNeitherDecoderNorEncoder(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (bool feedForward in new[] { false, true })
        {
            var config = SurfaceFusion2021.Hard(TinyModels.Transformer) with { SurfaceFeedForward = feedForward, ShareEmbeddings = EmbeddingSharing.Decoder };
            using var model = TinyModels.Create(config, device);
            using var scope = TensorScope.Begin();
            var features = model.Decode(Tensor.From(device, [2, 4, 5, 2, 6, 7], [2, 3]), TinyModels.Encode(model, Sources));
            var surface = Ops.Slice(features, 2, 8, 8);
            Ops.Sum(Ops.Multiply(surface, surface)).Backward();
            foreach (var (parameter, tensor) in model.NamedParameters())
            {
                bool learns = parameter.StartsWith("decoder.surface.", StringComparison.Ordinal) || parameter == "encoder.embed_tokens.weight";

                // Of two biases that every key or every value has, the keys' cancels in the softmax.
                if (parameter != "decoder.surface.attention.k_proj.bias")
                    Assert.True(learns == (tensor.Grad?.ToArray().Any(g => g != 0) ?? false), $"{parameter}, feed-forward block: {feedForward}");
            }
        }
    }
}
