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
}
