using CudaSeq.Kernels;

namespace CudaSeq.Benchmarks;

/// <summary>
/// How fast a GPU copies its memory: the time of a copy that moves as many bytes as an op must, read and written together. A small copy never reaches the rate of a
/// large one, so an op is compared with a copy of its own size, made in the same moment.
/// </summary>
internal sealed class CudaCopyCeiling : IDisposable
{
    private const long Alignment = 1024;

    private readonly CudaDevice _cuda;
    private readonly CudaTimer _timer;
    private readonly DeviceBuffer _from;
    private readonly DeviceBuffer _to;
    private readonly long _bytes;
    private long _next;

    /// <summary>Reserves and fills the memory.</summary>
    /// <param name="cuda">The GPU.</param>
    /// <param name="timer">Its timer.</param>
    /// <param name="largest">Bytes that the largest copy moves; smaller copies take turns over the same memory, which is larger than the cache.</param>
    public CudaCopyCeiling(CudaDevice cuda, CudaTimer timer, double largest)
    {
        _cuda = cuda;
        _timer = timer;
        _bytes = Math.Max(Half(largest), 2L * cuda.L2Bytes / Alignment * Alignment);
        _from = cuda.Rent(_bytes);
        _to = cuda.Rent(_bytes);
        Inputs.Lay(Span(_from, 0, _bytes));
        FillKernel.Zero(Span(_to, 0, _bytes));
    }

    /// <summary>Seconds of a copy.</summary>
    /// <param name="bytes">Bytes read and written together.</param>
    /// <param name="repetitions">Copies to time.</param>
    public double Seconds(double bytes, int repetitions = 1) => _timer.Seconds(() =>
    {
        long half = Math.Min(_bytes, Half(bytes));
        for (int i = 0; i < repetitions; i++)
        {
            if (_next + half > _bytes)
                _next = 0;
            _cuda.CopyOnDevice(Span(_from, _next, half), Span(_to, _next, half));
            _next += half;
        }
    }) / repetitions;

    /// <inheritdoc/>
    public void Dispose()
    {
        _from.Release();
        _to.Release();
    }

    private static long Half(double bytes) => Math.Max(Alignment, (long)(bytes / 2) / Alignment * Alignment);

    private static DeviceSpan Span(DeviceBuffer buffer, long start, long bytes) => new(buffer, start / sizeof(float), bytes / sizeof(float));
}
