using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class LightConvTests : OpTests<ConvCase>
{
    // The golden input of the notes on the paper: T = 4, C = 4.
    internal static readonly float[] GoldenInput =
        [.. Enumerable.Range(0, 16).Select(i => 0.1f * ((i / 4) + 1) * ((i % 4) + 1) * (((i / 4) + (i % 4)) % 2 == 0 ? 1 : -1))];

    protected override IEnumerable<ConvCase> Cases => ConvCase.Many();

    // K products may cancel so far on a step of few channels that the naive loop's own error is a stroke of luck.
    protected override NaiveError Allowed => NaiveError.InProportion;

    protected override Input[] Inputs(ConvCase c, Random random)
        => [Input.Random(random, [c.B, c.T, c.C]), Input.Random(random, [c.H, c.K], parameter: true)];

    protected override Tensor Call(ConvCase c, Tensor[] inputs)
        => Ops.LightConv(inputs[0], inputs[1], c.LeftPadding, c.Softmax, c.Drop, c.Random());

    protected override T[] Reference<T>(ConvCase c, T[][] inputs)
    {
        var taps = c.Taps(inputs[1]);
        return c.Convolve(inputs[0], (b, t, channel, k) => taps[(channel / (c.C / c.H) * c.K) + k]);
    }

    // Worked out in float64 from the equations of Wu et al. 2019, six digits; no other implementation was asked.
    [Theory, Devices]
    public void GoldenNumbers(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, GoldenInput, [1, 4, 4]);
        var weight = Tensor.From(device, [0.5f, -0.25f, 1, -1, 0, 0.75f], [2, 3]);
        float[] same =
        [
            -0.090516f, 0.181031f, -0.278403f, 0.371204f, 0.160246f, -0.320493f, 0.406230f, -0.541640f,
            -0.229977f, 0.459954f, -0.534058f, 0.712077f, 0.035582f, -0.071163f, -0.249337f, 0.332449f,
        ];
        AssertNear(same, Ops.LightConv(x, weight, 1).ToArray());
        AssertNear([0.052825f, -0.105650f, 0.182244f, -0.242993f, .. same[..12]], Ops.LightConv(x, weight, 2).ToArray());
        var identity = Ops.LightConv(Tensor.Full(device, [1, 3, 4], 1), weight, 2);
        AssertNear([0.528252f, 0.528252f, 0.607482f, 0.607482f], identity.ToArray()[..4]);
    }

    [Theory, Devices]
    public void CausalPaddingIgnoresTheFuture(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var random = new Random(3);
        foreach (int k in (int[])[1, 2, 3, 7, 31, 63])
        {
            float[] values = Input.Random(random, [2, 41, 128]).Values;
            var weight = Tensor.From(device, Input.Random(random, [2, k]).Values, [2, k]);
            float[] before = Ops.LightConv(Tensor.From(device, values, [2, 41, 128]), weight, k - 1).ToArray();
            const int Now = 18;
            for (int t = Now; t < 41; t++)
                values.AsSpan(t * 128, 128).Fill(float.NaN);
            float[] after = Ops.LightConv(Tensor.From(device, values, [2, 41, 128]), weight, k - 1).ToArray();
            Assert.Equal(before[..(Now * 128)], after[..(Now * 128)]);
            Assert.Equal(before[(41 * 128)..], after[(41 * 128)..]);
            Assert.All(after[(Now * 128)..((Now + 1) * 128)], y => Assert.True(float.IsNaN(y)));
        }
    }

    [Theory, Devices]
    public void OneTapIsTheIdentity(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, Input.Random(new Random(4), [3, 21, 34]).Values, [3, 21, 34]);
        Assert.Equal(x.ToArray(), Ops.LightConv(x, Tensor.From(device, [0.3f, -9f], [2, 1]), 0).ToArray());
    }

    [Theory, Devices]
    public void EqualsDepthwiseConvWithTheHeadsTapsForEveryChannel(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var random = new Random(5);
        float[] logits = Input.Random(random, [3, 7]).Values;
        var x = Tensor.From(device, Input.Random(random, [2, 19, 48]).Values, [2, 19, 48]);
        float[] taps = new ConvCase(2, 19, 48, 3, 7, 3).Taps(logits);
        float[] spread = [.. Enumerable.Range(0, 48 * 7).Select(i => taps[(i / 7 / 16 * 7) + (i % 7)])];
        AssertNear(
            Ops.DepthwiseConv(x, Tensor.From(device, spread, [48, 7]), null, 3).ToArray(),
            Ops.LightConv(x, Tensor.From(device, logits, [3, 7]), 3).ToArray());
    }

    [Theory, Devices]
    public void DropConnectDrawsOneMaskACall(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var random = new RandomSource(11);
        const int Heads = 16, K = 31, Draws = 40;
        int dropped = 0;
        double sum = 0;
        for (int n = 0; n < Draws; n++)
        {
            // One-hot in time: the outputs are the reversed taps themselves.
            var x = new float[2 * K * Heads];
            x.AsSpan((K - 1) * Heads, Heads).Fill(1);
            x.AsSpan(((2 * K) - 1) * Heads, Heads).Fill(1);
            float[] y = Ops.LightConv(Tensor.From(device, x, [2, K, Heads]), Tensor.Zeros(device, [Heads, K]), 0, true, 0.25f, random).ToArray();
            Assert.Equal(y[..(K * Heads)], y[(K * Heads)..]);
            dropped += y.AsSpan(0, K * Heads).Count(0);
            sum += y[..(K * Heads)].Sum();
        }

        Assert.Equal((ulong)Draws, random.Position);
        Assert.Equal(0.25, dropped / (double)(Draws * Heads * K), 0.01);
        Assert.Equal(1, sum / (Draws * Heads), 0.02);
    }

    [Theory, Devices]
    public void EvaluationDropsNothing(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, GoldenInput, [1, 4, 4]);
        var weight = Tensor.From(device, [0.5f, -0.25f, 1, -1, 0, 0.75f], [2, 3]);
        Assert.Equal(Ops.LightConv(x, weight, 1).ToArray(), Ops.LightConv(x, weight, 1, dropConnect: 0.9f).ToArray());
    }

    [Theory, Devices]
    public void NoSequenceGivesZeroGradient(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var weight = Tensor.From(device, [1f, 2f, 3f], [1, 3]).AsParameter();
        var y = Ops.LightConv(Tensor.Zeros(device, [0, 5, 8]), weight, 1);
        y.Backward(Tensor.Zeros(device, y.Shape));
        Assert.Equal([0f, 0f, 0f], weight.Grad!.ToArray());
        weight.ZeroGrad();
    }

    [Theory, Devices]
    public void GradientOnlyWhereAsked(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, GoldenInput, [1, 4, 4]);
        var weight = Tensor.From(device, [0.5f, -0.25f, 1, -1, 0, 0.75f], [2, 3]);
        var both = Both();
        var alone = x.Detach();
        Ops.LightConv(alone, weight.AsParameter(), 1).Backward(Tensor.Full(device, x.Shape, 1));
        Assert.Equal(both.Weight, weight.Grad!.ToArray());
        Assert.Null(alone.Grad);
        var input = Tensor.From(device, GoldenInput, [1, 4, 4]).AsParameter();
        Ops.LightConv(input, weight.Detach(), 1).Backward(Tensor.Full(device, x.Shape, 1));
        Assert.Equal(both.X, input.Grad!.ToArray());

        (float[] X, float[] Weight) Both()
        {
            var a = Tensor.From(device, GoldenInput, [1, 4, 4]).AsParameter();
            var w = Tensor.From(device, weight.ToArray(), [2, 3]).AsParameter();
            Ops.LightConv(a, w, 1).Backward(Tensor.Full(device, x.Shape, 1));
            return (a.Grad!.ToArray(), w.Grad!.ToArray());
        }
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.Zeros(device, [8, 20, 510]);
        var weight = Tensor.Zeros(device, [4, 7]);
        Refuses<ArgumentException>(
            "LightConv: H must divide C, got H = 4, C = 510 (input [8, 20, 510], weight [4, 7]).", () => Ops.LightConv(x, weight, 3));
        Refuses<ArgumentException>(
            "LightConv: the input must be [B, T, C] and the weight [H, K], got input [8, 10200], weight [4, 7].",
            () => Ops.LightConv(x.Reshape([8, 10200]), weight, 3));
        Refuses<ArgumentException>(
            "LightConv: K must be in 1 .. 255, got K = 256 (input [8, 20, 510], weight [2, 256]).",
            () => Ops.LightConv(x, Tensor.Zeros(device, [2, 256]), 3));
        Refuses<ArgumentException>(
            "LightConv: leftPadding must be in 0 .. K - 1, got leftPadding = 7, K = 7 (input [8, 20, 510], weight [2, 7]).",
            () => Ops.LightConv(x, Tensor.Zeros(device, [2, 7]), 7));
        Refuses<ArgumentException>(
            "LightConv: dropConnect must be in 0 .. 1 (1 excluded), got 1.", () => Ops.LightConv(x, Tensor.Zeros(device, [2, 7]), 3, dropConnect: 1));
        Refuses<ArgumentException>(
            $"LightConv: inputs must be floats, got From [1, 2] Int32 on {device}.", () => Ops.LightConv(x, Tensor.From(device, [1, 2], [1, 2]), 0));
    }

    internal static void AssertNear(ReadOnlySpan<float> expected, ReadOnlySpan<float> got, double tolerance = 1.5e-6)
    {
        Assert.Equal(expected.Length, got.Length);
        for (int i = 0; i < got.Length; i++)
            Assert.True(Math.Abs(expected[i] - got[i]) <= tolerance, $"element {i} is {got[i]:g9}, expected {expected[i]:g9}");
    }
}
