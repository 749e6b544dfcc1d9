namespace CudaSeq.Models;

/// <summary>The papers' models by the name a recipe calls them.</summary>
internal static class RecipePresets
{
    public static IReadOnlyDictionary<string, ModelConfig> All { get; } = new Dictionary<string, ModelConfig>
    {
        ["transformer_base"] = Transformer2017.Base,
        ["transformer_iwslt"] = Transformer2017.Iwslt,
        ["transformer_big"] = Transformer2017.Big,
        ["transformer_wmt_en_fr_big"] = Transformer2017.WmtEnFrBig,
        ["transformer_wmt_en_de_big"] = Transformer2017.WmtEnDeBig,
        ["transformer_wmt_en_de_big_t2t"] = Transformer2017.WmtEnDeBigT2T,
        ["lightconv_base"] = LightConv2019.Base,
        ["lightconv_iwslt"] = LightConv2019.Iwslt,
        ["lightconv_big"] = LightConv2019.Big,
        ["lightconv_wmt_en_fr_big"] = LightConv2019.WmtEnFrBig,
        ["lightconv_wmt_zh_en_big"] = LightConv2019.WmtZhEnBig,
        ["dynamicconv_base"] = DynamicConv2019.Base,
        ["dynamicconv_iwslt"] = DynamicConv2019.Iwslt,
        ["dynamicconv_big"] = DynamicConv2019.Big,
        ["dynamicconv_wmt_en_fr_big"] = DynamicConv2019.WmtEnFrBig,
        ["dynamicconv_wmt_zh_en_big"] = DynamicConv2019.WmtZhEnBig,
    };
}
