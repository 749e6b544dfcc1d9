using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed record MatMulCase(int[] Leading, int M, int N, int K, bool TransposeA = false, bool TransposeB = false, bool SharedB = false)
{
    public int Batch => Leading.Aggregate(1, (x, y) => x * y);

    public override string ToString()
        => $"[{string.Join(", ", Leading)}] {M} x {N} x {K}{(TransposeA ? " TA" : "")}{(TransposeB ? " TB" : "")}{(SharedB ? " shared" : "")}";
}

public sealed class MatMulTests : OpTests<MatMulCase>
{
    protected override bool LaunchesKernels => false;

    protected override IEnumerable<MatMulCase> Cases
    {
        get
        {
            foreach (bool ta in (bool[])[false, true])
            {
                foreach (bool tb in (bool[])[false, true])
                {
                    foreach (int n in (int[])[1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 65])
                        yield return new MatMulCase([], (n * 5 % 29) + 1, n, (n * 7 % 31) + 1, ta, tb);
                    foreach (int m in (int[])[1, 2, 3, 5, 6, 7, 11, 12, 13, 23, 25, 33])
                        yield return new MatMulCase([], m, 40, 21, ta, tb);
                    yield return new MatMulCase([], 130, 97, 129, ta, tb);
                    yield return new MatMulCase([], 70, 150, 700, ta, tb);
                    yield return new MatMulCase([], 7, 35, 2100, ta, tb);
                    yield return new MatMulCase([3], 5, 18, 9, ta, tb);
                    yield return new MatMulCase([2, 3], 17, 33, 8, ta, tb);
                    yield return new MatMulCase([3], 90, 100, 70, ta, tb);
                    yield return new MatMulCase([2, 2], 7, 19, 6, ta, tb, SharedB: true);
                }
            }

            yield return new MatMulCase([0], 3, 4, 5);
            yield return new MatMulCase([], 0, 4, 5);
            yield return new MatMulCase([2], 3, 4, 0);
        }
    }

    protected override Input[] Inputs(MatMulCase c, Random random)
    {
        int[] a = c.TransposeA ? [c.K, c.M] : [c.M, c.K], b = c.TransposeB ? [c.N, c.K] : [c.K, c.N];
        return
        [
            Input.Random(random, new Shape([.. c.Leading, .. a])),
            Input.Random(random, c.SharedB ? new Shape(b) : new Shape([.. c.Leading, .. b])),
        ];
    }

    protected override Tensor Call(MatMulCase c, Tensor[] inputs) => Ops.MatMul(inputs[0], inputs[1], c.TransposeA, c.TransposeB);

    protected override T[] Reference<T>(MatMulCase c, T[][] inputs)
    {
        var (a, b) = (inputs[0], inputs[1]);
        var y = new T[c.Batch * c.M * c.N];
        for (int l = 0; l < c.Batch; l++)
        {
            int firstA = l * c.M * c.K, firstB = c.SharedB ? 0 : l * c.N * c.K;
            for (int m = 0; m < c.M; m++)
            {
                for (int n = 0; n < c.N; n++)
                {
                    var sum = T.Zero;
                    for (int k = 0; k < c.K; k++)
                        sum += a[firstA + (c.TransposeA ? (k * c.M) + m : (m * c.K) + k)] * b[firstB + (c.TransposeB ? (n * c.K) + k : (k * c.N) + n)];
                    y[(((l * c.M) + m) * c.N) + n] = sum;
                }
            }
        }

        return y;
    }

    [Theory, Devices]
    public void LargeProductsOfWholeNumbersAreExact(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var (m, n, k) in (ReadOnlySpan<(int, int, int)>)[(200, 300, 400), (37, 513, 129), (300, 70, 1030), (12, 2000, 64), (32, 500, 512), (50, 4200, 1000), (801, 800, 3000)])
        {
            foreach (bool ta in (bool[])[false, true])
            {
                foreach (bool tb in (bool[])[false, true])
                {
                    using var scope = TensorScope.Begin();
                    var random = new Random(m + n + k);
                    float[] a = [.. Enumerable.Range(0, m * k).Select(_ => (float)random.Next(-4, 5))];
                    float[] b = [.. Enumerable.Range(0, k * n).Select(_ => (float)random.Next(-4, 5))];
                    var x = Tensor.From(device, a, ta ? [k, m] : [m, k]);
                    var y = Tensor.From(device, b, tb ? [n, k] : [k, n]);
                    float[] got = Ops.MatMul(x, y, ta, tb).ToArray();
                    for (int i = 0; i < got.Length; i += 37)
                    {
                        var (row, column) = (i / n, i % n);
                        float want = 0;
                        for (int l = 0; l < k; l++)
                            want += a[ta ? (l * m) + row : (row * k) + l] * b[tb ? (column * k) + l : (l * n) + column];
                        Assert.True(want == got[i], $"{m} x {n} x {k}, {ta}, {tb}: [{row}, {column}] is {got[i]}, must be {want}");
                    }
                }
            }
        }
    }

    [Theory, Devices]
    public void NaNAndInfinitySpreadToTheirRowsOnly(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        float[] a = new float[20 * 24];
        Array.Fill(a, 1);
        a[(3 * 24) + 5] = float.NaN;
        a[(7 * 24) + 23] = float.PositiveInfinity;
        var y = Ops.MatMul(Tensor.From(device, a, [20, 24]), Tensor.Full(device, [24, 33], 1)).ToArray();
        for (int i = 0; i < y.Length; i++)
            Assert.Equal((i / 33) switch { 3 => float.NaN, 7 => float.PositiveInfinity, _ => 24 }, y[i]);
    }

    [Theory, Devices]
    public void RepeatedProductsAllocateNothingNew(string name)
    {
        using var device = TestDevices.Open(name);
        using var x = Tensor.Zeros(device, [300, 200]);
        using var w = Tensor.Zeros(device, [100, 200]);
        long allocations = 0;
        for (int i = 0; i < 6; i++)
        {
            using var scope = TensorScope.Begin();
            Ops.MatMul(x, w, transposeB: true);
            if (i == 2)
                allocations = device.Allocations;
        }

        Assert.Equal(allocations, device.Allocations);
    }

    [Theory, Devices]
    public void RefusesWhatDoesNotFit(string name)
    {
        using var device = TestDevices.Open(name);
        Tensor Of(params int[] shape) => Tensor.Zeros(device, new Shape(shape));
        Refuses<ArgumentException>("MatMul: inputs must have at least two axes, got [3] and [3, 4].", () => Ops.MatMul(Of(3), Of(3, 4)));
        Refuses<ArgumentException>(
            "MatMul: the axes before the last two must be equal or b must have none, got [2, 3, 4] and [3, 4, 5].",
            () => Ops.MatMul(Of(2, 3, 4), Of(3, 4, 5)));
        Refuses<ArgumentException>(
            "MatMul: the inner axes must be equal, got 4 and 5 (a [3, 4], b [4, 5] transposed).",
            () => Ops.MatMul(Of(3, 4), Of(4, 5), transposeB: true));
        Refuses<ArgumentException>(
            $"MatMul: inputs must be floats, got From [1, 1] Int32 on {device}.",
            () => Ops.MatMul(Of(1, 1), Tensor.From(device, [1], [1, 1])));
    }
}
