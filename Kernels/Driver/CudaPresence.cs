using System.Globalization;

namespace CudaSeq.Kernels;

/// <summary>
/// Whether this process can compute on a GPU, and if not, why. Decided once: the driver is there and complete, cuInit succeeds and the count is positive; a machine
/// that has only the library answers 100 to cuInit.
/// </summary>
/// <param name="Driver">The search for the driver.</param>
/// <param name="DriverVersion">The CUDA version the driver is made for, 12040 for 12.4; 0 where it was not asked.</param>
/// <param name="Count">GPUs this process may use.</param>
/// <param name="Absence">Why there is none, as the end of a sentence; null where there is one.</param>
internal sealed record CudaPresence(LibrarySearch Driver, int DriverVersion, int Count, string? Absence)
{
    /// <summary>CUDA 12.0, driver 525.</summary>
    private const int OldestVersion = 12000;

    private static readonly Lazy<CudaPresence> Found = new(Look);

    /// <summary>What holds for this process.</summary>
    public static CudaPresence OfProcess => Found.Value;

    /// <summary>Whether there is a GPU to compute on.</summary>
    public bool IsPresent => Absence is null;

    /// <summary><see cref="Absence"/> without the places that were tried.</summary>
    public string? ShortAbsence => Driver.Found ? Absence : $"{Driver.Library.PlainName()} cannot be loaded";

    /// <summary>12 for 12040.</summary>
    public int DriverMajor => DriverVersion / 1000;

    /// <summary>A version as NVIDIA writes it: 12.4 for 12040.</summary>
    public static string Spell(int version) => string.Create(CultureInfo.InvariantCulture, $"{version / 1000}.{version % 1000 / 10}");

    /// <summary>The handle of one of the other libraries, in a version that the driver accepts.</summary>
    /// <exception cref="CudaException">It cannot be loaded; with every place it was looked for at.</exception>
    public nint Require(CudaLibrary library)
    {
        var search = CudaLibraries.OfProcess.Find(library, DriverMajor);
        return search.Found ? search.Handle : throw new CudaException($"CUDA: {search.Failure}.");
    }

    /// <summary>Sees to it that a device can be opened.</summary>
    /// <param name="name">The device as it was asked for.</param>
    /// <param name="ordinal">Its number.</param>
    /// <exception cref="CudaException">There is no GPU, or none of that number.</exception>
    public void Require(string name, int ordinal)
    {
        if (Absence is not null)
            throw new CudaException($"Device: {name} needs a GPU, but {Absence}.");
        if (ordinal >= Count)
            throw new CudaException($"Device: {name} must be one of the visible GPUs, {(Count == 1 ? "which is cuda:0" : $"cuda:0 .. cuda:{Count - 1}")}.");
    }

    private static CudaPresence Look()
    {
        var driver = CudaLibraries.OfProcess.Find(CudaLibrary.Driver);
        if (!driver.Found)
            return new(driver, 0, 0, driver.Failure);
        int version = 0, count = 0;
        string? absence = Ask(driver.Path!, ref version, ref count);
        return new(driver, version, absence is null ? count : 0, absence);
    }

    private static string? Ask(string path, ref int version, ref int count)
    {
        string place = $"in {path}";
        var missing = CudaDriver.MissingFunctions();
        if (missing.Count > 0)
            return $"the driver {path} must be 525 or later, it lacks {string.Join(", ", missing)}";
        if (CudaDriver.DriverVersion(out version) is not CudaResult.Success and var refused)
            return Sentence(refused, "cuDriverGetVersion");
        if (version < OldestVersion)
            return $"the driver {path} must be 525 or later (CUDA {Spell(OldestVersion)}), it offers CUDA {Spell(version)}";
        if (CudaDriver.Init() is not CudaResult.Success and var failed)
            return Sentence(failed, "cuInit");
        if (CudaDriver.DeviceCount(out count) is not CudaResult.Success and var uncounted)
            return Sentence(uncounted, "cuDeviceGetCount");
        return count > 0 ? null : $"cuDeviceGetCount {place} counts none";

        string Sentence(CudaResult result, string call) => result.Describe($"{call} {place}").TrimEnd('.');
    }
}
