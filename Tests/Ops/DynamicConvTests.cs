using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class DynamicConvTests : OpTests<ConvCase>
{
    protected override IEnumerable<ConvCase> Cases => ConvCase.Many();

    // With one channel a head, the first steps are a few taps times spikes: how far they cancel is chance.
    protected override NaiveError Allowed => NaiveError.Anywhere;

    protected override Input[] Inputs(ConvCase c, Random random)
        => [Input.Random(random, [c.B, c.T, c.C]), Input.Random(random, [c.B, c.T, c.H * c.K])];

    protected override Tensor Call(ConvCase c, Tensor[] inputs)
        => Ops.DynamicConv(inputs[0], inputs[1], c.H, c.LeftPadding, c.Softmax, c.Drop, c.Random());

    protected override T[] Reference<T>(ConvCase c, T[][] inputs)
    {
        var taps = c.Taps(inputs[1]);
        return c.Convolve(inputs[0], (b, t, channel, k) => taps[(((((b * c.T) + t) * c.H) + (channel / (c.C / c.H))) * c.K) + k]);
    }

    // Worked out in float64 from the equations of Wu et al. 2019, six digits; no other implementation was asked.
    [Theory, Devices]
    public void GoldenNumbers(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var logits = new float[4 * 6];
        for (int t = 0; t < 4; t++)
        {
            for (int h = 0; h < 2; h++)
            {
                for (int k = 0; k < 3; k++)
                {
                    for (int c = 0; c < 4; c++)
                        logits[(t * 6) + (h * 3) + k] += 0.3f * MathF.Sin(1 + (7 * h) + (3 * k) + c) * LightConvTests.GoldenInput[(t * 4) + c];
                }
            }
        }

        var x = Tensor.From(device, LightConvTests.GoldenInput, [1, 4, 4]);
        var weights = Tensor.From(device, logits, [1, 4, 6]);
        LightConvTests.AssertNear(
            [
                -0.038904f, 0.077808f, -0.120789f, 0.161052f, 0.041892f, -0.083784f, 0.111698f, -0.148930f,
                -0.149552f, 0.299104f, -0.473128f, 0.630837f, -0.107223f, 0.214447f, -0.346082f, 0.461443f,
            ],
            Ops.DynamicConv(x, weights, 2, 1).ToArray());
        LightConvTests.AssertNear(
            [
                0.034626f, -0.069252f, 0.105307f, -0.140409f, -0.021292f, 0.042585f, -0.055478f, 0.073970f,
                0.099270f, -0.198540f, 0.315895f, -0.421193f, -0.022635f, 0.045270f, -0.028144f, 0.037525f,
            ],
            Ops.DynamicConv(x, weights, 2, 2).ToArray());
    }

    [Theory, Devices]
    public void ConstantFiltersEqualLightConv(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var random = new Random(6);
        foreach (var (t, c, h, k) in ((int, int, int, int)[])[(1, 8, 2, 3), (6, 32, 4, 31), (50, 64, 2, 7), (77, 128, 1, 15)])
        {
            float[] row = Input.Random(random, [h * k]).Values;
            var x = Tensor.From(device, Input.Random(random, [2, t, c]).Values, [2, t, c]);
            float[] logits = [.. Enumerable.Range(0, 2 * t * h * k).Select(i => row[i % row.Length])];
            float[] light = Ops.LightConv(x, Tensor.From(device, row, [h, k]), k / 2).ToArray();
            float[] dynamic = Ops.DynamicConv(x, Tensor.From(device, logits, [2, t, h * k]), h, k / 2).ToArray();

            // On a GPU the taps of a row and those of a whole filter are summed by different threads.
            float largest = light.Max(MathF.Abs), allowed = name == TestDevices.Processor ? 0 : 4 * (MathF.BitIncrement(largest) - largest);
            for (int i = 0; i < light.Length; i++)
                Assert.True(Math.Abs(light[i] - dynamic[i]) <= allowed, $"[{t}, {c}], K = {k}: element {i} is {light[i]:g9} and {dynamic[i]:g9}");
        }
    }

    [Theory, Devices]
    public void CausalPaddingIgnoresTheFuture(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var random = new Random(3);
        foreach (int k in (int[])[1, 2, 3, 7, 31, 63])
        {
            float[] values = Input.Random(random, [1, 41, 128]).Values, logits = Input.Random(random, [1, 41, 2 * k]).Values;
            float[] before = Ops.DynamicConv(
                Tensor.From(device, values, [1, 41, 128]), Tensor.From(device, logits, [1, 41, 2 * k]), 2, k - 1).ToArray();
            const int Now = 18;
            values.AsSpan(Now * 128).Fill(float.NaN);
            logits.AsSpan(Now * 2 * k).Fill(float.NaN);
            float[] after = Ops.DynamicConv(
                Tensor.From(device, values, [1, 41, 128]), Tensor.From(device, logits, [1, 41, 2 * k]), 2, k - 1).ToArray();
            Assert.Equal(before[..(Now * 128)], after[..(Now * 128)]);
        }
    }

    [Theory, Devices]
    public void OneTapIsTheIdentity(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var random = new Random(4);
        var x = Tensor.From(device, Input.Random(random, [3, 21, 34]).Values, [3, 21, 34]);
        var logits = Tensor.From(device, Input.Random(random, [3, 21, 2]).Values, [3, 21, 2]);
        Assert.Equal(x.ToArray(), Ops.DynamicConv(x, logits, 2, 0).ToArray());
    }

    [Theory, Devices]
    public void DropConnectDrawsAnewForEveryTap(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        const int T = 512, Heads = 8;
        var x = Tensor.Full(device, [2, T, Heads], 1);
        var random = new RandomSource(12);
        float[] y = Ops.DynamicConv(x, Tensor.Zeros(device, [2, T, Heads * 3]), Heads, 0, true, 0.25f, random).ToArray();
        Assert.Equal(1ul, random.Position);

        // With equal logits y counts the taps that stayed, 0 .. 3, as ninths of 4: a binomial distribution away from the edge.
        var counts = new int[4];
        int rows = 0;
        for (int i = 0; i < y.Length; i++)
        {
            if (i / Heads % T >= T - 2)
                continue;
            counts[(int)MathF.Round(y[i] * 9 / 4)]++;
            rows++;
        }

        double[] expected = [0.015625, 0.140625, 0.421875, 0.421875];
        for (int n = 0; n < 4; n++)
            Assert.Equal(expected[n], counts[n] / (double)rows, 0.02);
        Assert.NotEqual(y[..(T * Heads)], y[(T * Heads)..]);
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.Zeros(device, [8, 20, 512]);
        var logits = Tensor.Zeros(device, [8, 20, 56]);
        Refuses<ArgumentException>(
            "DynamicConv: H must divide C, got H = 7, C = 512 (input [8, 20, 512], logits [8, 20, 56]).", () => Ops.DynamicConv(x, logits, 7, 3));
        Refuses<ArgumentException>(
            "DynamicConv: the logits' last axis must be H K, got H = 16 (input [8, 20, 512], logits [8, 20, 56]).",
            () => Ops.DynamicConv(x, logits, 16, 3));
        Refuses<ArgumentException>(
            "DynamicConv: the input must be [B, T, C] and the logits [B, T, H K], got input [8, 20, 512], logits [8, 10, 112].",
            () => Ops.DynamicConv(x, logits.Reshape([8, 10, 112]), 8, 3));
        Refuses<ArgumentException>(
            "DynamicConv: leftPadding must be in 0 .. K - 1, got leftPadding = -1, K = 7 (input [8, 20, 512], logits [8, 20, 56]).",
            () => Ops.DynamicConv(x, logits, 8, -1));
        Refuses<ArgumentException>(
            "DynamicConv: K must be in 1 .. 255, got K = 0 (input [8, 20, 512], logits [8, 20, 0]).",
            () => Ops.DynamicConv(x, Tensor.Zeros(device, [8, 20, 0]), 8, 0));
        Refuses<ArgumentException>(
            "DynamicConv: dropConnect must be in 0 .. 1 (1 excluded), got -0.5.", () => Ops.DynamicConv(x, logits, 8, 3, dropConnect: -0.5f));
    }
}
