using System.Globalization;
using System.Runtime.InteropServices;

namespace CudaSeq.Benchmarks;

/// <summary>What a call of ours costs beside time, on average over all that were timed.</summary>
/// <param name="ManagedBytes">Bytes of managed memory that it allocates, on all threads.</param>
/// <param name="Collections">Garbage collections of generation 0, 1 and 2.</param>
/// <param name="Buffers">Buffers that the device had to get from the system, because its pool had none.</param>
/// <param name="PeakBytes">The most memory that the process had resident meanwhile; null where nobody can say.</param>
internal readonly record struct Costs(double ManagedBytes, (double First, double Second, double Third) Collections, double Buffers, long? PeakBytes)
{
    /// <summary>As people read it.</summary>
    /// <param name="whole">What one call is.</param>
    public string Line(string whole) => string.Create(
        CultureInfo.InvariantCulture,
        $"of one {whole}: {ManagedBytes / 1e3:f1} kB of managed memory, {Collections.First:0.###} / {Collections.Second:0.###} / {Collections.Third:0.###} collections of generations 0 / 1 / 2, {Buffers:0.###} new buffers{(PeakBytes is null ? "" : $"; resident at most {Megabytes(PeakBytes)}")}");

    /// <summary>Megabytes with their unit, or that they are not known.</summary>
    public static string Megabytes(long? bytes) => bytes is { } known ? string.Create(CultureInfo.InvariantCulture, $"{known / 1e6:f0} MB") : "unknown";
}

/// <summary>Counts what calls cost.</summary>
internal sealed class CostMeter(MeasuredDevice device)
{
    private long _calls;
    private long _bytes;
    private long _buffers;
    private long _first;
    private long _second;
    private long _third;

    /// <summary>The most resident memory so far that anybody told.</summary>
    public long? PeakBytes { get; private set; }

    /// <summary>What a call costs.</summary>
    public Costs Mean => new((double)_bytes / _calls, ((double)_first / _calls, (double)_second / _calls, (double)_third / _calls), (double)_buffers / _calls, PeakBytes);

    /// <summary>Samples with an eye on the costs; the looks are not timed.</summary>
    /// <param name="sample">Makes so many calls.</param>
    /// <param name="calls">How many.</param>
    public double Count(Func<int, double> sample, int calls)
    {
        _calls += calls;
        Add(-1);
        double seconds = sample(calls);
        Add(1);
        return seconds;
    }

    /// <summary>Looks at the most resident memory since it was last begun anew.</summary>
    public void Look() => PeakBytes = device.PeakBytes() is { } now ? Math.Max(PeakBytes ?? 0, now) : PeakBytes;

    // A collection of a generation is one of the younger ones too.
    private void Add(int sign)
    {
        _bytes += sign * GC.GetTotalAllocatedBytes(precise: true);
        _buffers += sign * device.Device.Allocations;
        int second = GC.CollectionCount(1), third = GC.CollectionCount(2);
        _first += sign * (GC.CollectionCount(0) - second);
        _second += sign * (second - third);
        _third += sign * third;
    }
}

/// <summary>How much memory this process has resident at most, which Linux counts.</summary>
internal static unsafe class ResidentSet
{
    private const string Status = "/proc/self/status";
    private const string Key = "VmHWM:";

    /// <summary>Lets the count begin anew, from what is resident now. Where that is not allowed it goes on from the start of the process.</summary>
    public static void Reset()
    {
        try
        {
            File.WriteAllText("/proc/self/clear_refs", "5");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What is told then is the most since the process began, which is no less.
        }
    }

    /// <summary>Gives what is free back to the system: garbage, and what the C library keeps for later where it is one that can.</summary>
    public static void Trim()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive);
        if (NativeLibrary.TryLoad("libc.so.6", out nint library) && NativeLibrary.TryGetExport(library, "malloc_trim", out nint trim))
            _ = ((delegate* unmanaged[Cdecl]<nuint, int>)trim)(0);
    }

    /// <summary>Bytes; null where the system does not say.</summary>
    public static long? Peak() => File.Exists(Status) && File.ReadLines(Status).FirstOrDefault(l => l.StartsWith(Key, StringComparison.Ordinal)) is { } line
        ? 1024 * long.Parse(line[Key.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture)
        : null;
}
