using CudaSeq.Kernels;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>
/// The papers' numbers. Origins: fairseq's registered architectures (models/lightconv.py, models/transformer/transformer_legacy.py), which are the configurations of
/// Wu et al. 2019 and of the Transformers it compares with; dropout 0.3 of the IWSLT models is on fairseq's published command lines.
/// </summary>
public sealed class PresetTests
{
    // Architecture, preset, C, F, H, layers, dropout, attention dropout, weight dropout, input dropout, activation dropout, GLU, pre-norm, sharing.
    private static readonly (Architecture, string, int, int, int, int, int, float, float, float, float, float, bool, bool, EmbeddingSharing)[] Published =
    [
        (Architecture.Transformer, "base", 512, 2048, 8, 6, 6, 0.1f, 0, 0, 0, 0, false, false, EmbeddingSharing.All),
        (Architecture.Transformer, "big", 1024, 4096, 16, 6, 6, 0.3f, 0, 0, 0, 0, false, false, EmbeddingSharing.All),
        (Architecture.Transformer, "wmt_en_fr_big", 1024, 4096, 16, 6, 6, 0.1f, 0, 0, 0, 0, false, false, EmbeddingSharing.All),
        (Architecture.Transformer, "wmt_en_de_big", 1024, 4096, 16, 6, 6, 0.3f, 0.1f, 0, 0, 0, false, false, EmbeddingSharing.All),
        (Architecture.Transformer, "wmt_en_de_big_t2t", 1024, 4096, 16, 6, 6, 0.3f, 0.1f, 0, 0, 0.1f, false, true, EmbeddingSharing.All),
        (Architecture.Transformer, "iwslt", 512, 1024, 4, 6, 6, 0.3f, 0, 0, 0, 0, false, false, EmbeddingSharing.Decoder),
        (Architecture.LightConv, "base", 512, 2048, 8, 7, 6, 0.1f, 0, 0, 0.1f, 0, true, false, EmbeddingSharing.All),
        (Architecture.LightConv, "big", 1024, 4096, 16, 7, 6, 0.3f, 0.1f, 0.1f, 0.1f, 0, true, false, EmbeddingSharing.All),
        (Architecture.LightConv, "wmt_en_fr_big", 1024, 4096, 16, 7, 6, 0.1f, 0.1f, 0.1f, 0.1f, 0, true, false, EmbeddingSharing.All),
        (Architecture.LightConv, "wmt_zh_en_big", 1024, 4096, 16, 7, 6, 0.2f, 0.2f, 0.2f, 0.1f, 0, true, false, EmbeddingSharing.None),
        (Architecture.LightConv, "iwslt", 512, 1024, 4, 7, 6, 0.3f, 0.1f, 0.1f, 0, 0, false, false, EmbeddingSharing.None),
    ];

    [Fact]
    public void AreAsPublished()
    {
        foreach (var (architecture, name, c, f, h, encoder, decoder, dropout, attention, weight, input, activation, glu, preNorm, sharing) in Published)
        {
            var expected = new ModelConfig
            {
                Architecture = architecture,
                ModelWidth = c,
                FeedForwardWidth = f,
                AttentionHeads = h,
                EncoderLayers = encoder,
                DecoderLayers = decoder,
                EncoderKernelWidths = architecture == Architecture.Transformer ? [] : [3, 7, 15, 31, 31, 31, 31],
                DecoderKernelWidths = architecture == Architecture.Transformer ? [] : [3, 7, 15, 31, 31, 31],
                Dropout = dropout,
                AttentionDropout = attention,
                WeightDropout = weight,
                InputDropout = input,
                ActivationDropout = activation,
                EncoderGlu = glu,
                DecoderGlu = glu,
                PreNorm = preNorm,
                ShareEmbeddings = sharing,
            };
            Assert.Equal(expected, SequenceModel.Presets(architecture)[name]);
            if (architecture == Architecture.LightConv)
                Assert.Equal(expected with { Architecture = Architecture.DynamicConv }, SequenceModel.Presets(Architecture.DynamicConv)[name]);
        }

        // Section 5.2 and fairseq's lightconv_lm_gbw: norms before the sub-layers and none behind the last, 0.1 of everything that a model of convolutions drops but its ReLUs.
        Assert.Equal(
            new ModelConfig
            {
                Architecture = Architecture.DynamicConv,
                ModelWidth = 1024,
                FeedForwardWidth = 4096,
                AttentionHeads = 16,
                EncoderLayers = 0,
                DecoderLayers = 17,
                DecoderKernelWidths = [15, 15, 31, 31, 31, 31, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63],
                Dropout = 0.1f,
                WeightDropout = 0.1f,
                InputDropout = 0.1f,
                DecoderGlu = true,
                PreNorm = true,
                ShareEmbeddings = EmbeddingSharing.None,
                AdaptiveInputCutoffs = [60_000, 160_000],
                AdaptiveSoftmaxCutoffs = [60_000, 160_000],
                TieAdaptiveWeights = true,
                TieAdaptiveProjections = true,
            },
            DynamicConv2019.BillionWord);

        // Elbayad et al., section 4: IWSLT14.
        Assert.Equal(
            new ModelConfig
            {
                Architecture = Architecture.Transformer,
                ModelWidth = 256,
                EncoderWidth = 512,
                FeedForwardWidth = 1024,
                AttentionHeads = 4,
                EncoderLayers = 6,
                DecoderLayers = 6,
                Dropout = 0.3f,
                ShareEmbeddings = EmbeddingSharing.None,
                AdaptiveDepth = AdaptiveDepth.Aligned,
                ExitClassifiers = ExitClassifierKind.Separate,
            },
            DepthAdaptive2020.Iwslt);

        foreach (var (name, preset) in SequenceModel.Presets(Architecture.Cnn))
        {
            var light = SequenceModel.Presets(Architecture.LightConv)[name];
            Assert.Equal(light with { Architecture = Architecture.Cnn, EncoderKernelWidths = [3], DecoderKernelWidths = [3], EncoderGlu = false, DecoderGlu = false, WeightDropout = 0 }, preset);
        }

        // DynamicConv's are LightConv's; three CNNs are above, three Universal Transformers, a depth-adaptive one, an LSTM, an RNNsearch and four ConvS2S have tests of their own, and so do two language models.
        Assert.Equal(Published.Length + 5 + 15, Enum.GetValues<Architecture>().Sum(a => SequenceModel.Presets(a).Count));
    }

    // Layers written out: 4 C (C + 1) of an attention, 2 C F + F + C of a feed-forward block, 2 C of a norm; modules of convolutions have two projections around their taps.
    [Fact]
    public void AllHaveTheParametersOfTheirLayers()
    {
        int counted = 0;
        foreach (var (name, preset) in new[] { Architecture.Transformer, Architecture.LightConv, Architecture.DynamicConv, Architecture.Cnn }.SelectMany(SequenceModel.Presets))
        {
            if (preset.StepSignal != StepSignal.None || preset.AdaptiveDepth != AdaptiveDepth.None || preset.IsLanguageModel)
                continue;
            const int Source = 90, Target = 100;
            bool joint = preset.ShareEmbeddings == EmbeddingSharing.All;
            var config = preset with { SourceVocabulary = joint ? Target : Source, TargetVocabulary = Target };
            using var model = SequenceModel.Declare(config);
            long c = config.ModelWidth, f = config.FeedForwardWidth, attention = 4 * c * (c + 1), feedForward = (2 * c * f) + f + c, norm = 2 * c;
            long tables = config.ShareEmbeddings switch { EmbeddingSharing.All => Target, EmbeddingSharing.Decoder => Source + Target, _ => Source + (2 * Target) };
            long sum = tables * c;
            for (int i = 0; i < config.EncoderLayers; i++)
                sum += Mixer(config.EncoderKernelWidths, i, config.EncoderGlu) + feedForward + (2 * norm);
            for (int i = 0; i < config.DecoderLayers; i++)
                sum += Mixer(config.DecoderKernelWidths, i, config.DecoderGlu) + attention + feedForward + (3 * norm);
            Assert.Equal((name, sum + (config.PreNorm ? 2 * norm : 0)), (name, model.ParameterCount));
            counted++;

            long Mixer(IReadOnlyList<int> widths, int layer, bool glu)
            {
                long k = widths.Count == 0 ? 0 : widths[widths.Count == 1 ? 0 : layer], into = (glu ? 2 : 1) * c * (c + 1), outOf = c * (c + 1);
                return config.Architecture switch
                {
                    Architecture.Transformer => attention,
                    Architecture.LightConv => into + (config.AttentionHeads * k) + outOf,
                    Architecture.DynamicConv => into + (config.AttentionHeads * k * c) + outOf,
                    _ => (c * c * k) + c,
                };
            }
        }

        Assert.Equal(6 + (2 * 5) + 3, counted);
    }

    /// <summary>
    /// Millions of parameters. Wu et al. 2019: 210M self-attention, 195M LightConv and 200M DynamicConv without GLU (table 3), 202M and 213M in the headline table;
    /// the decimals are arithmetic over fairseq's modules with 32,768 joint types, and with IWSLT's 8,848 and 6,632.
    /// </summary>
    [Fact]
    public void HaveTheParametersThatThePapersCount()
    {
        var light = LightConv2019.Big;
        var dynamic = DynamicConv2019.Big;
        Count(209.9, Joint(Transformer2017.Big));
        Count(195.2, Joint(light with { EncoderGlu = false, DecoderGlu = false }));
        Count(202.6, Joint(light with { DecoderGlu = false }));
        Count(201.5, Joint(light with { EncoderGlu = false }));
        Count(208.9, Joint(light));
        Count(199.6, Joint(dynamic with { EncoderGlu = false, DecoderGlu = false }));
        Count(213.2, Joint(dynamic));

        // The other rows of table 3: 210M with windows, 208M with ordinary convolutions, 195M where each channel has filters of its own, of 3 taps and of up to 31.
        var depthwise = light with { EncoderGlu = false, DecoderGlu = false, ConvHeads = 1024, ConvNormalization = TapNormalization.None };
        Count(209.9, Joint(Transformer2017.Big with { AttentionWindows = [3, 7, 15, 31, 31, 31] }));
        Count(208.8, Joint(Cnn2019.Big));
        Count(195.3, Joint(depthwise with { EncoderKernelWidths = [3], DecoderKernelWidths = [3] }));
        Count(195.5, Joint(depthwise));
        Count(38.7, Iwslt(DynamicConv2019.Iwslt));
        Count(38.1, Iwslt(LightConv2019.Iwslt));
        Count(42.9, Iwslt(Transformer2017.Iwslt with { ShareEmbeddings = EmbeddingSharing.None }));
        Count(39.5, Iwslt(Transformer2017.Iwslt));

        // CNN/DailyMail: width 512, no GLU, three tables of 30,000.
        var summaries = DynamicConv2019.Base with
        {
            EncoderGlu = false,
            DecoderGlu = false,
            ShareEmbeddings = EmbeddingSharing.None,
            SourceVocabulary = 30_000,
            TargetVocabulary = 30_000,
        };
        Count(87.6, summaries);
        Count(86.5, summaries with { Architecture = Architecture.LightConv });

        // Vaswani et al. 2017, table 3: base has 65M with about 37,000 joint types.
        Count(63.1, Transformer2017.Base with { SourceVocabulary = 37_000, TargetVocabulary = 37_000 });

        static ModelConfig Joint(ModelConfig config) => config with { SourceVocabulary = 32_768, TargetVocabulary = 32_768 };

        static ModelConfig Iwslt(ModelConfig config) => config with { SourceVocabulary = 8848, TargetVocabulary = 6632 };

        static void Count(double millions, ModelConfig config)
        {
            using var model = SequenceModel.Declare(config);
            Assert.Equal(millions, model.ParameterCount / 1e6, 0.05);
        }
    }
}
