using CudaSeq.Kernels;

namespace CudaSeq.Benchmarks;

/// <summary>A GPU: by its own clock, beside products of float32 matrices and copies of as many bytes as a case moves.</summary>
internal sealed class MeasuredGpu : MeasuredDevice
{
    private const int Tries = 10;
    private const double LargestCopy = 1L << 32;

    private readonly CudaDevice _cuda;
    private readonly CudaTimer _timer;
    private readonly CudaMatrixCeiling[] _matrices;
    private readonly bool _smoke;
    private CudaCopyCeiling? _copy;

    /// <param name="cuda">The device, which it owns.</param>
    /// <param name="smoke">Whether small matrices and ceilings of the start will do.</param>
    public MeasuredGpu(CudaDevice cuda, bool smoke)
    {
        _cuda = cuda;
        _smoke = smoke;
        _timer = new CudaTimer(cuda);
        _matrices = [.. Enum.GetValues<MatrixKind>().Select(kind => new CudaMatrixCeiling(cuda, _timer, kind, smoke ? Sizes.Smoke : Sizes.Gpu))];
        int tries = smoke ? 1 : Tries;
        double copy = Enumerable.Range(0, tries).Max(_ => CopyRate(Largest));
        double[] flops = [.. _matrices.Select(m => Enumerable.Range(0, tries).Max(_ => m.Flops()) / 1e9)];
        Machine = new GpuCeilings(
            cuda.Description, cuda.Multiprocessors, cuda.ImageOrigin, [.. Enum.GetValues<MatrixKind>().Select(k => (k, flops[(int)k]))], copy);
    }

    /// <inheritdoc/>
    public override Device Device => _cuda;

    /// <inheritdoc/>
    public override MachineCeilings Machine { get; }

    private double Largest => _smoke ? 1 << 20 : LargestCopy;

    private CudaCopyCeiling Copies => _copy ??= new CudaCopyCeiling(_cuda, _timer, Largest);

    /// <inheritdoc/>
    public override double Sample(Action call, int repetitions) => _timer.Seconds([call], repetitions);

    /// <inheritdoc/>
    public override double Ceiling(Work work, bool bound) => _smoke ? (bound ? Machine.Copy : Machine.Flops)
        : Enumerable.Range(0, 3).Max(_ => bound ? CopyRate(Math.Min(work.Bytes, Largest)) : _matrices[(int)MatrixKind.Float32].Flops() / 1e9);

    /// <inheritdoc/>
    public override void Trim()
    {
        _copy?.Dispose();
        _copy = null;
        _cuda.TrimCache();
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (var matrix in _matrices)
            matrix.Dispose();
        _copy?.Dispose();
        _timer.Dispose();
        _cuda.Dispose();
    }

    private double CopyRate(double bytes) => bytes / Copies.Seconds(bytes) / 1e9;
}
