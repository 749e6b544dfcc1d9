using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed record EmbeddingCase(int B, int T, int V, int C, float Scale = 1, int PaddingIndex = -1);

public sealed class EmbeddingTests : OpTests<EmbeddingCase>
{
    protected override IEnumerable<EmbeddingCase> Cases =>
    [
        new(1, 1, 1, 1), new(2, 3, 5, 7), new(0, 3, 5, 4), new(2, 3, 4, 0), new(4, 9, 3, 16, 4), new(3, 5, 11, 33, 0.5f), new(8, 33, 14, 257), new(5, 40, 1000, 65, 8),
        new(4, 80, 3, 12, 1), new(3, 1000, 40, 5), new(2, 30, 70_000, 1),
    ];

    protected override Input[] Inputs(EmbeddingCase c, Random random) =>
    [
        Input.Random(random, [c.V, c.C], parameter: true),
        Input.Ints([c.B, c.T], Enumerable.Range(0, c.B * c.T).Select(_ => random.Next(c.V))),
    ];

    protected override Tensor Call(EmbeddingCase c, Tensor[] inputs) => Call(c, inputs, DType.Float32);

    protected override Tensor Call(EmbeddingCase c, Tensor[] inputs, DType type) => Ops.Embedding(inputs[0], inputs[1], c.Scale, c.PaddingIndex, type);

    protected override T[] Reference<T>(EmbeddingCase size, T[][] inputs)
    {
        var y = new T[size.B * size.T * size.C];
        for (int i = 0; i < y.Length; i++)
            y[i] = T.CreateChecked(size.Scale) * inputs[0][(int.CreateChecked(inputs[1][i / size.C]) * size.C) + (i % size.C)];
        return y;
    }

    [Theory, Devices]
    public void ThePaddingRowGetsNoGradientAndUnusedRowsZero(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var table = Tensor.From(device, [1f, 2f, 3f, 4f, 5f, 6f, 7f, 8f], [4, 2]).AsParameter();
        var y = Ops.Embedding(table, Tensor.From(device, [2, 1, 2, 0]), scale: 10, paddingIndex: 1);
        Assert.Equal([50, 60, 30, 40, 50, 60, 10, 20], y.ToArray());
        y.Backward(Tensor.From(device, [1f, 2f, 3f, 4f, 5f, 6f, 7f, 8f], [4, 2]));
        Assert.Equal([70, 80, 0, 0, 60, 80, 0, 0], table.Grad!.ToArray());
    }

    [Theory, Devices]
    public void KeepsTheShapeOfTheIds(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        Assert.Equal([2, 1, 3, 4], Ops.Embedding(Tensor.Zeros(device, [5, 4]), Tensor.From(device, new int[6], [2, 1, 3])).Shape);
        Assert.Equal([4], Ops.Embedding(Tensor.Zeros(device, [5, 4]), Tensor.From(device, new int[1], [])).Shape);
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        using var table = Tensor.Zeros(device, [32000, 2]);
        var ids = new int[4 * 20];
        ids[(3 * 20) + 17] = 32000;
        Refuses<ArgumentException>(
            "Embedding: token ids must be in 0 .. 31999, got 32000 at [b = 3, t = 17].", () => Ops.Embedding(table, Tensor.From(device, ids, [4, 20])));
        Refuses<ArgumentException>(
            "Embedding: token ids must be in 0 .. 31999, got -1 at [n = 1].", () => Ops.Embedding(table, Tensor.From(device, [5, -1])));
        Refuses<ArgumentException>(
            "Embedding: token ids must be in 0 .. 31999, got 32001 at [0, 1, 0].", () => Ops.Embedding(table, Tensor.From(device, [5, 32001], [1, 2, 1])));
        Refuses<ArgumentException>(
            "Embedding: token ids must be none where there is nothing to choose from, got [2].",
            () => Ops.Embedding(Tensor.Zeros(device, [0, 4]), Tensor.From(device, [0, 0])));
        Refuses<ArgumentException>(
            "Embedding: the table must be [V, C], got [4] (token ids [1]).", () => Ops.Embedding(Tensor.Zeros(device, [4]), Tensor.From(device, [0])));
        Refuses<ArgumentException>(
            $"Embedding: token ids must be integers, got Zeros [4] Float32 on {device}.", () => Ops.Embedding(table, Tensor.Zeros(device, [4])));
    }
}
