using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class AutogradTests
{
    [Theory, Devices]
    public void DeadTensorNamesItsMaker(string name)
    {
        using var device = TestDevices.Open(name);
        using var x = Tensor.From(device, [1f, 2f]);
        Tensor y;
        using (TensorScope.Begin())
            y = Ops.Relu(x);
        var error = Assert.Throws<ObjectDisposedException>(() => y.ToArray());
        Assert.StartsWith("The tensor [2] made by Relu died with its TensorScope. Keep() moves a tensor to the outer scope.", error.Message);
    }

    [Theory, Devices]
    public void KeepMovesATensorOutOfItsScope(string name)
    {
        using var device = TestDevices.Open(name);
        using var x = Tensor.From(device, [-1f, 2f]);
        Tensor y;
        using (TensorScope.Begin())
            y = Ops.Relu(x).Keep();
        Assert.Equal([0, 2], y.ToArray());
        y.Dispose();
    }

    [Theory, Devices]
    public void ScopesLeaveNothingAlive(string name)
    {
        using var device = TestDevices.Open(name);
        using var x = Tensor.From(device, new float[1000]).AsParameter();
        long before = device.LiveBytes;
        for (int i = 0; i < 3; i++)
        {
            using var scope = TensorScope.Begin();
            var y = Ops.Relu(Ops.Relu(x));
            y.Backward(Tensor.Full(device, y.Shape, 1));
            x.ZeroGrad();
        }

        Assert.Equal(before, device.LiveBytes);
    }

    [Theory, Devices]
    public void ASharedParameterGetsTheSumOfItsGradients(string name)
    {
        using var device = TestDevices.Open(name);
        using var x = Tensor.From(device, [2f, -3f]).AsParameter();
        using var scope = TensorScope.Begin();
        // x x + 3 x - x, and once more through a view: the derivative is 2 x + 3 - 1 + 1.
        var y = Ops.Add(Ops.Subtract(Ops.Add(Ops.Multiply(x, x), Ops.Scale(x, 3)), x), x.Reshape([1, 2]).Reshape([2]));
        y.Backward(Tensor.Full(device, [2], 1));
        Assert.Equal([7f, -3f], x.Grad!.ToArray());
    }

    [Theory, Devices]
    public void AnActivationUsedManyTimesGetsTheSum(string name)
    {
        using var device = TestDevices.Open(name);
        using var x = Tensor.From(device, [1f]).AsParameter();
        using var scope = TensorScope.Begin();
        var y = x;
        for (int i = 0; i < 20; i++)
            y = Ops.Add(y, y);
        y.Backward();
        Assert.Equal(1 << 20, x.Grad!.Item());
    }

    [Theory, Devices]
    public void GradientsAccumulateUntilZeroed(string name)
    {
        using var device = TestDevices.Open(name);
        using var x = Tensor.From(device, [1f]).AsParameter();
        for (int i = 1; i <= 3; i++)
        {
            using var scope = TensorScope.Begin();
            Ops.Scale(x, i).Backward();
        }

        Assert.Equal(6f, x.Grad!.Item());
        x.ZeroGrad();
        Assert.Null(x.Grad);
        x.ZeroGrad();
        using (TensorScope.Begin())
            Ops.Scale(x, 5).Backward();
        Assert.Equal(5f, x.Grad!.Item());
    }

    [Theory, Devices]
    public void BackwardTwiceIsRefusedUnlessRetained(string name)
    {
        using var device = TestDevices.Open(name);
        using var x = Tensor.From(device, [3f]).AsParameter();
        using var scope = TensorScope.Begin();
        var y = Ops.Multiply(x, x);
        y.Backward(retain: true);
        y.Backward();
        Assert.Equal(12f, x.Grad!.Item());
        Assert.Equal(
            $"Backward: the loss must be computed from a parameter, in a scope that is still open and not differentiated before, got Multiply [1] Float32 on {device}.",
            Assert.Throws<InvalidOperationException>(() => y.Backward()).Message);
        Assert.Equal(12f, x.Grad!.Item());
    }

    [Theory, Devices]
    public void TwoLossesOnOneTrunkNeedRetain(string name)
    {
        using var device = TestDevices.Open(name);
        using var x = Tensor.From(device, [3f]).AsParameter();
        using (TensorScope.Begin())
        {
            var trunk = Ops.Multiply(x, x);
            Tensor first = Ops.Scale(trunk, 1), second = Ops.Scale(trunk, 10);
            first.Backward(retain: true);
            second.Backward();
            Assert.Equal(66f, x.Grad!.Item());
        }

        using (TensorScope.Begin())
        {
            var trunk = Ops.Multiply(x, x);
            Tensor first = Ops.Scale(trunk, 1), second = Ops.Scale(trunk, 10);
            first.Backward();
            Assert.Equal(
                "Backward: Multiply was differentiated before; pass retain: true to the first Backward.",
                Assert.Throws<InvalidOperationException>(() => second.Backward()).Message);
        }
    }

    [Theory, Devices]
    public void ActivationsAreFreedByBackwardAndTheLossIsNot(string name)
    {
        using var device = TestDevices.Open(name);
        using var x = Tensor.From(device, [3f]).AsParameter();
        using var scope = TensorScope.Begin();
        var hidden = Ops.Relu(x);
        var loss = Ops.Scale(hidden, 2);
        loss.Backward();
        Assert.Equal(6f, loss.Item());
        Assert.StartsWith(
            "The tensor [1] made by Relu was freed by Backward (pass retain: true to read activations afterwards).",
            Assert.Throws<ObjectDisposedException>(() => hidden.ToArray()).Message);
    }

    [Theory, Devices]
    public void NoGradientFlowsThroughDetach(string name)
    {
        using var device = TestDevices.Open(name);
        using var x = Tensor.From(device, [3f]).AsParameter();
        using var scope = TensorScope.Begin();
        var y = Ops.Multiply(x, x);
        var detached = y.Detach();
        Assert.False(detached.RequiresGrad);
        Ops.Multiply(detached, x).Backward();
        Assert.Equal(9f, x.Grad!.Item());
        Assert.Throws<InvalidOperationException>(() => Ops.Scale(detached, 2).Backward());
    }

    [Theory, Devices]
    public void NothingIsRecordedUnderNoGrad(string name)
    {
        using var device = TestDevices.Open(name);
        using var x = Tensor.From(device, [3f]).AsParameter();
        using var scope = TensorScope.Begin();
        Tensor constant;
        using (new NoGrad())
        {
            using (new NoGrad())
                Assert.False(Ops.Relu(x).RequiresGrad);
            constant = Ops.Multiply(x, x);
            Assert.False(constant.RequiresGrad);
        }

        Ops.Multiply(constant, x).Backward();
        Assert.Equal(9f, x.Grad!.Item());
    }

    [Theory, Devices]
    public void NoGradIsOfItsThreadAndClosesOnce(string name)
    {
        using var device = TestDevices.Open(name);
        using var x = Tensor.From(device, [3f]).AsParameter();
        var paused = new NoGrad();
        bool recorded = false;
        Exception? error = null;
        var other = new Thread(() =>
        {
            using var scope = TensorScope.Begin();
            recorded = Ops.Relu(x).RequiresGrad;
            error = Record.Exception(paused.Dispose);
        });
        other.Start();
        other.Join();
        Assert.True(recorded);
        Assert.Equal("NoGrad: must be closed on the thread that opened it.", Assert.IsType<InvalidOperationException>(error).Message);
        paused.Dispose();
        paused.Dispose();
        using var inner = TensorScope.Begin();
        Assert.True(Ops.Relu(x).RequiresGrad);
    }

    [Theory, Devices]
    public void ATensorKeptFromAClosedScopeIsAConstant(string name)
    {
        using var device = TestDevices.Open(name);
        using var x = Tensor.From(device, [3f]).AsParameter();
        using var outer = TensorScope.Begin();
        Tensor kept;
        using (TensorScope.Begin())
        {
            kept = Ops.Multiply(x, x).Keep();
            Assert.True(kept.RequiresGrad);
        }

        Assert.False(kept.RequiresGrad);
        Ops.Multiply(kept, x).Backward();
        Assert.Equal(9f, x.Grad!.Item());
    }

    [Theory, Devices]
    public void AnInnerScopeDoesNotDisturbTheOuterTape(string name)
    {
        using var device = TestDevices.Open(name);
        using var x = Tensor.From(device, [3f]).AsParameter();
        using var outer = TensorScope.Begin();
        var y = Ops.Multiply(x, x);
        using (TensorScope.Begin())
            Ops.Scale(x, 100).Backward();
        Assert.Equal(100f, x.Grad!.Item());
        using (TensorScope.Begin())
        {
            _ = Ops.Scale(y, 7);
            Ops.Scale(y, 10).Backward();
        }

        Assert.Equal(160f, x.Grad!.Item());
    }

    [Theory, Devices]
    public void ManyThreadsTrainSideBySide(string name)
    {
        using var device = TestDevices.Open(name, threads: 3);
        var failures = new List<Exception>();
        var threads = Enumerable.Range(1, 4).Select(seed => new Thread(() =>
        {
            try
            {
                using var x = Tensor.Full(device, [1000], seed).AsParameter();
                for (int i = 0; i < 200; i++)
                {
                    using var scope = TensorScope.Begin();
                    x.ZeroGrad();
                    Ops.Sum(Ops.Multiply(Ops.Add(x, x), x)).Backward();
                    Assert.All(x.Grad!.ToArray(), g => Assert.Equal(4f * seed, g));
                }
            }
            catch (Exception e)
            {
                lock (failures)
                    failures.Add(e);
            }
        })).ToArray();
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        Assert.Empty(failures);
        Assert.Equal(0, device.LiveBytes);
    }

    [Theory, Devices]
    public void AFailedBackwardLeavesNothingForTheNext(string name)
    {
        using var device = TestDevices.Open(name);
        using var x = Tensor.From(device, [3f]).AsParameter();
        using var scope = TensorScope.Begin();
        var w = Tensor.From(device, [2f]);
        var hidden = Ops.Scale(x, 1);
        var y = Ops.Add(Ops.Multiply(hidden, w), hidden);
        var loss = Ops.Scale(y, 1);
        float[] saved = w.ToArray();
        w.Dispose();
        Assert.Throws<ObjectDisposedException>(() => loss.Backward(retain: true));
        x.ZeroGrad();
        // The same tape again without the dead factor: the gradient that reached hidden in the failed pass must be gone.
        Ops.Scale(hidden, 10).Backward();
        Assert.Equal(10f, x.Grad!.Item());
        Assert.Equal([2f], saved);
    }

    [Theory, Devices]
    public void GradientsDoNotGetLostBetweenThreads(string name)
    {
        using var device = TestDevices.Open(name);
        using var x = Tensor.From(device, [3f]).AsParameter();
        using var scope = TensorScope.Begin();
        var hidden = Ops.Scale(x, 2);
        Exception? error = null;
        var other = new Thread(() =>
        {
            using var inner = TensorScope.Begin();
            var loss = Ops.Relu(hidden);
            error = Record.Exception(() => loss.Backward());
        });
        other.Start();
        other.Join();
        Assert.Equal(
            $"Relu: input 0, Scale [1] Float32 on {device}, must be computed on the thread that runs Backward.",
            Assert.IsType<InvalidOperationException>(error).Message);
        Ops.Relu(hidden).Backward();
        Assert.Equal(2f, x.Grad!.Item());
    }

    [Theory, Devices]
    public void WithoutAScopeBackwardClearsTheTape(string name)
    {
        using var device = TestDevices.Open(name);
        int left = -1;
        Exception? again = null;
        var thread = new Thread(() =>
        {
            using var x = Tensor.From(device, [3f]).AsParameter();
            var hidden = Ops.Relu(x);
            using Tensor loss = Ops.Scale(hidden, 2), other = Ops.Scale(hidden, 3);
            loss.Backward();
            left = Tape.Mark;
            again = Record.Exception(() => other.Backward());
        });
        thread.Start();
        thread.Join();
        Assert.Equal(1, left);
        Assert.Equal(
            "Backward: Relu was differentiated before; pass retain: true to the first Backward.", Assert.IsType<InvalidOperationException>(again).Message);
        Assert.Equal(0, device.LiveBytes);
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, [1f, 2f]).AsParameter();
        var ids = Tensor.From(device, [1]);
        var y = Ops.Relu(x);
        Refuses($"Backward: must start from a single number or be given a gradient, got Relu [2] Float32 on {device}.", () => y.Backward());
        Refuses(
            $"Backward: the gradient must be like the tensor, got Zeros [3] Float32 on {device} for Relu [2] Float32 on {device}.",
            () => y.Backward(Tensor.Zeros(device, [3])));
        using var second = TestDevices.Open(name);
        Refuses(
            $"Backward: the gradient must be like the tensor, got Zeros [2] Float32 on {device} for Relu [2] Float32 on {device}.",
            () => y.Backward(Tensor.Zeros(second, [2])));
        Refuses(
            $"Backward: the loss must be computed from a parameter, in a scope that is still open and not differentiated before, got Zeros [] Float32 on {device}.",
            () => Tensor.Zeros(device, []).Backward());
        Refuses($"AsParameter: must be a Float32 tensor that was not computed from others, got From [1] Int32 on {device}.", () => ids.AsParameter());
        Refuses($"AsParameter: must be a Float32 tensor that was not computed from others, got Relu [2] Float32 on {device}.", () => y.AsParameter());
        Exception? error = null;
        var loss = Ops.Sum(y);
        var other = new Thread(() => error = Record.Exception(() => loss.Backward()));
        other.Start();
        other.Join();
        Assert.IsType<InvalidOperationException>(error);

        static void Refuses(string message, Action call) => Assert.Equal(message, Assert.Throws<InvalidOperationException>(call).Message);
    }
}
