using System.Text.Json.Nodes;

namespace CudaSeq.Benchmarks;

/// <summary>Another library on the same machine.</summary>
internal abstract class Rival : IDisposable
{
    /// <summary>The library and its version, as <c>PyTorch 1.13.1 (MKL)</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Makes a case ready to be timed.</summary>
    /// <param name="order">What is asked for.</param>
    /// <returns>Its outputs one behind the other; null where the rival has no such op.</returns>
    public abstract float[]? Prepare(JsonObject order);

    /// <summary>Seconds of one call of the case that was prepared last.</summary>
    /// <param name="repetitions">Calls behind each other.</param>
    public abstract double Sample(int repetitions);

    /// <summary>Lets <see cref="PeakBytes"/> begin anew; nothing where the rival is no process of its own.</summary>
    public virtual void ResetPeak()
    {
    }

    /// <summary>The most memory that its process has had resident since; null where it has none of its own, or nobody can say.</summary>
    public virtual long? PeakBytes() => null;

    /// <inheritdoc/>
    public abstract void Dispose();
}
