using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class MovingAverageTests
{
    private static readonly int[] Sizes = [1, 0, 7, 33, 8193];

    [Theory, Devices]
    public void MatchesTheFormulaInFloat64(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (float decay in (float[])[0, 0.5f, 0.9f, 0.999f])
        {
            var parameters = Parameters(device, 0);
            using var average = new MovingAverage(parameters, decay);
            using var factor = Tensor.Full(device, [1], 0.25f);
            double[][] exact = [.. Sizes.Select((n, i) => Array.ConvertAll(Values(i, n, 0), v => (double)v))];
            for (int update = 1; update <= 5; update++)
            {
                for (int i = 0; i < Sizes.Length; i++)
                {
                    float[] values = Values(i, Sizes[i], update);
                    parameters[i].CopyFrom(values);
                    for (int j = 0; j < values.Length; j++)
                        exact[i][j] = ((double)(decimal)decay * exact[i][j]) + ((1 - (double)(decimal)decay) * values[j]);
                }

                average.Step(factor);
            }

            for (int i = 0; i < Sizes.Length; i++)
            {
                float[] got = average.Averages[i].ToArray();
                for (int j = 0; j < got.Length; j++)
                    Assert.True(Math.Abs(got[j] - exact[i][j]) <= 1e-6 * (1 + Math.Abs(exact[i][j])), $"decay {decay}, parameter {i}, element {j}: {got[j]} and {exact[i][j]}");
            }

            Dispose(parameters);
        }
    }

    [Theory, Devices]
    public void WhatDoesNotMoveIsItsOwnAverageToTheBit(string name)
    {
        using var device = TestDevices.Open(name);
        var parameters = Parameters(device, 0);
        using var average = new MovingAverage(parameters, 0.9f);
        using var factor = Tensor.Full(device, [1], 1);
        for (int i = 0; i < 3; i++)
            average.Step(factor);
        for (int i = 0; i < Sizes.Length; i++)
            Assert.Equal(parameters[i].ToArray(), average.Averages[i].ToArray());
        Dispose(parameters);
    }

    [Theory, Devices]
    public void AnUpdateThatIsNotMadeIsNotFollowed(string name)
    {
        using var device = TestDevices.Open(name);
        var parameters = Parameters(device, 0);
        using var average = new MovingAverage(parameters, 0.5f);
        foreach (var (p, i) in parameters.Select((p, i) => (p, i)))
            p.CopyFrom(Values(i, Sizes[i], 1));
        using var factor = Tensor.Full(device, [1], float.NaN);
        average.Step(factor);
        for (int i = 0; i < Sizes.Length; i++)
            Assert.Equal(Values(i, Sizes[i], 0), average.Averages[i].ToArray());
        Dispose(parameters);
    }

    [Theory, Devices]
    public void ExchangingTwiceChangesNothing(string name)
    {
        using var device = TestDevices.Open(name);
        var parameters = Parameters(device, 0);
        using var average = new MovingAverage(parameters, 0.5f);
        foreach (var (p, i) in parameters.Select((p, i) => (p, i)))
            p.CopyFrom(Values(i, Sizes[i], 1));
        for (int time = 0; time < 2; time++)
        {
            average.Exchange();
            for (int i = 0; i < Sizes.Length; i++)
            {
                Assert.Equal(Values(i, Sizes[i], time), parameters[i].ToArray());
                Assert.Equal(Values(i, Sizes[i], 1 - time), average.Averages[i].ToArray());
            }
        }

        Dispose(parameters);
    }

    [Fact]
    public void TheCopyInBFloat16FollowsAnExchangeOnCuda()
    {
        using var device = TestDevices.OpenCuda();
        using var scope = TensorScope.Begin();
        var p = Tensor.From(device, Values(0, 9, 0)).AsParameter();
        var average = new MovingAverage([p], 0.5f);
        p.CopyFrom(Values(0, 9, 1));
        foreach (int salt in (int[])[1, 0, 1])
        {
            Assert.Equal(Array.ConvertAll(Values(0, 9, salt), v => Narrow.Round(DType.BFloat16, v)), p.To(DType.BFloat16).ToArray());
            average.Exchange();
        }
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        using var p = Tensor.From(device, [1f]).AsParameter();
        Refuses("MovingAverage: Decay must be at least 0 and below 1, got 1.", [p], 1);
        Refuses($"MovingAverage: parameters must be distinct, got From [1] Float32 on {device} twice.", [p, p], 0.5f);
        Refuses("MovingAverage: there must be parameters, got none.", [], 0.5f);
        using var two = Tensor.From(device, [1f, 2f]);
        using var average = new MovingAverage([p], 0.5f);
        Assert.Equal($"MovingAverage: the gradients' scale must be a single number, got From [2] Float32 on {device}.", Assert.Throws<ArgumentException>(() => average.Step(two)).Message);

        static void Refuses(string message, Tensor[] parameters, float decay)
            => Assert.Equal(message, Assert.Throws<ArgumentException>(() => new MovingAverage(parameters, decay)).Message);
    }

    private static Tensor[] Parameters(Device device, int salt) => [.. Sizes.Select((n, i) => Tensor.From(device, Values(i, n, salt)).AsParameter())];

    private static void Dispose(Tensor[] tensors)
    {
        foreach (var tensor in tensors)
            tensor.Dispose();
    }

    private static float[] Values(int parameter, int size, int salt)
    {
        var random = new Random((parameter * 1000) + salt);
        return [.. Enumerable.Range(0, size).Select(_ => (float)Input.Normal(random))];
    }
}
