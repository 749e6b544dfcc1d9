using System.Diagnostics;

namespace CudaSeq.Benchmarks;

/// <summary>What counts as time.</summary>
public enum Clock
{
    /// <summary>The time that passes.</summary>
    Wall,

    /// <summary>The time this process spends computing, on all its threads together.</summary>
    Cpu,
}

internal static class Clocks
{
    /// <summary>Seconds since some moment.</summary>
    public static double Seconds(this Clock clock) => clock == Clock.Wall
        ? (double)Stopwatch.GetTimestamp() / Stopwatch.Frequency
        : Environment.CpuUsage.TotalTime.TotalSeconds;
}
