using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Weights that were laid out for products of few rows: they are those of now, for every thread, and only while they are of use.</summary>
public sealed class PanelTests
{
    private const int Inputs = 20;
    private const int Outputs = 37;

    // Whatever overwrites elements in place.
    [Fact]
    public void PanelsFollowWhateverChangesTheWeight()
    {
        using var cpu = new CpuDevice(2);
        using var weight = Weight(cpu);
        using var adam = new Adam([weight], new AdamOptions());
        using var sgd = new Sgd([weight], new SgdOptions());
        using var average = new MovingAverage([weight], 0.5f);
        using var other = Weight(cpu);
        Check();
        Update(() => adam.Step(0.1f));
        Check();
        Update(() => sgd.Step(0.1f));
        Check();
        using (var one = Tensor.Full(cpu, [1], 1))
            average.Step(one);
        Update(() => adam.Step(0.1f));
        Check();
        average.Exchange();
        Check();
        average.Exchange();
        Check();
        weight.CopyFrom(other);
        Check();
        using (TensorScope.Begin())
            weight.Detach().Rows(3, 1).CopyFrom(new float[Inputs]);
        Check();

        void Update(Action step)
        {
            using var scope = TensorScope.Begin();
            Ops.Linear(Rows(cpu, 200), weight).Backward(Rows(cpu, 200, Outputs));
            step();
            weight.ZeroGrad();
        }

        void Check()
        {
            using var scope = TensorScope.Begin();
            using var inference = new NoGrad();
            Assert.Equal(Ops.Linear(Rows(cpu, 200), weight).ToArray()[..(5 * Outputs)], Ops.Linear(Rows(cpu, 5), weight).ToArray());
        }
    }

    [Fact]
    public void AnUpdateGivesTheirMemoryBack()
    {
        using var cpu = new CpuDevice(2);
        using var weight = Weight(cpu);
        using var adam = new Adam([weight], new AdamOptions());
        long before = cpu.LiveBytes;
        using (TensorScope.Begin())
        {
            using var inference = new NoGrad();
            Ops.Linear(Rows(cpu, 5), weight);
        }

        Assert.True(cpu.LiveBytes >= before + (sizeof(float) * Inputs * Outputs));
        using (TensorScope.Begin())
        {
            Ops.Linear(Rows(cpu, 5), weight).Backward(Rows(cpu, 5, Outputs));
            adam.Step(0.1f);
            weight.ZeroGrad();
        }

        Assert.Equal(before, cpu.LiveBytes);
    }

    [Fact]
    public void ThreadsThatMeetAWeightTogetherGetTheSame()
    {
        using var cpu = new CpuDevice(3);
        for (int round = 0; round < 20; round++)
        {
            using var weight = Weight(cpu);
            var got = new float[4][];
            using var start = new Barrier(got.Length);
            var threads = Enumerable.Range(0, got.Length).Select(i => new Thread(() =>
            {
                using var scope = TensorScope.Begin();
                using var inference = new NoGrad();
                var rows = Rows(cpu, 5 + i);
                start.SignalAndWait();
                got[i] = Ops.Linear(rows, weight).ToArray()[..(5 * Outputs)];
            })).ToArray();
            foreach (var thread in threads)
                thread.Start();
            foreach (var thread in threads)
                thread.Join();
            using var own = TensorScope.Begin();
            using var pause = new NoGrad();
            float[] all = Ops.Linear(Rows(cpu, 200), weight).ToArray()[..(5 * Outputs)];
            Assert.All(got, g => Assert.Equal(all, g));
        }
    }

    // What is not recorded in the second pass either rounds as it does without a checkpoint.
    [Fact]
    public void APauseWithinACheckpointChangesNoBit()
    {
        using var cpu = new CpuDevice(2);
        using var weight = Weight(cpu);
        Assert.Equal(Gradient(again: false), Gradient(again: true));

        float[] Gradient(bool again)
        {
            using var scope = TensorScope.Begin();
            var x = Rows(cpu, 5).AsParameter();
            var y = again ? Ops.Recompute(x, (z, _) => Gated(z), null) : Gated(x);
            y.Backward(Rows(cpu, 5, Outputs));
            float[] all = [.. y.ToArray(), .. x.Grad!.ToArray(), .. weight.Grad!.ToArray()];
            weight.ZeroGrad();
            return all;
        }

        Tensor Gated(Tensor z)
        {
            Tensor gate;
            using (new NoGrad())
                gate = Ops.Sigmoid(Ops.Linear(z, weight));
            return Ops.Multiply(Ops.Linear(z, weight), gate);
        }
    }

    [Fact]
    public void ATensorOfAnotherThreadsScopeIsNotTakenOutOfIt()
    {
        using var cpu = new CpuDevice(1);
        using var scope = TensorScope.Begin();
        var tensor = Tensor.Zeros(cpu, [3]);
        string? message = null;
        var thread = new Thread(() => message = Assert.Throws<InvalidOperationException>(tensor.Dispose).Message);
        thread.Start();
        thread.Join();
        Assert.Equal("TensorScope: a tensor must be disposed on the thread of its scope while that is open, got Zeros [3] Float32 on cpu on another.", message);
        Assert.Equal([0f, 0f, 0f], tensor.ToArray());
    }

    private static Tensor Weight(Device device) => Rows(device, Outputs).AsParameter().Keep();

    private static Tensor Rows(Device device, int rows, int columns = Inputs) => Tensor.From(device, [.. Enumerable.Range(0, rows * columns).Select(i => MathF.Sin(1 + i))], [rows, columns]);
}
