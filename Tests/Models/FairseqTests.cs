using System.Globalization;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>
/// Numbers of fairseq itself (github.com/facebookresearch/fairseq at 3d262bb2, September 2025; its TransformerModelBase, LightConvModel, label_smoothed_nll_loss and
/// SequenceGenerator as they are, on PyTorch 1.13 and one CPU thread), for models whose parameters follow from <see cref="Value"/>: width 8, 2 heads, inner width 12,
/// 2 + 2 layers, filters of 3 and 7 taps, 19 joint types, all embeddings shared. The batch is right-padded. Search: beam 3, at most 9 tokens, length penalty 0.8.
/// </summary>
public sealed class FairseqTests
{
    private static readonly int[][] Sources = [[5, 9, 4, 12, 7, 16, 2], [8, 2], [11, 4, 18, 3, 2]];
    private static readonly int[][] Targets = [[4, 10, 6, 2], [7, 7, 13, 5, 15, 9, 11, 17, 4, 2], [14, 3, 8, 16, 12, 2]];

    private static readonly Golden[] All =
    [
        new(Architecture.Transformer, false, false, 77.1216, 76.6533, 78.201, [1.65065f, 1.21851f, -0.21528f, -2.17895f], "4 4 4 4 4 4 4 4 4 -4.14694 / 4 -2.89154 / 4 -2.75585"),
        new(Architecture.LightConv, false, false, 76.8635, 76.6973, 41.878, [1.15766f, -2.51266f, -1.04614f, 2.16027f], "10 10 10 10 10 10 10 10 10 -2.02475 / 10 10 10 10 10 10 10 10 10 -1.85128 / 10 10 10 10 10 10 10 10 10 -2.09891"),
        new(Architecture.LightConv, true, false, 78.0022, 77.8806, 38.890, [1.27760f, -2.43939f, -0.84424f, 2.38120f], "10 10 10 10 10 10 10 10 10 -1.91594 / 10 10 10 10 10 10 10 10 10 -1.87680 / 10 10 10 10 10 10 10 10 10 -1.94555"),
        new(Architecture.DynamicConv, false, false, 79.2863, 79.3238, 44.579, [1.35427f, -2.55545f, -0.93156f, 2.08763f], "10 10 10 10 10 10 10 10 10 -2.02733 / 10 10 10 10 10 10 10 10 10 -1.92146 / 10 10 10 10 10 10 10 10 10 -2.03640"),
        new(Architecture.DynamicConv, true, false, 78.1275, 78.0094, 38.849, [1.30871f, -2.44343f, -0.76620f, 2.34508f], "10 10 10 10 10 10 10 10 10 -1.95162 / 10 10 10 10 10 10 10 10 10 -1.87245 / 10 10 10 10 10 10 10 10 10 -1.94048"),
        new(Architecture.Transformer, false, true, 80.7426, 80.5137, 69.172, [0.99751f, -2.12109f, -0.57997f, 0.14082f], "5 5 5 5 5 5 5 5 7 -1.82762 / 18 18 18 18 18 18 18 18 18 -1.56773 / 18 18 18 18 18 18 18 18 18 -1.69966"),
        new(Architecture.LightConv, false, true, 75.0225, 74.7851, 28.794, [2.69740f, -1.59633f, -1.85364f, 0.76062f], "16 16 9 9 9 9 9 9 9 -2.23127 / 11 11 9 9 9 8 8 8 8 -2.09516 / 9 9 9 9 9 9 9 9 9 -2.11390"),
        new(Architecture.LightConv, true, true, 80.3846, 80.5946, 46.177, [2.19192f, -0.54486f, -1.78782f, 0.60920f], "16 16 16 16 16 16 16 16 16 -1.94585 / 11 11 11 11 11 11 11 11 11 -1.74181 / 16 16 16 16 16 16 16 16 16 -1.95992"),
        new(Architecture.DynamicConv, false, true, 71.5513, 70.6616, 35.450, [2.53705f, -1.45258f, -1.88851f, 0.65092f], "9 9 9 9 9 9 9 9 9 -2.01077 / 9 9 8 8 8 8 8 8 8 -1.79197 / 9 9 9 9 9 9 9 9 9 -1.97652"),
        new(Architecture.DynamicConv, true, true, 76.7911, 76.6407, 37.200, [2.01696f, -0.10918f, -1.97312f, 0.36789f], "16 16 16 16 16 16 16 16 16 -1.98836 / 11 11 11 11 11 11 11 11 11 -1.76242 / 16 16 16 16 16 16 16 16 16 -2.02802"),
    ];

    [Theory, Devices]
    public void LogitsLossGradientAndTranslationsAreFairseqs(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var golden in All)
        {
            var config = TinyModels.Of(golden.Architecture) with
            {
                SourceVocabulary = 19,
                TargetVocabulary = 19,
                EncoderKernelWidths = golden.Architecture == Architecture.Transformer ? [] : [3, 7],
                DecoderKernelWidths = golden.Architecture == Architecture.Transformer ? [] : [3, 7],
                EncoderGlu = golden.Glu,
                DecoderGlu = golden.Glu,
                PreNorm = golden.PreNorm,
            };
            using var model = SequenceModel.Create(config, device, new RandomSource(1));
            Fill(model);
            using var scope = TensorScope.Begin();
            var previous = TinyModels.Pad(device, [.. Targets.Select(TinyModels.Shifted)]);
            float[] logits = model.Logits(model.Decode(previous, TinyModels.Encode(model, Sources))).ToArray();
            for (int i = 0; i < golden.Logits.Length; i++)
                Assert.Equal(golden.Logits[i], logits[((10 + 9) * 19) + 4 + i], 2e-5f);

            var target = TinyModels.Pad(device, Targets);
            var (loss, negativeLogLikelihood) = model.Loss(
                TinyModels.Pad(device, Sources), TinyModels.Lengths(device, Sources), previous, target.Reshape([30]), smoothing: 0.1f, LabelSmoothing.OverOthers);
            Assert.Equal(golden.Loss, loss.Item(), 2e-4);
            Assert.Equal(golden.NegativeLogLikelihood, negativeLogLikelihood.Item(), 2e-4);
            loss.Backward();
            double norm = Math.Sqrt(model.Parameters.Sum(p => p.Grad!.ToArray().Sum(g => (double)g * g)));
            Assert.Equal(golden.GradientNorm, norm, 2e-3);

            var found = new SequenceGenerator(model).Generate(Sources, new DecodingOptions { Beam = 3, MaxLengthB = 9, LengthPenalty = 0.8f });
            string[] expected = golden.Translations.Split(" / ");
            for (int i = 0; i < Sources.Length; i++)
            {
                int split = expected[i].LastIndexOf(' ');
                Assert.Equal(expected[i][..split], string.Join(' ', found[i][0].Tokens));
                Assert.Equal(float.Parse(expected[i][split..], CultureInfo.InvariantCulture), found[i][0].Score, 2e-5f);
            }
        }
    }

    /// <summary>Element i of the parameter whose name is the j-th in ordinal order: uniform in [-0.75, 0.75) by an integer hash, gains of layer norms plus 1.</summary>
    private static float Value(int i, int j)
    {
        uint x = unchecked((((uint)i + 1) * 2654435761u) + (((uint)j + 1) * 2246822519u));
        x ^= x >> 15;
        x = unchecked(x * 2246822519u);
        x ^= x >> 13;
        return (float)(1.5 * ((x / 4294967296.0) - 0.5));
    }

    private static void Fill(Seq2SeqModel model)
    {
        int j = 0;
        foreach (var (name, tensor) in model.NamedParameters().OrderBy(p => p.Name, StringComparer.Ordinal))
        {
            int gain = name.Contains("norm", StringComparison.Ordinal) && name.EndsWith("weight", StringComparison.Ordinal) ? 1 : 0;
            tensor.CopyFrom([.. Enumerable.Range(0, (int)tensor.Shape.Count).Select(i => gain + Value(i, j))]);
            j++;
        }
    }

    private sealed record Golden(
        Architecture Architecture, bool Glu, bool PreNorm, double Loss, double NegativeLogLikelihood, double GradientNorm, float[] Logits, string Translations);
}
