using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>What is computed of parameters alone and kept until they change.</summary>
public sealed class KeptTensorTests
{
    [Theory, Devices]
    public void ItIsComputedOnceAndAgainWhenAParameterChanges(string name)
    {
        using var device = TestDevices.Open(name);
        using Tensor v = Parameter(device, 3, 4), g = Parameter(device, 10);
        int computed = 0;
        using var kept = new KeptTensor(Product);
        using var pause = new NoGrad();
        var first = Get();
        Assert.Equal([30f, 40f], first.ToArray());
        Assert.Same(first, Get());
        Assert.Equal(1, computed);
        g.CopyFrom([2f]);
        Assert.Equal([6f, 8f], Get().ToArray());
        using (var other = Tensor.From(device, [5f, 6f], [1, 2]))
            v.CopyFrom(other);
        Assert.Equal([10f, 12f], Get().ToArray());
        Assert.Same(first, Get());
        Assert.Equal(3, computed);

        // Others, of another shape: what was kept of the first is freed.
        using var wide = Tensor.From(device, [1f, 2f, 3f], [1, 3]).AsParameter();
        using (TensorScope.Begin())
            Assert.Equal([2f, 4f, 6f], kept.Of(wide, g).ToArray());
        Assert.False(first.IsAlive);
        kept.Dispose();
        Assert.Equal([2f, 4f, 6f], kept.Of(wide, g).ToArray());

        Tensor Get()
        {
            using var scope = TensorScope.Begin();
            return kept.Of(v, g);
        }

        Tensor Product(Tensor a, Tensor b)
        {
            computed++;
            return Ops.Multiply(a, b);
        }
    }

    [Theory, Devices]
    public void AnOptimisersStepIsSeenAndGradientsGoThrough(string name)
    {
        using var device = TestDevices.Open(name);
        using Tensor v = Parameter(device, 3, 4), g = Parameter(device, 10);
        using var kept = new KeptTensor(Ops.Multiply);
        using var sgd = new Sgd([v, g], new SgdOptions());
        Assert.Equal([30f, 40f], Unrecorded());
        using (TensorScope.Begin())
            Ops.Sum(kept.Of(v, g)).Backward();
        Assert.Equal([10f, 10f], v.Grad!.ToArray());
        Assert.Equal([7f], g.Grad!.ToArray());
        sgd.Step(1);
        Assert.Equal([-7f * 3, -6f * 3], Unrecorded());

        float[] Unrecorded()
        {
            using var scope = TensorScope.Begin();
            using var pause = new NoGrad();
            return kept.Of(v, g).ToArray();
        }
    }

    /// <summary>A normalised weight is as large as v: steps of a decoding must not compute the words' anew each time, nor leave it behind.</summary>
    [Theory, Devices]
    public void ANormalisedLayerKeepsItsWeightWhereNothingIsRecorded(string name)
    {
        using var device = TestDevices.Open(name);
        using (var layer = new NormedLinear(3, 2))
        {
            layer.Initialize(device, new RandomSource(1));
            using var scope = TensorScope.Begin();
            Assert.NotSame(layer.Weight, layer.Weight);
            using var pause = new NoGrad();
            Assert.Same(layer.Weight, layer.Weight);
        }

        Assert.Equal(0, device.LiveBytes);
    }

    /// <summary>With the parameters of another seed a model translates as one that never had others.</summary>
    [Fact]
    public void AModelTranslatesWithTheParametersThatItHas()
    {
        using var device = new CpuDevice(1);
        using var model = TinyModels.Create(TinyModels.ConvS2S, device, seed: 1);
        using var other = TinyModels.Create(TinyModels.ConvS2S, device, seed: 2);
        int[][] sources = [[4, 5, 6, 2], [7, 2]];
        var options = new DecodingOptions { Beam = 2, MaxLengthB = 10 };
        var before = Scores(model);
        model.LoadParameters("other", other.NamedParameters().ToDictionary(p => p.Name, p => p.Tensor));
        Assert.Equal(Scores(other), Scores(model));
        Assert.NotEqual(before, Scores(model));

        float[] Scores(Seq2SeqModel m) => [.. new SequenceGenerator(m).Generate(sources, options).Select(h => (float)h[0].Score)];
    }

    private static Tensor Parameter(Device device, params float[] values) => Tensor.From(device, values, [1, values.Length]).AsParameter();
}
