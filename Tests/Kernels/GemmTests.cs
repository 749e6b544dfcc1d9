using CudaSeq.Kernels;

namespace CudaSeq.Tests;

/// <summary>The products below the gate of the ops: strides, accumulation and epilogues, for the kernels that call them.</summary>
public sealed unsafe class GemmTests
{
    private static readonly (int M, int N, int K)[] Sizes =
    [
        (1, 1, 1), (1, 33, 40), (5, 32, 16), (12, 64, 600), (13, 31, 7), (20, 33, 9), (24, 16, 17), (31, 130, 65), (47, 40, 33), (64, 64, 64), (150, 40, 30), (0, 3, 4), (3, 0, 4), (3, 4, 0),
    ];

    public static TheoryData<InstructionTier> Tiers => [.. Enum.GetValues<InstructionTier>().Where(t => t <= InstructionTiers.Best)];

    [Theory, MemberData(nameof(Tiers))]
    public void ProductsInsideATaskHonourStrides(InstructionTier tier) => Check(tier, onAllThreads: false);

    [Theory, MemberData(nameof(Tiers))]
    public void ProductsOnAllThreadsHonourStrides(InstructionTier tier) => Check(tier, onAllThreads: true);

    [Theory, MemberData(nameof(Tiers))]
    public void LargeProductsAreTheSameOnAnyNumberOfThreads(InstructionTier tier)
    {
        float[]? first = null;
        foreach (int threads in (int[])[1, 2, 5, 64])
        {
            using var cpu = new CpuDevice(threads, tier, guards: true);
            // One that is split by rows and one that is split by columns, both in several blocks of k.
            float[] results = [.. Product(cpu, 300, 90, 1100), .. Product(cpu, 70, 900, 1030)];
            first ??= results;
            Assert.Equal(first, results);
        }
    }

    [Fact]
    public void BlocksOfKAreAsLongAsTheCacheAllows()
    {
        Assert.Equal(512, Gemm.MaxBlockK<Float512>());
        Assert.InRange(Gemm.MaxBlockK<Float256>(), 64, 512);
        Assert.Equal(0, Gemm.MaxBlockK<Float256>() % 16);
        Assert.Equal(1, Gemm.BlockK<Float256>(1));
        Assert.InRange(Gemm.BlockK<Float256>(10_000), 64, Gemm.MaxBlockK<Float256>());
        Assert.Equal(500, Gemm.BlockK<Float512>(8_000));
    }

    [Fact]
    public void OnlyALastStripThatIsShorterThanItsTileIsPacked()
    {
        int First(int m, bool transposed) => GemmPack.FirstPanel<Float512>(new GemmProblem { M = m, TransposeA = transposed });

        Assert.Equal(0, First(0, false));
        Assert.Equal(0, First(11, false));
        Assert.Equal(1, First(12, false));
        Assert.Equal(2, First(20, false));
        Assert.Equal(1, First(21, false));
        Assert.Equal(0, First(24, true));
        Assert.Equal(3, GemmPack.FirstPanel<Float256>(new GemmProblem { M = 18 }));

        float* panels = stackalloc float[3 * 12 * 2];
        new Span<float>(panels, 72).Fill(-1);
        float* a = stackalloc float[27 * 2];
        for (int i = 0; i < 54; i++)
            a[i] = i;
        GemmPack.PackA<Float512>(new GemmProblem { M = 27, K = 2, A = a, StrideA = 2 }, 0, 3, 0, 2, panels);
        Assert.All(new Span<float>(panels, 48).ToArray(), v => Assert.Equal(-1, v));
        Assert.Equal([48, 50, 52, 0, 49, 51, 53, 0], new Span<float>(panels + 48, 8).ToArray());
    }

    [Fact]
    public void CachesAreFoundOrAssumed()
    {
        Assert.InRange(CacheSizes.Host.Level1, 8 << 10, 1 << 20);
        Assert.InRange(CacheSizes.Host.Level2, 64 << 10, 256 << 20);
    }

    [Fact]
    public void ScratchIsOneSliceAThread()
    {
        using var cpu = new CpuDevice(3, tier: null, guards: true);
        long live = cpu.LiveBytes;
        using (var scratch = new ThreadScratch(cpu, 100))
        {
            long[] places = [(long)scratch.Claim(out int a), (long)scratch.Claim(out int b), (long)scratch.Claim(out int c)];
            Assert.Equal([0, 1, 2], new[] { a, b, c }.Order());
            Assert.All(places, p => Assert.Equal(0, p % 64));
            Assert.True(places.Order().Zip(places.Order().Skip(1)).All(p => p.Second - p.First >= 100));
            scratch.Return(b);
            Assert.Equal(places[1], (long)scratch.Claim(out _));
        }

        Assert.Equal(live, cpu.LiveBytes);
    }

    private static float[] Product(CpuDevice cpu, int m, int n, int k)
    {
        var random = new Random(m);
        var (a, b, c) = (Matrix.Random(cpu, random, m, k, 0), Matrix.Random(cpu, random, k, n, 0), Matrix.Random(cpu, random, m, n, 0));
        MatMulKernel.Multiply(cpu, GemmProblem.Dense(m, n, k, a.Pointer, false, b.Pointer, false, c.Pointer));
        var result = new ReadOnlySpan<float>(c.Pointer, m * n).ToArray();
        a.Free();
        b.Free();
        c.Free();
        return result;
    }

    private static void Check(InstructionTier tier, bool onAllThreads)
    {
        using var cpu = new CpuDevice(2, tier, guards: true);
        int number = 0;
        foreach (var (m, n, k) in Sizes)
        {
            for (int variant = 0; variant < 4; variant++)
            {
                foreach (var activation in Enum.GetValues<Activation>())
                    Check(cpu, onAllThreads, new Random(number++), m, n, k, (variant & 1) != 0, (variant & 2) != 0, activation);
            }
        }
    }

    private static void Check(CpuDevice cpu, bool onAllThreads, Random random, int m, int n, int k, bool ta, bool tb, Activation activation)
    {
        // Strides longer than the rows: what lies between must be neither read (it is NaN) nor written.
        var a = Matrix.Random(cpu, random, ta ? k : m, ta ? m : k, 3);
        var b = Matrix.Random(cpu, random, tb ? n : k, tb ? k : n, 5);
        var c = Matrix.Random(cpu, random, m, n, 2);
        var z = Matrix.Random(cpu, random, m, n, 2);
        var residual = Matrix.Random(cpu, random, m, n, 2);
        var bias = Matrix.Random(cpu, random, 1, n, 0);
        bool accumulate = random.Next(2) == 0;
        double[] old = c.Values();
        var problem = new GemmProblem
        {
            M = m,
            N = n,
            K = k,
            A = a.Pointer,
            StrideA = a.Stride,
            TransposeA = ta,
            B = b.Pointer,
            StrideB = b.Stride,
            TransposeB = tb,
            C = c.Pointer,
            StrideC = c.Stride,
            Accumulate = accumulate,
            Epilogue = new Epilogue(0.5f, bias.Pointer, activation, z.Pointer, residual.Pointer),
        };
        if (onAllThreads)
        {
            MatMulKernel.Multiply(cpu, problem);
        }
        else
        {
            var workspace = cpu.Rent(Math.Max(1, Gemm.Workspace(m, n, k)) * sizeof(float));
            cpu.For(1, 1, new SerialBody(problem, (float*)workspace.Pointer));
            workspace.Release();
        }

        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                double sum = accumulate ? old[(i * n) + j] : 0, magnitude = Math.Abs(sum);
                for (int l = 0; l < k; l++)
                {
                    double product = (double)(ta ? a[l, i] : a[i, l]) * (tb ? b[j, l] : b[l, j]);
                    sum += product;
                    magnitude += Math.Abs(product);
                }

                double want = (0.5 * sum) + bias[0, j], allowed = (2e-6 * (magnitude + Math.Abs(want))) + 1e-6;
                string what = $"{cpu.Tier} {m} x {n} x {k} {ta} {tb} {activation} [{i}, {j}]";
                Assert.True(Math.Abs(want - z[i, j]) <= allowed, $"{what}: z is {z[i, j]}, must be {want}");
                double y = activation switch
                {
                    Activation.Relu => Math.Max(0, want),
                    Activation.Gelu => want * NormalBelow(want),
                    _ => want,
                };
                y += residual[i, j];
                Assert.True(Math.Abs(y - c[i, j]) <= 2 * allowed, $"{what}: C is {c[i, j]}, must be {y}");
            }
        }

        Assert.True(c.GapsAreUntouched() && z.GapsAreUntouched(), $"{cpu.Tier} {m} x {n} x {k}: wrote between the rows");
        foreach (var matrix in (Matrix[])[a, b, c, z, residual, bias])
            matrix.Free();
    }

    // Simpson's rule over the density.
    private static double NormalBelow(double z)
    {
        const int Steps = 400;
        double end = Math.Clamp(z, -9, 9), h = end / Steps, sum = 0;
        for (int i = 0; i <= Steps; i++)
            sum += (i == 0 || i == Steps ? 1 : i % 2 == 1 ? 4 : 2) * Math.Exp(-i * h * i * h / 2);
        return 0.5 + (sum * h / 3 / Math.Sqrt(2 * Math.PI));
    }

    private readonly struct SerialBody(in GemmProblem problem, float* workspace) : IKernelBody
    {
        private readonly GemmProblem _problem = problem;
        private readonly float* _workspace = workspace;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
            => Gemm.Serial<TVector>(_problem, _workspace);
    }

    private sealed class Matrix(DeviceBuffer buffer, int rows, int columns, int gap)
    {
        public float* Pointer => (float*)buffer.Pointer;

        public int Stride => columns + gap;

        public float this[int row, int column] => Pointer[(row * Stride) + column];

        public static Matrix Random(CpuDevice cpu, Random random, int rows, int columns, int gap)
        {
            var matrix = new Matrix(cpu.Rent(Math.Max(1, rows * (columns + gap)) * sizeof(float)), rows, columns, gap);
            for (int i = 0; i < rows; i++)
            {
                for (int j = 0; j < columns + gap; j++)
                    matrix.Pointer[(i * matrix.Stride) + j] = j < columns ? (float)Input.Normal(random) : float.NaN;
            }

            return matrix;
        }

        public double[] Values()
        {
            var values = new double[rows * columns];
            for (int i = 0; i < values.Length; i++)
                values[i] = this[i / columns, i % columns];
            return values;
        }

        public bool GapsAreUntouched()
        {
            for (int i = 0; i < rows; i++)
            {
                for (int j = columns; j < Stride; j++)
                {
                    if (!float.IsNaN(this[i, j]))
                        return false;
                }
            }

            return true;
        }

        public void Free() => buffer.Release();
    }
}
