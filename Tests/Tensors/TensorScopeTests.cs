using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class TensorScopeTests
{
    [Theory, Devices]
    public void ScopesCloseInnermostFirst(string name)
    {
        using var device = TestDevices.Open(name);
        using var outer = TensorScope.Begin();
        var x = Tensor.From(device, [1f]);
        using (var inner = TensorScope.Begin())
        {
            Assert.Same(inner, TensorScope.Current);
            Assert.Equal("TensorScope: scopes must be closed innermost first.", Assert.Throws<InvalidOperationException>(outer.Dispose).Message);
            Assert.True(x.IsAlive);
        }

        Assert.Same(outer, TensorScope.Current);
        Assert.Equal(1f, x.Item());
    }

    [Theory, Devices]
    public void AScopeBelongsToItsThread(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, [1f]);
        Exception? error = null;
        TensorScope? seen = scope;
        var other = new Thread(() =>
        {
            seen = TensorScope.Current;
            error = Record.Exception(scope.Dispose);
        });
        other.Start();
        other.Join();
        Assert.Null(seen);
        Assert.Equal(
            "TensorScope: must be closed on the thread that opened it; a scope must not live across an await.",
            Assert.IsType<InvalidOperationException>(error).Message);
        Assert.True(x.IsAlive);
    }

    [Theory, Devices]
    public void ClosingTwiceIsHarmless(string name)
    {
        using var device = TestDevices.Open(name);
        var scope = TensorScope.Begin();
        scope.Dispose();
        using var next = TensorScope.Begin();
        scope.Dispose();
        Assert.Same(next, TensorScope.Current);
    }

    [Theory, Devices]
    public void KeepClimbsOneScopeACall(string name)
    {
        using var device = TestDevices.Open(name);
        Tensor once, twice, thrice;
        using (TensorScope.Begin())
        {
            using (TensorScope.Begin())
            {
                once = Tensor.From(device, [1f]).Keep();
                twice = Tensor.From(device, [2f]).Keep().Keep();
                thrice = Tensor.From(device, [3f]).Keep().Keep().Keep();
            }

            Assert.Equal([1f, 2f, 3f], [once.Item(), twice.Item(), thrice.Item()]);
        }

        Assert.False(once.IsAlive);
        Assert.Equal([2f, 3f], [twice.Item(), thrice.Item()]);
        twice.Dispose();
        thrice.Dispose();
        Assert.Equal(0, device.LiveBytes);
    }

    [Theory, Devices]
    public void ATensorMadeOutsideNeedsNoKeepAndNoScopeFreesIt(string name)
    {
        using var device = TestDevices.Open(name);
        var x = Tensor.From(device, [1f]);
        using (TensorScope.Begin())
            Assert.Same(x, x.Keep());
        Assert.True(x.IsAlive);
        x.Dispose();
    }

    [Theory, Devices]
    public void TensorsMayDieInAnyOrderInsideAScope(string name)
    {
        using var device = TestDevices.Open(name);
        var random = new Random(2);
        using (TensorScope.Begin())
        {
            var tensors = Enumerable.Range(0, 200).Select(i => Tensor.From(device, [(float)i])).ToArray();
            random.Shuffle(tensors);
            foreach (var tensor in tensors[..100])
                tensor.Dispose();
            var kept = tensors[100].Keep();
            Assert.All(tensors[100..], t => Assert.True(t.IsAlive));
            kept.Dispose();
            kept.Dispose();
        }

        Assert.Equal(0, device.LiveBytes);
    }

    [Theory, Devices]
    public void AViewKeepsTheMemoryAliveAndADeadTensorSaysHowItDied(string name)
    {
        using var device = TestDevices.Open(name);
        Tensor view, rows;
        using (TensorScope.Begin())
        {
            var x = Tensor.From(device, [1f, 2f, 3f, 4f], [2, 2]);
            view = x.Reshape([4]).Keep();
            rows = x.Rows(1, 1);
            x.Dispose();
            Assert.Equal([3f, 4f], rows.ToArray());
            Assert.StartsWith("The tensor [2, 2] made by From was disposed.", Assert.Throws<ObjectDisposedException>(() => x.ToArray()).Message);
        }

        Assert.Equal([1f, 2f, 3f, 4f], view.ToArray());
        Assert.StartsWith("The tensor [1, 2] made by Rows died with its TensorScope.", Assert.Throws<ObjectDisposedException>(() => rows.ToArray()).Message);
        Assert.StartsWith("The tensor [1, 2] made by Rows died with its TensorScope.", Assert.Throws<ObjectDisposedException>(() => rows.Keep()).Message);
        view.Dispose();
        Assert.Equal(0, device.LiveBytes);
    }

    [Theory, Devices]
    public void ADeadTensorIsRefusedByOps(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, [1f]);
        var ids = Tensor.From(device, [0]);
        x.Dispose();
        ids.Dispose();
        var good = Tensor.From(device, [1f], [1, 1]);
        Assert.Throws<ObjectDisposedException>(() => Ops.Add(x, good));
        Assert.Throws<ObjectDisposedException>(() => Ops.Multiply(good, x));
        Assert.Throws<ObjectDisposedException>(() => Ops.Embedding(good, ids));
        Assert.Throws<ObjectDisposedException>(() => Ops.Concat(0, x, x));
        Assert.Throws<ObjectDisposedException>(() => x.Reshape([1, 1]));
        Assert.Throws<ObjectDisposedException>(() => x.Detach());
        Assert.Throws<ObjectDisposedException>(() => x.CopyFrom([2f]));
    }

    [Theory, Devices]
    public void AThrowingBodyLeavesNothingAlive(string name)
    {
        using var device = TestDevices.Open(name);
        using var x = Tensor.From(device, [1f, 2f]).AsParameter();
        long before = device.LiveBytes;
        for (int i = 0; i < 3; i++)
        {
            Assert.Throws<ArgumentException>(() =>
            {
                using var scope = TensorScope.Begin();
                var y = Ops.Relu(x);
                using var inner = TensorScope.Begin();
                Ops.Add(y, Tensor.Zeros(device, [3]));
            });
        }

        Assert.Equal(before, device.LiveBytes);
        Assert.Null(TensorScope.Current);
    }
}
