using System.Numerics;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>One input of an op under test.</summary>
/// <param name="Shape">Its shape.</param>
/// <param name="Values">Its elements; integers are whole numbers.</param>
/// <param name="DType">Float inputs are differentiated unless <paramref name="Constant"/>.</param>
/// <param name="Constant">No gradient is asked for.</param>
/// <param name="Parameter">Stays float32 where activations are narrower.</param>
public sealed record Input(Shape Shape, float[] Values, DType DType = DType.Float32, bool Constant = false, bool Parameter = false)
{
    public bool Differentiable => DType == DType.Float32 && !Constant;

    /// <summary>The same values as numbers of a type of floats.</summary>
    public Input Rounded(DType type) => DType == DType.Int32 ? this : this with { Values = Array.ConvertAll(Values, v => Narrow.Round(type, v)) };

    /// <summary>Normal values with a few spikes ten times as large, as real activations have.</summary>
    public static Input Random(Random random, Shape shape, double scale = 1, bool constant = false, bool parameter = false)
    {
        var values = new float[shape.Count];
        for (int i = 0; i < values.Length; i++)
            values[i] = (float)(scale * Normal(random) * (random.Next(50) == 0 ? 10 : 1));
        return new Input(shape, values, Constant: constant, Parameter: parameter);
    }

    public static Input Ints(Shape shape, params IEnumerable<int> values)
        => new(shape, [.. values.Select(v => (float)v)], DType.Int32);

    public static double Normal(Random random)
        => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}

/// <summary>The error of the naive loop that a row of the output is allowed twice.</summary>
public enum NaiveError
{
    /// <summary>Its error on that row; on a short row as <see cref="InProportion"/>.</summary>
    OfTheRow,

    /// <summary>The worst of any row, in proportion to the row's largest magnitude.</summary>
    InProportion,

    /// <summary>The worst of any row, as it is.</summary>
    Anywhere,
}

/// <summary>
/// What every op is held to. A subclass gives cases, the call, and a naive reference of a few nested loops that is generic over its number type;
/// from these come: forward against the reference in float64, gradients against a finite difference of it, guard zones, repeatability, and independence of the threads.
/// </summary>
[Trait("Category", "Op")]
public abstract class OpTests<TCase>
{
    private const int Seed = 20190123;

    // What watches every access takes its time: larger cases are left to the other levels.
    private const int CheckedElements = 6000;

    // On fewer elements the naive loop is now and then exact by luck.
    private const int ShortRow = 8;

    protected abstract IEnumerable<TCase> Cases { get; }

    protected abstract Input[] Inputs(TCase c, Random random);

    protected abstract Tensor Call(TCase c, Tensor[] inputs);

    /// <summary>The same with activations of a type, which most ops know by their inputs.</summary>
    protected virtual Tensor Call(TCase c, Tensor[] inputs, DType type) => Call(c, inputs);

    /// <summary>The op in the plainest loops; inputs and output are row-major arrays in the order of <see cref="Inputs"/>.</summary>
    protected abstract T[] Reference<T>(TCase c, T[][] inputs)
        where T : struct, IFloatingPointIeee754<T>;

    /// <summary>False for ops without a backward.</summary>
    protected virtual bool Differentiable => true;

    /// <summary>Whether kernels of NativeKernels.cu do the op's work on CUDA; a plain matrix product is cuBLAS's, and a view is nobody's.</summary>
    protected virtual bool LaunchesKernels => true;

    /// <summary>How much of the naive loop's error a row is allowed; an op says why it needs more than its own.</summary>
    protected virtual NaiveError Allowed => NaiveError.OfTheRow;

    [Theory, Devices]
    public void ForwardMatchesTheReference(string device) => CheckForward(device, DType.Float32);

    [Theory, Devices]
    public void BackwardMatchesAFiniteDifference(string device) => CheckBackward(device, DType.Float32);

    [Fact]
    public void ForwardMatchesTheReferenceInBFloat16OnCuda() => CheckForward(TestDevices.Cuda, DType.BFloat16);

    [Fact]
    public void ForwardMatchesTheReferenceInFloat16OnCuda() => CheckForward(TestDevices.Cuda, DType.Float16);

    [Fact]
    public void BackwardMatchesAFiniteDifferenceInBFloat16OnCuda() => CheckBackward(TestDevices.Cuda, DType.BFloat16);

    private void CheckForward(string device, DType type)
    {
        foreach (var (c, inputs) in DrawnCases(device, type))
        {
            var exact = Reference(c, [.. inputs.Select(x => Array.ConvertAll(x.Values, v => (double)v))]);
            var naive = Reference(c, [.. inputs.Select(x => x.Values)]);
            var (got, shape, result) = Forward(device, 2, c, inputs, type);
            naive = Array.ConvertAll(naive, v => Narrow.Round(result, v));
            Assert.True(got.Length == exact.Length, $"{c}: {got.Length} elements, the reference has {exact.Length}");
            int row = shape.Rank > 0 ? Math.Max(1, shape[-1]) : 1;
            var (absolute, relative) = WorstNaiveError(exact, naive, row);
            for (int start = 0; start < got.Length; start += row)
            {
                var expected = exact.AsSpan(start, row);
                double error = Allowed switch
                {
                    NaiveError.Anywhere => absolute,
                    NaiveError.OfTheRow when row >= ShortRow => WorstNaiveError(expected, naive.AsSpan(start, row), row).Absolute,
                    _ => Math.Min(absolute, relative * Largest(expected)),
                };
                CheckRow(c, start, expected, got.AsSpan(start, row), (2 * error) + (4 * Narrow.Ulp(result, Largest(expected))));
            }
        }
    }

    private void CheckBackward(string device, DType type)
    {
        if (!Differentiable)
            return;
        foreach (var (c, inputs) in DrawnCases(device, type))
        {
            var random = new Random(Seed + 1);
            double[][] at = [.. inputs.Select(x => Array.ConvertAll(x.Values, v => (double)v))];
            int outputs = Reference(c, at).Length;
            if (outputs == 0)
                continue;
            float[] cotangent = [.. Enumerable.Range(0, outputs).Select(_ => (float)Input.Normal(random))];
            double[][] direction = [.. inputs.Select(x => x.Values.Select(_ => x.Differentiable ? Input.Normal(random) : 0).ToArray())];
            if (type == DType.BFloat16)
                cotangent = Array.ConvertAll(cotangent, Narrow.Round);
            double difference = Difference(c, at, direction, cotangent);
            var gradients = Gradients(device, 2, c, inputs, cotangent, type);
            double product = 0, magnitude = 0, squares = 0;
            for (int i = 0; i < inputs.Length; i++)
            {
                if (!inputs[i].Differentiable)
                    continue;
                Assert.True(gradients[i] is not null, $"{c}: input {i} got no gradient");
                for (int j = 0; j < direction[i].Length; j++)
                {
                    product += gradients[i]![j] * direction[i][j];
                    magnitude += Math.Abs(gradients[i]![j] * direction[i][j]);
                    squares += Math.Pow(gradients[i]![j] * direction[i][j], 2);
                }
            }

            double tolerance = (2e-5 * magnitude / Math.Sqrt(Math.Max(1, direction.Sum(d => d.Length)))) + (2e-6 * Math.Abs(difference)) + 1e-6;
            if (type == DType.BFloat16)
                tolerance += RoundingError(c, random, at, direction, cotangent, difference, Math.Sqrt(squares));
            Assert.True(
                Math.Abs(product - difference) <= tolerance,
                $"{c}: gradient . direction = {product}, finite difference = {difference}, allowed {tolerance:g3}");
        }
    }

    [Theory, Devices]
    public void RepeatsBitForBitWithAnyNumberOfThreads(string device)
    {
        // The emulated GPU runs its threads in one order each time: a third of the cases would show what it forgot to write.
        foreach (var (c, inputs) in DrawnCases(device).Where((_, i) => device != TestDevices.Emulated || i % 3 == 0))
        {
            // The thread counts are those of a processor.
            int[] counts = device == TestDevices.Processor ? [1, 2, 3] : [1];
            var first = Forward(device, 1, c, inputs).Values;
            foreach (int threads in counts)
                Assert.True(first.AsSpan().SequenceEqual(Forward(device, threads, c, inputs).Values), $"{c}: forward differs with {threads} threads");
            if (!Differentiable || first.Length == 0)
                continue;
            float[] cotangent = [.. Enumerable.Range(0, first.Length).Select(i => MathF.Sin(i + 1))];
            var gradients = Gradients(device, 1, c, inputs, cotangent);
            foreach (int threads in counts)
            {
                var again = Gradients(device, threads, c, inputs, cotangent);
                for (int i = 0; i < gradients.Length; i++)
                    Assert.True(gradients[i].AsSpan().SequenceEqual(again[i]), $"{c}: gradient {i} differs with {threads} threads");
            }
        }
    }

    [Fact]
    public void WorksOnCudaWithoutLookingBack()
    {
        using var device = TestDevices.OpenCuda();
        foreach (var (c, inputs) in DrawnCases(TestDevices.Cuda))
        {
            using var scope = TensorScope.Begin();
            var y = Call(c, Upload(device, inputs, parameters: true));
            if (Differentiable && y.Shape.Count > 0)
                y.Backward(Tensor.Full(device, y.Shape, 1));
            Assert.True(device.HostReads == 0, $"{c}: read from the device {device.HostReads} times");
        }

        Assert.Equal(LaunchesKernels, device.KernelLaunches > 0);
    }

    /// <summary>Asserts that a call is refused with exactly this message.</summary>
    protected static void Refuses<TException>(string message, Action call)
        where TException : Exception
    {
        using var scope = TensorScope.Begin();
        Assert.Equal(message, Assert.Throws<TException>(call).Message);
    }

    // The derivative of cotangent . reference along the direction.
    private double Difference(TCase c, double[][] at, double[][] direction, ReadOnlySpan<float> cotangent)
    {
        const double Step = 1e-6;
        Span<double> sums = stackalloc double[2];
        for (int side = 0; side < 2; side++)
        {
            double step = side == 0 ? Step : -Step;
            var y = Reference(c, [.. at.Select((x, i) => x.Select((v, j) => v + (step * direction[i][j])).ToArray())]);
            for (int j = 0; j < y.Length; j++)
                sums[side] += y[j] * cotangent[j];
        }

        return (sums[0] - sums[1]) / (2 * Step);
    }

    // What bfloat16 may cost a gradient along a direction. Each element is rounded when it is stored: independent errors of at most Epsilon, of which four times the
    // root of the sum of squares is never met. And what is rounded before, a saved result or a product's operand, is as if something that goes in were off by a
    // rounding or two: twice the largest change that draws of such errors make.
    private double RoundingError(TCase c, Random random, double[][] at, double[][] direction, float[] cotangent, double difference, double root)
    {
        const int Draws = 4;
        double largest = 0;
        for (int draw = 0; draw < Draws; draw++)
        {
            double[][] moved = [.. at.Select((x, i) => Array.Exists(direction[i], d => d != 0) ? Array.ConvertAll(x, v => v * Off()) : x)];
            largest = Math.Max(largest, Math.Abs(Difference(c, moved, direction, Array.ConvertAll(cotangent, v => (float)(v * Off()))) - difference));
        }

        return (4 * Narrow.Epsilon * root) + (2 * largest);

        double Off() => 1 + (random.Next(2) == 0 ? Narrow.Epsilon : -Narrow.Epsilon);
    }

    // What the naive loop loses in its worst row, and in the row where that is the largest part of the row's largest magnitude.
    private static (double Absolute, double Relative) WorstNaiveError(ReadOnlySpan<double> exact, ReadOnlySpan<float> naive, int row)
    {
        double absolute = 0, relative = 0;
        for (int start = 0; start < exact.Length; start += row)
        {
            double largest = Largest(exact.Slice(start, row)), error = 0;
            for (int i = start; i < start + row; i++)
                error = Math.Max(error, double.IsFinite(exact[i]) ? Math.Abs(naive[i] - exact[i]) : 0);
            absolute = Math.Max(absolute, error);
            if (largest > 0)
                relative = Math.Max(relative, error / largest);
        }

        return (absolute, relative);
    }

    // The caller allows twice the naive error and 4 ulp of the row's own largest magnitude: a spike elsewhere allows a small row nothing.
    private static void CheckRow(TCase c, int start, ReadOnlySpan<double> exact, ReadOnlySpan<float> got, double allowed)
    {
        for (int i = 0; i < exact.Length; i++)
        {
            bool good = double.IsFinite(exact[i]) ? Math.Abs(got[i] - exact[i]) <= allowed : got[i].Equals((float)exact[i]);
            Assert.True(good, $"{c}: element {start + i} is {got[i]:g9}, the reference {exact[i]:g9}, allowed {allowed:g3}");
        }
    }

    private static double Largest(ReadOnlySpan<double> row)
    {
        double largest = 0;
        foreach (double x in row)
            largest = double.IsFinite(x) ? Math.Max(largest, Math.Abs(x)) : largest;
        return largest;
    }

    private static Tensor[] Upload(Device device, Input[] inputs, bool parameters) => [.. inputs.Select(x =>
    {
        if (x.DType == DType.Int32)
            return Tensor.From(device, Array.ConvertAll(x.Values, v => (int)v), x.Shape);
        var tensor = Tensor.From(device, x.Values, x.Shape);
        return parameters && x.Differentiable ? tensor.AsParameter() : tensor;
    })];

    // Gradients come back to the float32 tensors that were uploaded.
    private Tensor CallIn(DType type, TCase c, Input[] inputs, Tensor[] tensors)
        => Call(c, [.. tensors.Select((t, i) => inputs[i].DType == DType.Int32 || inputs[i].Parameter ? t : t.To(type))], type);

    private IEnumerable<(TCase Case, Input[] Inputs)> DrawnCases(string device, DType type = DType.Float32)
    {
        Assert.SkipWhen(TestDevices.Absence(device) is not null, TestDevices.Absence(device) ?? "");
        int n = 0, tested = 0;
        foreach (var c in Cases)
        {
            var inputs = Inputs(c, new Random(Seed + n++));
            if (device != TestDevices.Processor && TestDevices.IsChecked && inputs.Sum(x => x.Shape.Count) > CheckedElements)
                continue;
            tested++;
            yield return (c, [.. inputs.Select(x => x.Rounded(type))]);
        }

        Assert.True(tested > 0, "no case was tested");
    }

    private (float[] Values, Shape Shape, DType Type) Forward(string name, int threads, TCase c, Input[] inputs, DType type = DType.Float32)
    {
        using var device = TestDevices.Open(name, threads);
        using var scope = TensorScope.Begin();
        var y = CallIn(type, c, inputs, Upload(device, inputs, parameters: false));
        return (y.ToArray(), y.Shape, y.DType);
    }

    private float[]?[] Gradients(string name, int threads, TCase c, Input[] inputs, float[] cotangent, DType type = DType.Float32)
    {
        using var device = TestDevices.Open(name, threads);
        using var scope = TensorScope.Begin();
        var tensors = Upload(device, inputs, parameters: true);
        var y = CallIn(type, c, inputs, tensors);
        y.Backward(Tensor.From(device, cotangent, y.Shape).To(y.DType));
        return [.. tensors.Select(x => x.Grad?.ToArray())];
    }
}
