using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class RepeatedStepTests
{
    /// <summary>Five runs with new inputs and dropout: every output, gradient and position of the random source as without the step.</summary>
    [Theory, Devices]
    public void GivesWhatTheWorkGivesBitForBit(string name)
    {
        using var device = TestDevices.Open(name);
        using var x = Tensor.Zeros(device, [3, 5, 8]);
        using var weight = Tensor.From(device, [.. Enumerable.Range(0, 64).Select(i => MathF.Sin(i))], [8, 8]).AsParameter();
        using var filter = Tensor.From(device, [.. Enumerable.Range(0, 6).Select(i => MathF.Cos(i))], [2, 3]).AsParameter();
        using var memory = new StepMemory(device);
        using var step = new RepeatedStep(memory, [weight, filter]);
        var eager = new RandomSource(5, 100);
        var repeated = new RandomSource(5, 100);
        for (int run = 0; run < 5; run++)
        {
            x.CopyFrom([.. Enumerable.Range(0, 120).Select(i => MathF.Sin((i * (run + 1)) + run))]);
            var expected = Results(() => Work(eager));
            var got = Results(() => step.Run(repeated, () => Work(repeated)));
            Assert.Equal(expected, got);
            Assert.Equal(eager.Position, repeated.Position);
            Assert.Equal(run > 0 && name != TestDevices.Processor, step.IsCaptured);
            Assert.Null(step.Obstacle);
        }

        Tensor[] Work(RandomSource random)
        {
            var y = Ops.LightConv(Ops.Dropout(Ops.Linear(x, weight), 0.3f, random), filter, 2, dropConnect: 0.2f, random: random);
            var loss = Ops.Sum(Ops.Multiply(y, y));
            loss.Backward();
            return [loss];
        }

        float[][] Results(Func<Tensor[]> work)
        {
            using var scope = TensorScope.Begin();
            float[][] results = [work()[0].ToArray(), weight.Grad!.ToArray(), filter.Grad!.ToArray()];
            weight.ZeroGrad();
            filter.ZeroGrad();
            return results;
        }
    }

    /// <summary>Steps of other shapes in between use the same memory.</summary>
    [Theory, Devices]
    public void StepsOfSeveralShapesTakeTurns(string name)
    {
        using var device = TestDevices.Open(name);
        using var weight = Tensor.From(device, [.. Enumerable.Range(0, 16).Select(i => MathF.Sin(i))], [4, 4]).AsParameter();
        var random = new RandomSource(1);
        Tensor[] inputs = [.. new[] { 3, 40, 7 }.Select(rows => Tensor.Full(device, [rows, 4], 0.5f))];
        using var memory = new StepMemory(device);
        RepeatedStep[] steps = [.. inputs.Select(_ => new RepeatedStep(memory, [weight]))];
        for (int run = 0; run < 4; run++)
        {
            for (int i = 0; i < steps.Length; i++)
            {
                using var scope = TensorScope.Begin();
                var outputs = steps[i].Run(random, () => Work(inputs[i]));
                float[] got = [outputs[0].Item(), .. weight.Grad!.ToArray()];
                weight.ZeroGrad();
                float[] expected = [Work(inputs[i])[0].Item(), .. weight.Grad!.ToArray()];
                weight.ZeroGrad();
                Assert.Equal(expected, got);
            }
        }

        foreach (var step in steps)
            step.Dispose();
        foreach (var input in inputs)
            input.Dispose();

        Tensor[] Work(Tensor x)
        {
            var loss = Ops.Sum(Ops.Sigmoid(Ops.Linear(x, weight)));
            loss.Backward();
            return [loss];
        }
    }

    [Fact]
    public void WhatCannotBeCapturedIsRunAsItIs()
    {
        using var device = TestDevices.OpenCuda();
        using var weight = Tensor.From(device, [1f, 2f]).AsParameter();
        using var memory = new StepMemory(device);
        using var step = new RepeatedStep(memory, [weight]);
        var random = new RandomSource(1);
        for (int run = 0; run < 6; run++)
        {
            using var scope = TensorScope.Begin();
            float seen = 0;
            step.Run(random, () =>
            {
                var loss = Ops.Sum(Ops.Dropout(weight, 0.5f, random));
                seen = loss.Item();
                loss.Backward();
                return [loss];
            });
            Assert.Equal((ulong)run + 1, random.Position);
            Assert.True(float.IsFinite(seen));
            Assert.NotNull(weight.Grad);
            weight.ZeroGrad();
        }

        Assert.False(step.IsCaptured);
        Assert.Equal("cuda:0: a capture must hold kernels, fills and copies on the device only, got a copy to the host.", step.Obstacle);
    }

    [Theory, Devices]
    public void IndicesOutOfRangeAreRefusedInAGraphToo(string name)
    {
        using var device = TestDevices.Open(name);
        using var table = Tensor.Full(device, [5, 4], 0.5f).AsParameter();
        using var ids = Tensor.From(device, [0, 4, 2]);
        using var memory = new StepMemory(device);
        using var step = new RepeatedStep(memory, [table]);
        var random = new RandomSource(1);
        for (int run = 0; run < 3; run++)
            Run();
        ids.CopyFrom([1, 5, 2]);
        Assert.Equal("Embedding: token ids must be in 0 .. 4, got 5 at [n = 1].", Assert.Throws<ArgumentException>(Run).Message);
        ids.CopyFrom([1, 1, 1]);
        Run();

        void Run()
        {
            using var scope = TensorScope.Begin();
            step.Run(random, () =>
            {
                var loss = Ops.Sum(Ops.Embedding(table, ids));
                loss.Backward();
                return [loss];
            });
            Assert.Equal(3 * 4, table.Grad!.ToArray().Sum());
            table.ZeroGrad();
        }
    }

    /// <summary>Indices that a step makes of others: what they came from the first time says nothing of the next.</summary>
    [Theory, Devices]
    public void IndicesMadeInAGraphAreLookedAtEachTime(string name)
    {
        using var device = TestDevices.Open(name);
        using var table = Tensor.Full(device, [5, 4], 0.5f);
        using var ids = Tensor.From(device, [0, 4, 2, 1], [2, 2]);
        Func<Tensor>[] makers = [() => Ops.Slice(ids, 1, 0, 1), () => Ops.Concat(1, ids, ids)];
        foreach (var made in makers)
        {
            ids.CopyFrom([0, 4, 2, 1]);
            using var memory = new StepMemory(device);
            using var step = new RepeatedStep(memory, []);
            var random = new RandomSource(1);
            for (int run = 0; run < 3; run++)
                Run();
            ids.CopyFrom([5, 4, 2, 1]);
            Assert.Contains("token ids must be in 0 .. 4, got 5", Assert.Throws<ArgumentException>(Run).Message);

            void Run()
            {
                using var scope = TensorScope.Begin();
                step.Run(random, () => [Ops.Embedding(table, made())]);
            }
        }
    }

    [Theory, Devices]
    public void AnotherSeedAndADeadParameterAreNoticed(string name)
    {
        using var device = TestDevices.Open(name);
        var x = Tensor.From(device, [.. Enumerable.Range(1, 64).Select(i => (float)i)]).AsParameter();
        using var memory = new StepMemory(device);
        var step = new RepeatedStep(memory, [x]);
        foreach (ulong seed in (ulong[])[1, 1, 1, 2, 2, 2])
        {
            var (random, same) = (new RandomSource(seed), new RandomSource(seed));
            Assert.Equal(Results(() => Work(same)), Results(() => step.Run(random, () => Work(random))));
        }

        x.Dispose();
        Assert.Throws<ObjectDisposedException>(() => step.Run(new RandomSource(2), () => Work(new RandomSource(2))));
        step.Dispose();
        Assert.Throws<ObjectDisposedException>(() => step.Run(new RandomSource(2), () => []));

        Tensor[] Work(RandomSource random)
        {
            var loss = Ops.Sum(Ops.Dropout(x, 0.5f, random));
            loss.Backward();
            return [loss];
        }

        float[][] Results(Func<Tensor[]> work)
        {
            using var scope = TensorScope.Begin();
            float[][] results = [work()[0].ToArray(), x.Grad!.ToArray()];
            x.ZeroGrad();
            return results;
        }
    }
}
