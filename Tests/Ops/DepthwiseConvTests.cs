using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class DepthwiseConvTests : OpTests<ConvCase>
{
    protected override IEnumerable<ConvCase> Cases => ConvCase.Many();

    // K products may cancel so far on a step of few channels that the naive loop's own error is a stroke of luck.
    protected override NaiveError Allowed => NaiveError.InProportion;

    protected override Input[] Inputs(ConvCase c, Random random)
    {
        Input[] inputs = [Input.Random(random, [c.B, c.T, c.C]), Input.Random(random, [c.C, c.K], parameter: true), Input.Random(random, [c.C], parameter: true)];
        return c.Bias ? inputs : inputs[..2];
    }

    protected override Tensor Call(ConvCase c, Tensor[] inputs) => Ops.DepthwiseConv(inputs[0], inputs[1], c.Bias ? inputs[2] : null, c.LeftPadding);

    protected override T[] Reference<T>(ConvCase c, T[][] inputs)
    {
        var y = c.Convolve(inputs[0], (b, t, channel, k) => inputs[1][(channel * c.K) + k]);
        for (int i = 0; i < y.Length && c.Bias; i++)
            y[i] += inputs[2][i % c.C];
        return y;
    }

    [Theory, Devices]
    public void OneTapOfOneIsTheIdentity(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, Input.Random(new Random(4), [3, 21, 34]).Values, [3, 21, 34]);
        Assert.Equal(x.ToArray(), Ops.DepthwiseConv(x, Tensor.Full(device, [34, 1], 1), null, 0).ToArray());
    }

    [Theory, Devices]
    public void TapsAreNotFlipped(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, [0f, 1f, 0f, 0f], [1, 4, 1]);
        var weight = Tensor.From(device, [1f, 2f, 3f], [1, 3]);
        Assert.Equal([3, 2, 1, 0], Ops.DepthwiseConv(x, weight, null, 1).ToArray());
        Assert.Equal([0, 3, 2, 1], Ops.DepthwiseConv(x, weight, null, 2).ToArray());
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.Zeros(device, [2, 5, 8]);
        Refuses<ArgumentException>(
            "DepthwiseConv: the input must be [B, T, C], the weight [C, K] and the bias [C], got input [2, 5, 8], weight [4, 3], bias none.",
            () => Ops.DepthwiseConv(x, Tensor.Zeros(device, [4, 3]), null, 1));
        Refuses<ArgumentException>(
            "DepthwiseConv: the input must be [B, T, C], the weight [C, K] and the bias [C], got input [2, 5, 8], weight [8, 3], bias [7].",
            () => Ops.DepthwiseConv(x, Tensor.Zeros(device, [8, 3]), Tensor.Zeros(device, [7]), 1));
        Refuses<ArgumentException>(
            "DepthwiseConv: leftPadding must be in 0 .. K - 1, got leftPadding = 3, K = 3 (input [2, 5, 8], weight [8, 3]).",
            () => Ops.DepthwiseConv(x, Tensor.Zeros(device, [8, 3]), null, 3));
    }
}
