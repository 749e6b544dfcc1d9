using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class FitTests
{
    [Theory, Devices]
    public void ALineIsFound(string name)
    {
        using var device = TestDevices.Open(name);
        using var line = new Linear(1, 1);
        line.Initialize(device, new RandomSource(1));
        var losses = Fit.Run(line, new FitOptions { Updates = 200, LearningRate = 0.05f }, (_, _) => Loss(line, device, 1));
        Assert.Equal(200, losses.Count);
        Assert.True(losses[^1] < 1e-3 * losses[0], $"{losses[0]} to {losses[^1]}");
        Assert.Equal(2, line.Weight.ToArray()[0], 0.05);
        Assert.Equal(-1, line.Bias!.ToArray()[0], 0.05);
    }

    [Fact]
    public void TheSameSeedTrainsTheSameBitForBit()
    {
        using var device = TestDevices.Open(TestDevices.Processor);
        var (texts, classes) = SyntheticTasks.NearestMatch(32, seed: 1);
        var (one, same, other) = (Trained(3), Trained(3), Trained(4));
        Assert.Equal(one, same);
        Assert.NotEqual(one, other);

        // Dropout is what chance decides.
        double[] Trained(ulong seed)
        {
            using var model = new DaTransformer2021(new DaTransformerOptions { Vocabulary = SyntheticTasks.NearestMatchVocabulary, Classes = SyntheticTasks.NearestMatchClasses, Dropout = 0.2f });
            model.Initialize(device, new RandomSource(1));
            return [.. Fit.Run(model, new FitOptions { Updates = 4, Seed = seed }, (_, random) => model.Loss(texts, classes, random))];
        }
    }

    [Fact]
    public void AnUpdateThatIsNotFiniteIsNotMade()
    {
        using var device = TestDevices.Open(TestDevices.Processor);
        using var line = new Linear(1, 1);
        line.Initialize(device, new RandomSource(1));
        float[] before = line.Weight.ToArray();
        var error = Assert.Throws<InvalidOperationException>(() => Fit.Run(line, new FitOptions { Updates = 2 }, (_, _) => Loss(line, device, float.NaN)));
        Assert.Equal("Fit: loss and gradients must stay finite, got NaN and a norm of NaN at update 1.", error.Message);
        Assert.Equal(before, line.Weight.ToArray());
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Assert.Throws<OperationCanceledException>(() => Fit.Run(line, new FitOptions(), (_, _) => Loss(line, device, 1), cancellation: stop.Token));
    }

    /// <summary>What a loss is made of is gone before the next is computed: the nodes of a federation cost the memory of one.</summary>
    [Theory, Devices]
    public void EachLossOfAnUpdateIsFreedBeforeTheNext(string name)
    {
        using var device = TestDevices.Open(name);
        using var line = new Linear(1, 1);
        line.Initialize(device, new RandomSource(1));
        using var steps = new FitSteps(line, new FitOptions());
        steps.Step(_ => [Loss(line, device, 1)]);
        var live = new List<long>();
        var made = new List<Tensor>();
        steps.Step(_ => Enumerable.Range(0, 3).Select(i =>
        {
            live.Add(device.LiveBytes);
            Assert.All(made, t => Assert.False(t.IsAlive));
            made.Add(Loss(line, device, 1));
            return made[^1];
        }));

        // The first finds no gradients of the parameters yet.
        Assert.Equal(3, live.Count);
        Assert.Equal(live[1], live[2]);
    }

    [Fact]
    public void TablesShowMeansAndDeviations()
    {
        var table = PaperTable.Of("two methods", [1, 3], seed => [("a", "accuracy", seed / 4.0), ("a", "F1", 0.5), ("longer name", "accuracy", 1)]);
        Assert.Equal(
            [
                "two methods (2 seeds)",
                "method             accuracy              F1",
                "a            0.500 +- 0.354  0.500 +- 0.000",
                "longer name  1.000 +- 0.000",
                "",
            ],
            table.ToString().Split('\n'));
        Assert.Equal((0.5, 2), (table["a", "accuracy"].Mean, table["a", "accuracy"].Values.Count));
        Assert.Equal(
            "PaperTable: two methods has no F1 of b; the measures are accuracy of a, F1 of a, accuracy of longer name.",
            Assert.Throws<KeyNotFoundException>(() => table["b", "F1"]).Message);
        Assert.Equal("PaperTable: none must have a seed, got none.", Assert.Throws<ArgumentException>(() => PaperTable.Of("none", [], _ => [])).Message);
        Assert.Equal("t (1 seed)\nmethod      x\na       1.000\n", PaperTable.Of("t", [1], _ => [("a", "x", 1.0)]).ToString());
    }

    private static Tensor Loss(Linear line, CudaSeq.Kernels.Device device, float factor)
    {
        var x = Tensor.From(device, [-1f, 0, 1, 2], [4, 1]);
        var wrong = Ops.Subtract(line.Forward(x), Tensor.From(device, [-3f, -1, 1, 3], [4, 1]));
        return Ops.Scale(Ops.Sum(Ops.Multiply(wrong, wrong)), factor);
    }
}
