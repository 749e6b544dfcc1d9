using System.Diagnostics;

namespace CudaSeq.Models;

/// <summary>Time spent training, across resumptions, and time since the last checkpoint.</summary>
/// <param name="spent">Seconds spent before.</param>
internal sealed class RunClock(double spent)
{
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private TimeSpan _saved;

    public TimeSpan Elapsed => _watch.Elapsed + TimeSpan.FromSeconds(spent);

    public TimeSpan SinceSave => _watch.Elapsed - _saved;

    public void Saved() => _saved = _watch.Elapsed;
}
