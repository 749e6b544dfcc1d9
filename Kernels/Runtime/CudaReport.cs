using System.Globalization;
using System.Runtime.InteropServices;

namespace CudaSeq.Kernels;

/// <summary>What CudaSeq finds of CUDA on this machine, for people who want to know why it is used or not.</summary>
public static class CudaReport
{
    private const int LineLength = 100;

    /// <summary>GPUs this process may use; 0 where there is no driver.</summary>
    public static int Gpus => CudaPresence.OfProcess.Count;

    /// <summary>
    /// Libraries with their paths and versions, or every place where a missing one was looked for; the driver; the GPUs; the kernels. Opens each GPU for a moment.
    /// </summary>
    /// <param name="allPlaces">Also where those were looked for that are of no use, as there is no driver.</param>
    /// <returns>Rows of a name and a value; a row without a name goes on with the one before.</returns>
    public static IReadOnlyList<(string Name, string Value)> Facts(bool allPlaces = true)
    {
        var cuda = CudaPresence.OfProcess;
        var rows = new List<(string, string)> { ("CUDA binding", CudaDriver.Binding) };
        AddLibrary(rows, cuda.Driver, places: true, cuda.DriverVersion == 0 ? null : $"CUDA {CudaPresence.Spell(cuda.DriverVersion)}{(CudaDriver.IsEmulated ? ", the emulator" : "")}");
        foreach (var library in (CudaLibrary[])[CudaLibrary.CublasLt, CudaLibrary.Cublas, CudaLibrary.Nvrtc])
        {
            var search = CudaLibraries.OfProcess.Find(library, cuda.DriverMajor);
            AddLibrary(rows, search, allPlaces || cuda.Driver.Found, search.Found ? Version(search) : null);
        }

        rows.Add(("GPUs", cuda.IsPresent ? cuda.Count.ToString(CultureInfo.InvariantCulture) : $"none: {cuda.ShortAbsence}"));
        rows.Add(("kernels", KernelImage.State()));
        for (int ordinal = 0; ordinal < cuda.Count; ordinal++)
            AddDevice(rows, ordinal);
        if (cuda.IsPresent)
            rows.Add(("argument check", CudaDriver.HasFunctionParameter ? $"in debug builds, or with {CudaVariables.CheckArguments}=1" : "none, the driver lacks cuFuncGetParamInfo"));
        return rows;
    }

    private static void AddLibrary(List<(string, string)> rows, LibrarySearch search, bool places, string? version)
    {
        string name = search.Library.PlainName();
        if (search.Found)
        {
            rows.Add((name, $"{search.Path}{(version is null ? "" : $", {version}")}"));
            return;
        }

        if (!places)
        {
            rows.Add((name, "not found, and of no use without a driver"));
            return;
        }

        rows.Add((name, "not found; tried"));
        foreach (var attempts in search.Attempts.GroupBy(a => a.Outcome))
        {
            foreach (string line in Lines(attempts.Select(a => a.Place), attempts.Key))
                rows.Add(("", line));
        }
    }

    // Places of one outcome, as many on a line as fit.
    private static IEnumerable<string> Lines(IEnumerable<string> places, string outcome)
    {
        string line = "";
        foreach (string place in places)
        {
            if (line.Length > 0 && line.Length + place.Length > LineLength)
            {
                yield return $"  {line},";
                line = "";
            }

            line += line.Length == 0 ? place : $", {place}";
        }

        yield return $"  {line}: {outcome}";
    }

    private static void AddDevice(List<(string, string)> rows, int ordinal)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"cuda:{ordinal}");
        try
        {
            using var device = new CudaDevice(ordinal);
            rows.Add((name, string.Create(
                CultureInfo.InvariantCulture,
                $"{device.Model}, compute capability {device.ComputeCapability / 10}.{device.ComputeCapability % 10}, {device.Multiprocessors} multiprocessors, {device.MemoryBytes / (1 << 20):N0} MiB")));
            rows.Add(("", $"kernels loaded from {device.ImageOrigin}"));
        }
        catch (Exception e) when (e is CudaException or EntryPointNotFoundException)
        {
            rows.Add((rows[^1].Item1 == name ? "" : name, $"cannot be used: {e.Message}"));
        }
    }

    private static unsafe string? Version(LibrarySearch search)
    {
        switch (search.Library)
        {
            case CudaLibrary.Nvrtc:
                return NativeLibrary.TryGetExport(search.Handle, "nvrtcVersion", out nint nvrtc) ? OfNvrtc((delegate* unmanaged<int*, int*, int>)nvrtc) : null;
            case CudaLibrary.CublasLt:
                return NativeLibrary.TryGetExport(search.Handle, "cublasLtGetVersion", out nint lt) ? Spell((long)((delegate* unmanaged<nuint>)lt)()) : null;
            default:
                return NativeLibrary.TryGetExport(search.Handle, "cublasGetProperty", out nint blas) ? OfCublas((delegate* unmanaged<int, int*, int>)blas) : null;
        }
    }

    private static unsafe string OfNvrtc(delegate* unmanaged<int*, int*, int> version)
    {
        int major = 0, minor = 0;
        _ = version(&major, &minor);
        return string.Create(CultureInfo.InvariantCulture, $"{major}.{minor}");
    }

    // 0, 1 and 2 ask for the parts of the version.
    private static unsafe string OfCublas(delegate* unmanaged<int, int*, int> property)
    {
        int major = 0, minor = 0, patch = 0;
        _ = property(0, &major);
        _ = property(1, &minor);
        _ = property(2, &patch);
        return string.Create(CultureInfo.InvariantCulture, $"{major}.{minor}.{patch}");
    }

    // 120405 is 12.4.5.
    private static string Spell(long version) => string.Create(CultureInfo.InvariantCulture, $"{version / 10000}.{version / 100 % 100}.{version % 100}");
}
