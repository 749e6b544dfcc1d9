using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Models whose linear layers multiply in integers of 8 bits.</summary>
public sealed class QuantizedDecodingTests
{
    private static readonly int[] SourceLengths = [5, 9, 1, 7];

    [Theory, Devices]
    public void EveryModelSaysNearlyTheSameInIntegers(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var config in TinyModels.On(name).Concat(TinyModels.Others))
        {
            using var model = TinyModels.Create(config, device, spread: 0.02f);
            var random = new Random(11);
            int[][] sources = TinyModels.Sentences(random, config.SourceVocabulary, SourceLengths);
            int[][] targets = [.. sources.Select(_ => Enumerable.Range(0, 12).Select(t => t == 0 ? Vocabulary.Eos : random.Next(Vocabulary.Unk, config.TargetVocabulary)).ToArray())];
            float[] floats = Logits();
            model.Quantize();
            float[] integers = Logits();
            double difference = Math.Sqrt(floats.Zip(integers, (a, b) => Math.Pow(a - b, 2)).Sum() / floats.Sum(a => (double)a * a));
            Assert.True(difference is > 0 and < 0.05, $"{config.Architecture}: the logits are off by {difference:g3} of their size");

            // Sentences leave, beams are reordered, and on a GPU steps become graphs.
            var found = new SequenceGenerator(model).Generate(sources, new DecodingOptions { Beam = 3, NBest = 3, MaxLengthB = 10 });
            Assert.All(found, hypotheses => Assert.All(hypotheses, h => Assert.True(double.IsFinite(h.Score), $"{config.Architecture}: {h.Score}")));
            Assert.All(found, hypotheses => Assert.Equal(3, hypotheses.Count));

            float[] Logits()
            {
                using var scope = TensorScope.Begin();
                using var inference = new NoGrad();
                return model.Decode(TinyModels.Pad(device, targets), TinyModels.Encode(model, sources)).ToArray();
            }
        }
    }

    [Fact]
    public void LearningIsRefused()
    {
        using var device = new CpuDevice(1);
        var (model, data, random) = TinyTraining.Setup(Architecture.DynamicConv, device);
        using var _ = model;
        model.Quantize();
        using var trainer = new Trainer(model, data, TinyTraining.Options(2), random);
        Assert.StartsWith("QuantizedLinear: integers have no gradient", Assert.Throws<InvalidOperationException>(() => trainer.Run()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ParametersThatAreReplacedAreQuantizedAnew()
    {
        using var device = new CpuDevice(1);
        var config = TinyModels.On(TestDevices.Processor).First();
        using Seq2SeqModel first = TinyModels.Create(config, device, spread: 0.02f), second = TinyModels.Create(config, device, spread: 0.05f);
        int[][] sources = TinyModels.Sentences(new Random(3), config.SourceVocabulary, SourceLengths);
        first.Quantize();
        second.Quantize();
        double[] other = Scores(second);
        Assert.NotEqual(other, Scores(first));
        first.LoadParameters("second", second.NamedParameters().ToDictionary(p => p.Name, p => p.Tensor));
        Assert.Equal(other, Scores(first));

        double[] Scores(Seq2SeqModel model) => [.. new SequenceGenerator(model).Generate(sources, new DecodingOptions { Beam = 2, MaxLengthB = 6 }).Select(h => (double)h[0].Score)];
    }
}
