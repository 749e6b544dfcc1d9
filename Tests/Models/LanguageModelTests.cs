using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Decoders without a source.</summary>
public sealed class LanguageModelTests
{
    // What stands before each token of three blocks of a text, and the tokens; the first two of the last are context.
    private static readonly int[][] Previous = [[2, 4, 7, 2, 5], [9, 3, 3], [6, 10, 2, 8]];
    private static readonly int[][] Targets = [[4, 7, 2, 5, 9], [3, 3, 6], [1, 1, 8, 2]];

    /// <summary>Every architecture, post- and pre-norm, with one table and with two.</summary>
    public static IEnumerable<ModelConfig> All =>
    [
        .. TinyModels.All.Select(c => c.AsLanguageModel()),
        TinyModels.Transformer.AsLanguageModel() with { PreNorm = true },
        TinyModels.Conv(Architecture.LightConv).AsLanguageModel() with { PreNorm = true, DecoderGlu = true },
        .. Adaptive,
    ];

    /// <summary>Adaptive embeddings, softmax or both, with all that can be tied.</summary>
    public static IEnumerable<ModelConfig> Adaptive =>
    [
        TinyModels.Adaptive(Architecture.Transformer, 6, 9) with { PreNorm = true },
        TinyModels.Adaptive(Architecture.LightConv, 6, 9) with { AdaptiveInputCutoffs = [5] },
        TinyModels.Adaptive(Architecture.Transformer, 4, 10) with { TieAdaptiveWeights = true },
        TinyModels.Adaptive(Architecture.DynamicConv, 6, 9) with { TieAdaptiveWeights = true, TieAdaptiveProjections = true, PreNorm = true },
        TinyModels.Adaptive(Architecture.Transformer, 7) with { AdaptiveInputCutoffs = [] },
        TinyModels.Adaptive(Architecture.Transformer, 6, 9) with { OutputLinear = true, TieAdaptiveWeights = true },
        TinyModels.Adaptive(Architecture.DynamicConv, 7) with { AdaptiveSoftmaxCutoffs = [] },
    ];

    // What a search ranks is what the softmaxes make a distribution of all tokens.
    [Theory, Devices]
    public void AnAdaptiveSoftmaxIsADistributionOverTheWholeVocabulary(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var config in Adaptive.Where(c => c.AdaptiveSoftmaxCutoffs.Count > 0))
        {
            using var model = TinyModels.CreateLanguageModel(config, device);
            using var scope = TensorScope.Begin();
            Assert.True(model.GivesLogProbabilities);
            var logits = model.Logits(model.Forward(TinyModels.Pad(device, Previous)));
            Assert.Equal(new Shape(3, 5, 11), logits.Shape);
            Assert.All(logits.ToArray().Chunk(11), row => Assert.Equal(1, row.Sum(MathF.Exp), 1e-5f));
            Assert.Equal("Decoder: an adaptive softmax has no one table.", Assert.Throws<InvalidOperationException>(() => model.Decoder.OutputWeight).Message);
        }
    }

    [Fact]
    public void AdaptiveBandsHaveTheirRules()
    {
        var sound = TinyModels.Adaptive(Architecture.Transformer, 6, 9) with { TieAdaptiveWeights = true, TieAdaptiveProjections = true };
        Assert.Empty(sound.Validate());
        Assert.Equal(sound, ModelConfig.FromJson(sound.ToJson()));
        Is(sound with { AdaptiveInputCutoffs = [9, 6], TieAdaptiveWeights = false, TieAdaptiveProjections = false }, "adaptive_input_cutoffs must ascend and be below the 11 tokens, got [9, 6].");
        Is(sound with { AdaptiveSoftmaxCutoffs = [6, 11], TieAdaptiveWeights = false, TieAdaptiveProjections = false }, "adaptive_softmax_cutoffs must ascend and be below the 11 tokens, got [6, 11].");
        Is(sound with { AdaptiveInputCutoffs = [3], TieAdaptiveWeights = false, TieAdaptiveProjections = false }, "adaptive_input_cutoffs must be a list of whole numbers from 4 to 1000000000, got [3].");
        Is(sound with { AdaptiveSoftmaxCutoffs = [6], TieAdaptiveProjections = false }, "tie_adaptive_weights needs adaptive_input_cutoffs and the same adaptive_softmax_cutoffs.");
        Is(sound with { TieAdaptiveWeights = false }, "tie_adaptive_projections needs tie_adaptive_weights.");
        Is(sound with { ShareEmbeddings = EmbeddingSharing.Decoder }, "share_embeddings must be none with adaptive bands, which tie_adaptive_weights makes one.");
        Is(
            sound with { AdaptiveFactor = 4 },
            "adaptive_factor must leave each of the 3 bands of adaptive_input_cutoffs a channel, got 4 and model_width 8.",
            "adaptive_factor must leave each of the 3 bands of adaptive_softmax_cutoffs a channel, got 4 and model_width 8.");
        Is(TinyModels.Transformer.AsLanguageModel() with { AdaptiveFactor = 2 }, "adaptive_factor needs adaptive_input_cutoffs or adaptive_softmax_cutoffs.");
        Is(
            TinyModels.Transformer with { AdaptiveInputCutoffs = [5], AdaptiveFactor = 2 },
            "adaptive_input_cutoffs has no meaning for a model that translates; leave it out.",
            "adaptive_factor has no meaning for a model that translates; leave it out.");

        static void Is(ModelConfig config, params string[] problems) => Assert.Equal(problems, config.Validate());
    }

    /// <summary>fairseq's names: AdaptiveInput's, AdaptiveSoftmax's, and those of a tied softmax, whose copies of the tables it stores too.</summary>
    [Fact]
    public void AdaptiveBandsBearFairseqsNames()
    {
        string[] input = ["embed_tokens.embeddings.0.0.weight [6, 8]", "embed_tokens.embeddings.0.1.weight [8, 8]", "embed_tokens.embeddings.1.0.weight [5, 4]", "embed_tokens.embeddings.1.1.weight [8, 4]"];
        var config = TinyModels.Adaptive(Architecture.Transformer, 6);
        Are(config, [.. input, "adaptive_softmax.head.weight [7, 8]", "adaptive_softmax.tail.0.0.weight [4, 8]", "adaptive_softmax.tail.0.2.weight [5, 4]"]);
        Are(config with { TieAdaptiveWeights = true }, [.. input, "adaptive_softmax.head.class_proj.weight [1, 8]", "adaptive_softmax.tail.0.0.weight [4, 8]"]);
        Are(config with { TieAdaptiveWeights = true, TieAdaptiveProjections = true }, [.. input, "adaptive_softmax.head.class_proj.weight [1, 8]"]);

        static void Are(ModelConfig config, string[] names)
        {
            using var model = new LanguageModel(config);
            Assert.Equal(
                names.Select(n => $"decoder.{n}"),
                model.ParameterShapes().Where(p => !p.Name.Contains(".layers.", StringComparison.Ordinal)).Select(p => $"{p.Name} {p.Shape}"));
        }
    }

    [Theory, Devices]
    public void LogitsLossesAndGradientsAreThoseOfTheEquations(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var config in All)
        {
            using var model = TinyModels.CreateLanguageModel(config, device);
            using var scope = TensorScope.Begin();
            var at = Parameters(model);
            var reference = new ReferenceModel(config, at);
            float[] logits = model.Logits(model.Forward(TinyModels.Pad(device, Previous))).ToArray();
            for (int b = 0; b < Previous.Length; b++)
            {
                var expected = reference.Logits(Previous[b], encoded: null);
                for (int t = 0; t < expected.Length; t++)
                {
                    for (int v = 0; v < config.TargetVocabulary; v++)
                        Assert.Equal(expected[t][v], logits[(((b * 5) + t) * config.TargetVocabulary) + v], 2e-5 * Math.Max(1, Math.Abs(expected[t][v])));
                }
            }

            var (loss, negativeLogLikelihood) = model.Loss(TinyModels.Pad(device, Previous), TinyModels.Pad(device, Targets).Reshape([15]), smoothing: 0.1f);
            Assert.Equal(Loss(reference, 0.1), loss.Item(), 1e-3);
            Assert.Equal(Previous.Zip(Targets, reference.LanguageNegativeLogLikelihood).Sum(), negativeLogLikelihood.Item(), 1e-3);
            loss.Backward();
            var random = new Random(3);
            foreach (var (parameter, tensor) in model.NamedParameters())
            {
                double[] direction = [.. at[parameter].Select(_ => Input.Normal(random))];
                const double Step = 1e-5;
                double difference = (Along(Step) - Along(-Step)) / (2 * Step);
                float[] gradient = tensor.Grad!.ToArray();
                double product = gradient.Zip(direction, (g, d) => g * d).Sum();
                double size = Math.Sqrt(gradient.Sum(g => (double)g * g) * direction.Sum(d => d * d));
                Assert.True(Math.Abs(product - difference) <= (1e-4 * size) + 1e-5, $"{config.Architecture} {parameter}: gradient {product}, difference {difference}");

                double Along(double step)
                {
                    var moved = new Dictionary<string, double[]>(at) { [parameter] = [.. at[parameter].Zip(direction, (v, d) => v + (step * d))] };
                    return Loss(new ReferenceModel(config, moved), 0.1);
                }
            }
        }

        static double Loss(ReferenceModel reference, double smoothing) => Previous.Zip(Targets, (p, t) => reference.LanguageLoss(p, t, smoothing)).Sum();
    }

    [Theory, Devices]
    public void ALaterTokenChangesNothingBeforeIt(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var config in All)
        {
            using var model = TinyModels.CreateLanguageModel(config, device);
            using var scope = TensorScope.Begin();
            float[] one = model.Forward(Tensor.From(device, [2, 4, 5, 6, 7], [1, 5])).ToArray();
            float[] other = model.Forward(Tensor.From(device, [2, 4, 5, 9, 8], [1, 5])).ToArray();
            int past = 3 * config.ModelWidth;
            Assert.Equal(one[..past], other[..past]);
            Assert.NotEqual(one[past..], other[past..]);
        }
    }

    [Theory, Devices]
    public void StepByStepItGivesWhatWholeTextsGiveBeyondTheWidestFilterAndTheFirstMemory(string name)
    {
        const int Steps = 40;
        using var device = TestDevices.Open(name);
        foreach (var config in All)
        {
            using var model = TinyModels.CreateLanguageModel(config, device);
            using var scope = TensorScope.Begin();
            var random = new Random(11);
            int[][] texts = [.. Enumerable.Range(0, 3).Select(_ => Enumerable.Range(0, Steps).Select(t => t == 0 ? Vocabulary.Eos : random.Next(2, config.TargetVocabulary)).ToArray())];
            float[] whole = model.Forward(TinyModels.Pad(device, texts)).ToArray();
            using var state = model.Begin(texts: 3, beam: 1, Steps);
            for (int t = 0; t < Steps; t++)
            {
                float[] step = model.DecodeStep(Tensor.From(device, [.. texts.Select(x => x[t])]), state).ToArray();
                for (int n = 0; n < texts.Length; n++)
                {
                    for (int c = 0; c < config.ModelWidth; c++)
                        Assert.Equal(whole[(((n * Steps) + t) * config.ModelWidth) + c], step[(n * config.ModelWidth) + c], 2e-5f);
                }
            }

            Assert.Throws<InvalidOperationException>(() => model.DecodeStep(Tensor.From(device, [2, 2, 2]), state));
        }
    }

    /// <summary>The state dictionaries of fairseq's transformer_lm (with and without --share-decoder-input-output-embed) and lightconv_lm.</summary>
    [Fact]
    public void ParametersBearFairseqsNames()
    {
        string[] attention = ["k_proj.weight", "k_proj.bias", "v_proj.weight", "v_proj.bias", "q_proj.weight", "q_proj.bias", "out_proj.weight", "out_proj.bias"];
        string[] feedForward = ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"];
        Same(
            TinyModels.Transformer.AsLanguageModel() with { PreNorm = true, ShareEmbeddings = EmbeddingSharing.None, DecoderLayers = 1 },
            [
                "embed_tokens.weight",
                .. attention.Select(a => $"layers.0.self_attn.{a}"),
                "layers.0.self_attn_layer_norm.weight",
                "layers.0.self_attn_layer_norm.bias",
                .. feedForward.Select(f => $"layers.0.{f}"),
                "layers.0.final_layer_norm.weight",
                "layers.0.final_layer_norm.bias",
                "layer_norm.weight",
                "layer_norm.bias",
                "output_projection.weight",
            ]);
        foreach (var (architecture, convolution) in new[] { (Architecture.LightConv, "conv.weight"), (Architecture.DynamicConv, "conv.weight_linear.weight") })
        {
            Same(
                TinyModels.Conv(architecture).AsLanguageModel() with { PreNorm = true, DecoderLayers = 1, DecoderKernelWidths = [3] },
                [
                    "embed_tokens.weight",
                    .. new[] { "linear1.weight", "linear1.bias", convolution, "linear2.weight", "linear2.bias" }.Select(l => $"layers.0.{l}"),
                    "layers.0.conv_layer_norm.weight",
                    "layers.0.conv_layer_norm.bias",
                    .. feedForward.Select(f => $"layers.0.{f}"),
                    "layers.0.final_layer_norm.weight",
                    "layers.0.final_layer_norm.bias",
                ]);
        }

        static void Same(ModelConfig config, string[] names)
        {
            using var model = new LanguageModel(config);
            Assert.Equal(names.Select(n => $"decoder.{n}"), model.ParameterShapes().Select(p => p.Name));
        }
    }

    /// <summary>A checkpoint of fairseq's with its shared table twice and its buffers, and one of the lightconv_lm whose projection is called embed_out.</summary>
    [Fact]
    public void FairseqsCheckpointsAreRead()
    {
        using var device = TestDevices.Open("cpu");
        var tied = TinyModels.Transformer.AsLanguageModel() with { PreNorm = true };
        using var source = TinyModels.CreateLanguageModel(tied, device, seed: 5);
        using var target = LanguageModel.Create(tied, device, new RandomSource(6));
        using var scope = TensorScope.Begin();
        var tensors = source.NamedParameters().ToDictionary(p => p.Name, p => p.Tensor);
        tensors.Add("decoder.output_projection.weight", source.Decoder.OutputWeight);
        tensors.Add("decoder.version", Tensor.Zeros(device, [1]));
        target.LoadParameters("lm.safetensors", tensors);
        Assert.All(source.Parameters.Zip(target.Parameters), p => Assert.Equal(p.First.ToArray(), p.Second.ToArray()));

        var apart = TinyModels.Conv(Architecture.LightConv).AsLanguageModel() with { ShareEmbeddings = EmbeddingSharing.None };
        using var conv = TinyModels.CreateLanguageModel(apart, device, seed: 7);
        using var read = LanguageModel.Create(apart, device, new RandomSource(8));
        tensors = conv.NamedParameters().ToDictionary(p => p.Name == "decoder.output_projection.weight" ? "decoder.embed_out" : p.Name, p => p.Tensor);
        read.LoadParameters("lm.safetensors", tensors);
        Assert.All(conv.Parameters.Zip(read.Parameters), p => Assert.Equal(p.First.ToArray(), p.Second.ToArray()));
    }

    /// <summary>
    /// The design notes' count from fairseq's module shapes: 17 layers of DynamicConv, C = 1024, F = 4096, H = 16, widths 15 15 31 31 31 31 and eleven of 63, gated; with adaptive embeddings and
    /// a tied softmax over 60,000, 100,000 and 633,471 words of Billion Word, whose dimensions are 1024, 256 and 64, 339.1M. Without GLU 321.3M; 16 layers of self-attention 330.5M.
    /// </summary>
    [Fact]
    public void ThePapersLanguageModelHasItsLayersParameters()
    {
        var words = DynamicConv2019.BillionWord with { TargetVocabulary = 793_471 };
        var config = words with { TargetVocabulary = 4, ShareEmbeddings = EmbeddingSharing.Decoder, AdaptiveInputCutoffs = [], AdaptiveSoftmaxCutoffs = [], TieAdaptiveWeights = false, TieAdaptiveProjections = false };
        using var model = new LanguageModel(config);
        const int C = 1024, F = 4096, H = 16;
        long expected = 4 * C;
        foreach (int k in config.DecoderKernelWidths)
            expected += (C * 2 * C) + (2 * C) + (H * k * C) + (C * C) + C + (2 * C * F) + F + C + (4 * C);
        Assert.Equal(expected, model.ParameterCount);

        Millions(339.1, words);
        Millions(321.3, words with { DecoderGlu = false });
        Millions(330.5, words with { Architecture = Architecture.Transformer, DecoderLayers = 16, DecoderKernelWidths = [], DecoderGlu = false, WeightDropout = 0, InputDropout = 0 });

        // Baevski and Auli: 247M.
        Millions(246.9, Transformer2017.WikiText103 with { TargetVocabulary = 267_744 });

        static void Millions(double millions, ModelConfig config)
        {
            using var model = new LanguageModel(config);
            Assert.Equal(millions, model.ParameterCount / 1e6, 0.05);
        }
    }

    [Fact]
    public void RefusesWhatItIsNot()
    {
        Assert.Equal(
            "encoder_layers must be 0 for a language model, got 2.", Assert.Throws<ArgumentException>(() => new LanguageModel(TinyModels.Transformer)).Message);
        Assert.Equal(
            "encoder_layers must be at least 1 for a model that translates, got 0.",
            Assert.Throws<ArgumentException>(() => SequenceModel.Declare(TinyModels.Transformer.AsLanguageModel())).Message);
        var odd = TinyModels.Conv(Architecture.LightConv) with { EncoderLayers = 0, EncoderGlu = true, AttentionDropout = 0.1f };
        Assert.Equal(
            [
                "encoder_kernel_widths has no meaning for a language model; leave it out.",
                "encoder_glu has no meaning for a language model; leave it out.",
                "source_vocabulary has no meaning for a language model; leave it out.",
                "attention_dropout has no meaning for a language model of convolutions; leave it out.",
            ],
            odd.Validate());
        Assert.Empty((TinyModels.Transformer.AsLanguageModel() with { AttentionDropout = 0.1f }).Validate());
        Assert.Equal(odd.AsLanguageModel() with { ShareEmbeddings = EmbeddingSharing.Decoder }, ModelConfig.FromJson(odd.AsLanguageModel().ToJson()));
    }

    [Theory]
    [InlineData(Architecture.Transformer, false)]
    [InlineData(Architecture.LightConv, false)]
    [InlineData(Architecture.DynamicConv, false)]
    [InlineData(Architecture.Cnn, false)]
    [InlineData(Architecture.LightConv, true)]
    public void InBfloat16ItIsNearlyTheSameAndLearnsFromNearlyTheSameGradient(Architecture architecture, bool adaptive)
    {
        using var device = TestDevices.OpenCuda();
        var config = adaptive
            ? TinyModels.Adaptive(architecture, 6, 9) with { PreNorm = true, TieAdaptiveWeights = true, TieAdaptiveProjections = true }
            : TinyModels.Of(architecture).AsLanguageModel() with { PreNorm = true };
        using var model = TinyModels.CreateLanguageModel(config, device, spread: 0.1f);
        var (exact, exactGradient) = Run();
        model.ComputeIn(DType.BFloat16);
        var (narrow, narrowGradient) = Run();
        Assert.Equal(exact, narrow, 0.03 * exact);
        Assert.NotEqual(exact, narrow);
        double size = Math.Sqrt(exactGradient.Sum(g => (double)g * g)), off = Math.Sqrt(exactGradient.Zip(narrowGradient, (a, b) => (double)(a - b) * (a - b)).Sum());
        Assert.True(off < 0.1 * size, $"{architecture}: {off} of {size}");

        (float Loss, float[] Gradient) Run()
        {
            using var scope = TensorScope.Begin();
            var loss = model.Loss(TinyModels.Pad(device, Previous), TinyModels.Pad(device, Targets).Reshape([15])).Loss;
            loss.Backward();
            float[] gradient = [.. model.Parameters.SelectMany(p => p.Grad!.ToArray())];
            foreach (var parameter in model.Parameters)
                parameter.ZeroGrad();
            return (loss.Item(), gradient);
        }
    }

    private static Dictionary<string, double[]> Parameters(LanguageModel model)
        => model.NamedParameters().ToDictionary(p => p.Name, p => Array.ConvertAll(p.Tensor.ToArray(), v => (double)v));
}
