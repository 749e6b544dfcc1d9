using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Learning from a trained model.</summary>
public sealed class DistillationTests
{
    private static readonly int[][] Sources = [[4, 5, 6, Vocabulary.Eos], [7, Vocabulary.Eos]], Targets = [[8, 9, Vocabulary.Eos], [10, Vocabulary.Eos]];

    /// <summary>The sum over the tokens, by hand from both models' logits; padding counts for nothing.</summary>
    [Theory, Devices]
    public void TheLossIsTheEquation(string name)
    {
        using var device = TestDevices.Open(name);
        using var model = TinyModels.Create(TinyModels.Transformer, device, seed: 1);
        using var scope = TensorScope.Begin();
        using var batch = Batch(device);
        foreach (var (weight, temperature) in new[] { (0.7f, 1f), (1f, 2f), (0f, 3f) })
        {
            using var distillation = new Distillation(TinyModels.Create(TinyModels.Conv(Architecture.LightConv), device, seed: 2), weight, temperature);
            using var teacher = TinyModels.Create(TinyModels.Conv(Architecture.LightConv), device, seed: 2);
            var (loss, nll) = distillation.Loss(model, batch, 0.1f, LabelSmoothing.OverOthers, random: null);
            var (plain, plainNll) = model.Loss(batch, 0.1f, LabelSmoothing.OverOthers, random: null);
            double[][] q = Logs(model), p = Logs(teacher);
            double distilled = 0;
            for (int n = 0; n < q.Length; n++)
            {
                for (int v = 0; v < q[n].Length; v++)
                    distilled -= Math.Exp(p[n][v]) * q[n][v];
            }

            Assert.Equal((weight * temperature * temperature * distilled) + ((1 - weight) * plain.Item()), loss.Item(), 1e-3);
            Assert.Equal(plainNll.Item(), nll.Item(), 1e-4);

            double[][] Logs(Seq2SeqModel m)
            {
                float[] logits = m.Logits(m.Features(batch, random: null)).ToArray();
                return [.. new[] { 0, 1, 2, 3, 4 }.Select(n => Softened([.. logits.Skip(n * 11).Take(11).Select(v => (double)v / temperature)]))];
            }
        }

        static double[] Softened(double[] x)
        {
            double log = Math.Log(x.Sum(v => Math.Exp(v - x.Max()))) + x.Max();
            return [.. x.Select(v => v - log)];
        }
    }

    /// <summary>A teacher that is the model itself teaches nothing: the gradient of its part is zero.</summary>
    [Fact]
    public void WhoKnowsAllLearnsNothing()
    {
        using var device = new CpuDevice(1);
        using var model = TinyModels.Create(TinyModels.Transformer, device, seed: 1);
        using var distillation = new Distillation(TinyModels.Create(TinyModels.Transformer, device, seed: 1), 1, 1);
        using var other = new Distillation(TinyModels.Create(TinyModels.Transformer, device, seed: 2), 1, 1);
        using var scope = TensorScope.Begin();
        using var batch = Batch(device);
        distillation.Loss(model, batch, 0, LabelSmoothing.OverOthers, null).Loss.Backward();
        Assert.All(model.Parameters, p => Assert.All(p.Grad!.ToArray(), g => Assert.Equal(0, g, 2e-5f)));
        other.Loss(model, batch, 0, LabelSmoothing.OverOthers, null).Loss.Backward();
        Assert.Contains(model.Parameters, p => p.Grad!.ToArray().Any(g => Math.Abs(g) > 0.1f));
    }

    // Two targets of 3 and 2 tokens, one place of padding at the end.
    private static BatchTensors Batch(Device device)
    {
        var corpus = Corpus.From(Sources.Zip(Targets, (s, t) => new SentencePair(s, t)));
        return new BatchTensors(device, CudaSeq.Models.Batch.Of(corpus, [0, 1]));
    }
}
