using System.Globalization;
using System.Text.Json.Nodes;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>
/// <c>quick</c> on a GPU. Each sample of a case stands between two copies of as many bytes as the case must move, and next to a matrix product where arithmetic limits
/// it. Inputs take turns where one set of them would stay in the cache. A case that fails is reported, and the next one begins.
/// </summary>
internal sealed class CudaQuickRun : IDisposable
{
    // Long enough that starting a sample costs nothing.
    private const double SampleSeconds = 0.005;
    private const double CopySeconds = 0.002;
    private const int MostSets = 8;

    private readonly CudaDevice _cuda;
    private readonly CudaTimer _timer;
    private readonly CudaCopyCeiling _copy;
    private readonly CudaMatrixCeiling[] _matrices;
    private readonly Setting _setting;
    private readonly Ceilings _ceilings;
    private readonly FiguresFile? _figures;

    private CudaQuickRun(CudaDevice cuda, Setting setting, double largest, FiguresFile? figures)
    {
        _cuda = cuda;
        _setting = setting;
        _figures = figures;
        _timer = new CudaTimer(cuda);
        _copy = new CudaCopyCeiling(cuda, _timer, Math.Max(largest, setting.Sizes == Sizes.Gpu ? 1L << 32 : 0));
        _matrices = [.. Enum.GetValues<MatrixKind>().Select(kind => new CudaMatrixCeiling(cuda, _timer, kind, setting.Sizes))];
        _ceilings = Measure(largest);
    }

    /// <summary>Times the cases and prints a line for each.</summary>
    /// <param name="cuda">The GPU.</param>
    /// <param name="setting">What the cases were made for.</param>
    /// <param name="cases">At least one.</param>
    /// <param name="rounds">Samples of each.</param>
    /// <param name="json">Where the figures go; null to print them only.</param>
    /// <returns>0, or 1 where a case failed.</returns>
    public static int Run(CudaDevice cuda, Setting setting, QuickCase[] cases, int rounds, string? json)
    {
        var figures = json is null ? null : FiguresFile.Open(json);
        figures?.Describe(cuda);
        using var run = new CudaQuickRun(cuda, setting, cases.Max(c => c.Work.Bytes), figures);
        int width = cases.Max(c => c.Name.Length), failures = 0;
        Console.WriteLine("Of ceiling: of the products where arithmetic limits a case, else of the copy; both are measured again beside each sample.");
        Console.WriteLine(QuickRun.Head(width));
        foreach (var c in cases)
        {
            try
            {
                run.Time(c, width, rounds);
            }
            catch (Exception e) when (e is CudaException or KernelException or OutOfMemoryException or ArgumentException or InvalidOperationException)
            {
                failures++;
                Console.WriteLine($"{c.Name.PadRight(width)}  failed: {e.Message}");
                figures?.Fail($"{c.Name} {FiguresFile.NameOf(setting.DType)}", e.Message);
            }

            cuda.TrimCache();
        }

        return failures == 0 ? 0 : 1;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var matrix in _matrices)
            matrix.Dispose();
        _copy.Dispose();
        _timer.Dispose();
    }

    // What limits arithmetic: the tensor cores where elements are narrower than float32.
    private MatrixKind Kind => _setting.DType == DType.Float32 ? MatrixKind.Float32 : MatrixKind.BFloat16;

    private CudaMatrixCeiling Matrix => _matrices[(int)Kind];

    // Best of several: what the chip can do.
    private Ceilings Measure(double largest)
    {
        double bytes = Math.Max(largest, _setting.Sizes == Sizes.Gpu ? 1L << 32 : 0);
        double copy = Enumerable.Range(0, 10).Max(_ => bytes / _copy.Seconds(bytes)) / 1e9;
        double[] flops = [.. _matrices.Select(m => Enumerable.Range(0, 10).Max(_ => m.Flops()))];
        string[] products = [.. Enum.GetValues<MatrixKind>().Select(k => string.Create(CultureInfo.InvariantCulture, $"{k.ToString().ToLowerInvariant()} {flops[(int)k] / 1e12:f1}"))];
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{_cuda.Description}, {_cuda.Multiprocessors} multiprocessors, kernels from {_cuda.ImageOrigin}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"copy {copy:f0} GB/s; products, TFLOP/s: {string.Join(", ", products)}"));
        foreach (var kind in Enum.GetValues<MatrixKind>())
            _figures?.Ceiling(kind.ToString().ToLowerInvariant(), flops[(int)kind] / 1e12, "TFLOP/s", $"matrix product {_matrices[(int)kind].Shape}");
        _figures?.Ceiling("copy", copy, "GB/s", string.Create(CultureInfo.InvariantCulture, $"{bytes / 2:f0} bytes read and written"));
        return new Ceilings(flops[(int)Kind] / 1e9, copy);
    }

    private void Time(QuickCase c, int width, int rounds)
    {
        using var scope = TensorScope.Begin();
        int sets = (int)Math.Clamp(Math.Ceiling(3.0 * _cuda.L2Bytes / Math.Max(1, c.Work.Bytes)), 1, _setting.Sizes == Sizes.Gpu ? MostSets : 2);
        Action[] calls = [.. Enumerable.Range(0, sets).Select(_ => c.Prepare(_cuda))];
        bool bound = c.Work.BoundByMemory(_ceilings);
        _timer.Seconds(calls, sets);
        double once = Enumerable.Range(0, 3).Min(_ => _timer.Seconds(calls, sets)), copyOnce = Enumerable.Range(0, 3).Min(_ => _copy.Seconds(c.Work.Bytes));
        int repetitions = Repetitions(SampleSeconds, once), copies = Repetitions(CopySeconds, copyOnce);
        double[] times = new double[rounds], copyTimes = new double[rounds], fractions = new double[rounds];
        for (int i = 0; i < rounds; i++)
        {
            double before = _copy.Seconds(c.Work.Bytes, copies), product = bound ? 0 : Matrix.Flops();
            times[i] = _timer.Seconds(calls, repetitions);
            copyTimes[i] = (before + _copy.Seconds(c.Work.Bytes, copies)) / 2;
            fractions[i] = bound ? copyTimes[i] / times[i] : c.Work.Flops / times[i] / ((product + Matrix.Flops()) / 2);
        }

        double fraction = Spread.Of(fractions).Median;
        var (time, copy) = (Spread.Of(times), Spread.Of(copyTimes));
        Console.WriteLine(QuickRun.Line(c, width, time.Median, fraction, bound));
        var (value, unit) = c.Work.RateOf(time.Median, bound);
        _figures?.Add(new JsonObject
        {
            ["by"] = FiguresFile.Own,
            ["case"] = c.Name,
            ["dtype"] = FiguresFile.NameOf(_setting.DType),
            ["seconds"] = time.Median,
            ["low"] = time.Low,
            ["high"] = time.High,
            ["rounds"] = rounds,
            ["value"] = value,
            ["unit"] = unit,
            ["ceiling"] = value / fraction,
            ["of_ceiling"] = fraction,
            ["bound_by"] = bound ? "memory" : "products",
            ["copy_seconds"] = copy.Median,
        });
    }

    private int Repetitions(double wanted, double once) => _setting.Sizes == Sizes.Gpu ? (int)Math.Clamp(wanted / Math.Max(1e-9, once), 1, 1000) : 1;
}
