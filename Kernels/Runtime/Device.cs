namespace CudaSeq.Kernels;

/// <summary>
/// Where tensors live and kernels run. A device owns its memory: disposing it frees every tensor made on it.
/// A device may be used from several threads at once.
/// </summary>
public abstract class Device : IDisposable
{
    private protected Device(string name) => Name = name;

    /// <summary>The names that <see cref="Open"/> knows in this build.</summary>
    public static IReadOnlyList<string> Names { get; } = ["cpu"];

    /// <summary>The device's name as the command line spells it, for example <c>cpu</c>.</summary>
    public string Name { get; }

    /// <summary>Bytes of all live tensors on this device.</summary>
    public abstract long LiveBytes { get; }

    /// <summary>Bytes obtained from the operating system, live and cached for reuse.</summary>
    public abstract long HeldBytes { get; }

    /// <summary>How often memory was obtained from the operating system since the device was opened; constant in steady state.</summary>
    public abstract long Allocations { get; }

    /// <summary>Gives the memory that is cached for reuse back to the operating system.</summary>
    public abstract void TrimCache();

    /// <summary>Opens a device by name.</summary>
    /// <param name="name"><c>cpu</c>.</param>
    /// <returns>A new device that the caller disposes.</returns>
    /// <exception cref="ArgumentException">No device has that name in this build.</exception>
    public static Device Open(string name) => name switch
    {
        "cpu" => new CpuDevice(),
        _ => throw new ArgumentException($"Device: must be one of cpu, got \"{name}\"."),
    };

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>Frees every tensor on this device.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    internal abstract DeviceBuffer Rent(long bytes);

    internal abstract void Return(DeviceBuffer buffer);

    private protected abstract void Dispose(bool disposing);
}
