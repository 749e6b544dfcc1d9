using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class TensorTests
{
    [Theory, Devices]
    public void HoldsWhatItWasGiven(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        Assert.Equal([1f, 2f], Tensor.From(device, [1f, 2f]).ToArray());
        Assert.Equal([1, 2], Tensor.From(device, [1, 2], [2, 1]).ToIntArray());
        Assert.Equal([0f, 0f, 0f], Tensor.Zeros(device, [3]).ToArray());
        Assert.Equal([7f, 7f], Tensor.Full(device, [1, 2], 7).ToArray());
        Assert.Equal([0, 0], Tensor.Zeros(device, [2], DType.Int32).ToIntArray());
        Assert.Equal(5f, Tensor.From(device, [5f], []).Item());
        Assert.Empty(Tensor.From(device, ReadOnlySpan<float>.Empty).ToArray());
        var x = Tensor.From(device, [1f, 2f]);
        x.CopyFrom([3f, 4f]);
        Assert.Equal([3f, 4f], x.ToArray());
        Assert.Equal($"From [2] Float32 on {device}", x.ToString());
    }

    [Theory, Devices]
    public void ViewsShareMemory(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, [1f, 2f, 3f, 4f, 5f, 6f], [3, 2]);
        Tensor rows = x.Rows(1, 2), flat = rows.Reshape([4]), tail = flat.Rows(3, 1);
        tail.CopyFrom([60f]);
        Assert.Equal([1, 2, 3, 4, 5, 60], x.ToArray());
        Assert.Equal([3f, 4f, 5f, 60f], flat.ToArray());
        Assert.Empty(x.Rows(3, 0).ToArray());
    }

    [Theory, Devices]
    public void ATensorDiesWithItsDevice(string name)
    {
        var device = TestDevices.Open(name);
        using var x = Tensor.From(device, [1f, 2f]);
        var view = x.Rows(1, 1);
        device.Dispose();
        Assert.False(x.IsAlive);
        Assert.StartsWith("The tensor [2] made by From died with its device.", Assert.Throws<ObjectDisposedException>(() => x.ToArray()).Message);
        Assert.Throws<ObjectDisposedException>(() => view.CopyFrom([3f]));
        Assert.Throws<ObjectDisposedException>(() => Ops.IsFinite(x));
        Assert.Throws<ObjectDisposedException>(() => Ops.Relu(x));
        Assert.Throws<ObjectDisposedException>(() => Tensor.Zeros(device, [1]));
        view.Dispose();
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, [1f, 2f, 3f, 4f], [2, 2]);
        Refuses<ArgumentException>(
            "Tensor.From: the shape must hold as many elements as there are values, got [2, 2] and 3 values.", () => Tensor.From(device, [1f, 2f, 3f], [2, 2]));
        Refuses<InvalidOperationException>($"CopyTo: host and tensor must match, got 4 x Int32 and From [2, 2] Float32 on {device}.", () => x.ToIntArray());
        Refuses<InvalidOperationException>($"CopyTo: host and tensor must match, got 1 x Float32 and From [2, 2] Float32 on {device}.", () => x.Item());
        Refuses<InvalidOperationException>($"CopyFrom: host and tensor must match, got 3 x Float32 and From [2, 2] Float32 on {device}.", () => x.CopyFrom([1f, 2f, 3f]));
        Refuses<ArgumentException>("Reshape: the number of elements must stay, got [2, 2] -> [5].", () => x.Reshape([5]));
        foreach (var (start, length) in ((int, int)[])[(0, 3), (-1, 1), (3, 0), (1, -1), (int.MaxValue, 1), (1, int.MaxValue), (0, int.MinValue)])
        {
            Refuses<ArgumentOutOfRangeException>(
                $"Rows: must lie in the leading axis, got start = {start}, length = {length} of [2, 2].", () => x.Rows(start, length));
        }

        static void Refuses<TException>(string message, Action call)
            where TException : Exception
            => Assert.Equal(message, Assert.Throws<TException>(call).Message);
    }
}
