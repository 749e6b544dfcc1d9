using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>Makes models from their configurations, and knows the papers' configurations by name.</summary>
public static class SequenceModel
{
    /// <summary>Makes a model with its first parameters.</summary>
    /// <param name="config">What determines it.</param>
    /// <param name="device">Where it lives.</param>
    /// <param name="random">Draws the parameters; the same seed gives the same bits.</param>
    /// <returns>A model that the caller disposes.</returns>
    /// <exception cref="ArgumentException">The configuration has problems: one line for each.</exception>
    public static Seq2SeqModel Create(ModelConfig config, Device device, RandomSource random)
    {
        var model = Declare(config);
        model.Initialize(device, random);
        return model;
    }

    /// <summary>Makes a model without memory: its parameters can be listed and counted.</summary>
    /// <param name="config">What determines it.</param>
    /// <exception cref="ArgumentException">The configuration has problems: one line for each.</exception>
    public static Seq2SeqModel Declare(ModelConfig config) => config.Architecture switch
    {
        Architecture.Transformer => new Transformer2017(config),
        Architecture.LightConv => new LightConv2019(config),
        Architecture.DynamicConv => new DynamicConv2019(config),
        Architecture.Cnn => new Cnn2019(config),
        Architecture.Lstm => new LstmSeq2Seq2014(config),
        Architecture.RnnSearch => new RnnSearch2015(config),
        Architecture.ConvS2S => new ConvS2S2017(config),
        _ => throw new ArgumentException($"architecture must be one of {string.Join(", ", Enum.GetNames<Architecture>())}, got {config.Architecture}."),
    };

    /// <summary>The papers' configurations of an architecture, by name; vocabularies are 0 there, and so are the encoder layers of language models.</summary>
    public static IReadOnlyDictionary<string, ModelConfig> Presets(Architecture architecture) => architecture switch
    {
        Architecture.Transformer => new Dictionary<string, ModelConfig>
        {
            ["base"] = Transformer2017.Base,
            ["iwslt"] = Transformer2017.Iwslt,
            ["big"] = Transformer2017.Big,
            ["wmt_en_fr_big"] = Transformer2017.WmtEnFrBig,
            ["wmt_en_de_big"] = Transformer2017.WmtEnDeBig,
            ["wmt_en_de_big_t2t"] = Transformer2017.WmtEnDeBigT2T,
            ["wikitext_103"] = Transformer2017.WikiText103,
            ["universal_small"] = UniversalTransformer2018.Small,
            ["universal_base"] = UniversalTransformer2018.Base,
            ["universal_big"] = UniversalTransformer2018.Big,
            ["depth_adaptive_iwslt"] = DepthAdaptive2020.Iwslt,
        },
        Architecture.LightConv => new Dictionary<string, ModelConfig>
        {
            ["base"] = LightConv2019.Base,
            ["iwslt"] = LightConv2019.Iwslt,
            ["big"] = LightConv2019.Big,
            ["wmt_en_fr_big"] = LightConv2019.WmtEnFrBig,
            ["wmt_zh_en_big"] = LightConv2019.WmtZhEnBig,
        },
        Architecture.DynamicConv => new Dictionary<string, ModelConfig>
        {
            ["base"] = DynamicConv2019.Base,
            ["iwslt"] = DynamicConv2019.Iwslt,
            ["big"] = DynamicConv2019.Big,
            ["wmt_en_fr_big"] = DynamicConv2019.WmtEnFrBig,
            ["wmt_zh_en_big"] = DynamicConv2019.WmtZhEnBig,
            ["billion_word"] = DynamicConv2019.BillionWord,
        },
        Architecture.Cnn => new Dictionary<string, ModelConfig> { ["base"] = Cnn2019.Base, ["iwslt"] = Cnn2019.Iwslt, ["big"] = Cnn2019.Big },
        Architecture.Lstm => new Dictionary<string, ModelConfig> { ["wmt_en_fr"] = LstmSeq2Seq2014.WmtEnFr },
        Architecture.RnnSearch => new Dictionary<string, ModelConfig> { ["wmt_en_fr"] = RnnSearch2015.WmtEnFr },
        Architecture.ConvS2S => new Dictionary<string, ModelConfig>
        {
            ["iwslt"] = ConvS2S2017.Iwslt,
            ["wmt_en_ro"] = ConvS2S2017.WmtEnRo,
            ["wmt_en_de"] = ConvS2S2017.WmtEnDe,
            ["wmt_en_fr"] = ConvS2S2017.WmtEnFr,
        },
        _ => throw new ArgumentOutOfRangeException(nameof(architecture), architecture, null),
    };
}
