using CudaSeq.Kernels;

namespace CudaSeq.Tests;

/// <summary>Products with a bias through cuBLASLt: which it takes, and that they are right at every address it takes.</summary>
public sealed class CublasLtProductsTests
{
    private const int N = 5;
    private const int I = 12;
    private const int O = 8;

    [Theory]
    [InlineData(0, 0, 0, 0)]
    [InlineData(1, 0, 0, 0)]
    [InlineData(0, 2, 0, 0)]
    [InlineData(0, 0, 3, 0)]
    [InlineData(5, 1, 7, 4)]
    [InlineData(0, 0, 0, 1)]
    public void AnyAddressGivesTheProduct(int x, int weight, int y, int bias)
    {
        using var cuda = TestDevices.OpenCuda();
        Random random = new(1);
        float[] a = Draw(random, N * I), w = Draw(random, O * I), b = Draw(random, O);
        DeviceSpan at = Upload(cuda, a, x), wt = Upload(cuda, w, weight), bt = Upload(cuda, b, bias), got = Upload(cuda, new float[N * O], y);

        // The one thing that is asked of the bias: multiples of 16 bytes.
        Assert.Equal(bias % 4 == 0, cuda.BiasProducts.TryMultiply(new LinearSize(N, I, O, Activation.None), at, wt, bt, got));
        FillKernel.Zero(got);
        LinearKernel.Forward(new LinearSize(N, I, O, Activation.None), at, wt, bt, null, got);
        var values = new float[N * O];
        CopyKernel.ToHost(got, values.AsSpan());
        for (int n = 0; n < N; n++)
        {
            for (int o = 0; o < O; o++)
            {
                double expected = b[o];
                for (int i = 0; i < I; i++)
                    expected += (double)a[(n * I) + i] * w[(o * I) + i];
                Assert.Equal(expected, values[(n * O) + o], 1e-5);
            }
        }

        foreach (var span in (DeviceSpan[])[at, wt, bt, got])
            span.Buffer.Release();
    }

    [Fact]
    public void MoreShapesThanAreKeptAreStillRight()
    {
        using var cuda = TestDevices.OpenCuda();
        DeviceSpan x = Upload(cuda, [.. Enumerable.Repeat(1f, 1100)], 0), weight = Upload(cuda, [2], 0), bias = Upload(cuda, [3], 0), y = Upload(cuda, new float[1100], 0);
        var values = new float[1100];
        foreach (int rows in (IEnumerable<int>)[.. Enumerable.Range(1, 1100), 1, 2])
        {
            FillKernel.Zero(y);
            Assert.True(cuda.BiasProducts.TryMultiply(new LinearSize(rows, 1, 1, Activation.None), x with { Length = rows }, weight, bias, y with { Length = rows }));
            if (rows % 100 is not (0 or 1 or 2))
                continue;
            CopyKernel.ToHost(y, values.AsSpan());
            Assert.All(values[..rows], v => Assert.Equal(5, v));
            Assert.All(values[rows..], v => Assert.Equal(0, v));
        }

        foreach (var span in (DeviceSpan[])[x, weight, bias, y])
            span.Buffer.Release();
    }

    private static float[] Draw(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (float)Input.Normal(random))];

    // The values begin so many elements into their buffer.
    private static DeviceSpan Upload(CudaDevice cuda, float[] values, int offset)
    {
        var span = new DeviceSpan(cuda.Rent((offset + values.Length) * sizeof(float)), offset, values.Length);
        CopyKernel.FromHost<float>(values, span);
        return span;
    }
}
