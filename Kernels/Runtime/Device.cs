using System.Globalization;

namespace CudaSeq.Kernels;

/// <summary>
/// Where tensors live and kernels run. A device owns its memory: disposing it frees every tensor made on it.
/// A device may be used from several threads at once.
/// </summary>
public abstract class Device : IDisposable
{
    private protected Device(string name) => Name = name;

    /// <summary>The names that <see cref="Open"/> knows; N stands for the number of a GPU, from 0.</summary>
    public static IReadOnlyList<string> Names { get; } = ["cpu", "cuda", "cuda:N", "auto"];

    /// <summary>The device's name as the command line spells it, for example <c>cpu</c> or <c>cuda:0</c>.</summary>
    public string Name { get; }

    /// <summary>Name and what it is, for people.</summary>
    public virtual string Description => Name;

    /// <summary>Which device <c>auto</c> chose and why; null for a device that was named.</summary>
    public string? Choice { get; private set; }

    /// <summary>
    /// Whether products of float32 matrices may round their inputs to TF32, 10 bits behind the point, for the tensor cores of a GPU; off at first. Sums stay float32.
    /// </summary>
    /// <exception cref="ArgumentException">Set on the processor, which has no TF32.</exception>
    public abstract bool Tf32 { get; set; }

    /// <summary>Bytes of all live tensors on this device.</summary>
    public abstract long LiveBytes { get; }

    /// <summary>Bytes obtained from the operating system, or from the GPU's driver, live and cached for reuse.</summary>
    public abstract long HeldBytes { get; }

    /// <summary>Bytes that nobody holds, as a GPU's driver counts them; null where that is not counted: on the processor.</summary>
    public virtual long? FreeBytes => null;

    /// <summary>How often memory was obtained since the device was opened; constant in steady state.</summary>
    public abstract long Allocations { get; }

    /// <summary>Gives the memory that is cached for reuse back.</summary>
    public abstract void TrimCache();

    /// <summary>Opens a device by name.</summary>
    /// <param name="name">
    /// <c>cpu</c>; <c>cuda:N</c>, the GPU of that number; <c>cuda</c>, the first; or <c>auto</c>, the first GPU where there is one, else the processor, with the
    /// reason in <see cref="Choice"/>.
    /// </param>
    /// <returns>A new device that the caller disposes.</returns>
    /// <exception cref="ArgumentException">No device has that name.</exception>
    /// <exception cref="CudaException">A GPU is asked for and cannot be had; the message names every place where CUDA was looked for.</exception>
    public static Device Open(string name)
    {
        if (name == "cpu")
            return new CpuDevice();
        if (name == "auto")
            return OpenBest();
        if (CudaOrdinal(name) is not { } ordinal)
            throw new ArgumentException($"Device: must be one of {string.Join(", ", Names)}, got \"{name}\".");
        CudaPresence.OfProcess.Require(name, ordinal);
        return new CudaDevice(ordinal);
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>Frees every tensor on this device.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    internal abstract DeviceBuffer Rent(long bytes);

    /// <summary>The number in <c>cuda:N</c>, 0 for <c>cuda</c>; null for other names.</summary>
    internal static int? CudaOrdinal(string name)
    {
        const string Prefix = "cuda:";
        if (name == "cuda")
            return 0;
        return name.StartsWith(Prefix, StringComparison.Ordinal) && int.TryParse(name.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int ordinal)
            ? ordinal
            : null;
    }

    private protected abstract void Dispose(bool disposing);

    // A GPU that is there and cannot be opened is an error here too: whoever has one wants to know.
    private static Device OpenBest()
    {
        var cuda = CudaPresence.OfProcess;
        Device device = cuda.IsPresent ? new CudaDevice(0) : new CpuDevice();
        device.Choice = cuda.IsPresent
            ? $"auto chose {device.Description}: the driver counts {cuda.Count} {(cuda.Count == 1 ? "GPU" : "GPUs")}"
            : $"auto chose {device}: {cuda.ShortAbsence}";
        return device;
    }
}
