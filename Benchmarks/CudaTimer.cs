using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>
/// Times what a GPU does between two marks in its queue, by its own clock: the host's time counts only where the GPU has to wait for it.
/// </summary>
internal sealed class CudaTimer(CudaDevice cuda) : IDisposable
{
    private readonly CudaEvent _start = cuda.CreateMark();
    private readonly CudaEvent _end = cuda.CreateMark();

    /// <summary>Seconds of the work that a call queues.</summary>
    /// <param name="queue">Queues it.</param>
    public double Seconds(Action queue)
    {
        cuda.Record(_start);
        queue();
        cuda.Record(_end);
        return cuda.SecondsBetween(_start, _end);
    }

    /// <summary>Seconds of one call, over several in turns, each in a scope of its own.</summary>
    /// <param name="calls">The same op on several sets of inputs.</param>
    /// <param name="repetitions">Calls in all.</param>
    public double Seconds(Action[] calls, int repetitions) => Seconds(() =>
    {
        for (int i = 0; i < repetitions; i++)
        {
            using var scope = TensorScope.Begin();
            calls[i % calls.Length]();
        }
    }) / repetitions;

    /// <inheritdoc/>
    public void Dispose()
    {
        _start.Dispose();
        _end.Dispose();
    }
}
