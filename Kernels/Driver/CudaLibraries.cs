using System.Globalization;

namespace CudaSeq.Kernels;

/// <summary>One place where a library was looked for, and what was found there.</summary>
/// <param name="Place">A file, a folder, a name given to the system's loader, or an environment variable.</param>
/// <param name="Outcome">Why it was not this one; <see cref="LibrarySearch.Loaded"/> for the last.</param>
internal readonly record struct LibraryAttempt(string Place, string Outcome)
{
    public override string ToString() => $"{Place} ({Outcome})";
}

/// <summary>What a search came to.</summary>
/// <param name="Library">Which library.</param>
/// <param name="Handle">The loaded library; 0 where there is none.</param>
/// <param name="Path">The file, or the name that the loader knew.</param>
/// <param name="Attempts">Everything that was tried, in order.</param>
internal sealed record LibrarySearch(CudaLibrary Library, nint Handle, string? Path, IReadOnlyList<LibraryAttempt> Attempts)
{
    /// <summary>The outcome of the attempt that succeeded.</summary>
    public const string Loaded = "loaded";

    /// <summary>Whether it was found.</summary>
    public bool Found => Handle != 0;

    /// <summary>For example <c>libcuda cannot be loaded; tried CUDASEQ_CUDA_LIBRARY (not set); libcuda.so.1, libcuda.so (cannot open shared object file); ...</c></summary>
    public string Failure
    {
        get
        {
            var places = Attempts.GroupBy(a => a.Outcome).Select(same => new LibraryAttempt(string.Join(", ", same.Select(a => a.Place)), same.Key));
            return $"{Library.PlainName()} cannot be loaded; tried {string.Join("; ", places)}";
        }
    }
}

/// <summary>
/// Finds the libraries of CUDA, once each: the environment variable first (who names a file gets that one or an error), then the versioned names in the system's
/// loader, then the folders where toolkits, drivers and Python packages put them. Remembers every place it looked at.
/// </summary>
internal sealed class CudaLibraries(LibraryMachine machine)
{
    private readonly Dictionary<CudaLibrary, LibrarySearch> _searches = [];
    private readonly Lock _gate = new();

    /// <summary>The libraries of this process; it binds one of each.</summary>
    public static CudaLibraries OfProcess { get; } = new(new LibraryMachine());

    /// <summary>The library, found or not.</summary>
    /// <param name="library">Which.</param>
    /// <param name="driverMajor">The CUDA version of the driver, 12 for example, so that a toolkit is found that it accepts; 0 where it is not known.</param>
    public LibrarySearch Find(CudaLibrary library, int driverMajor = 0)
    {
        lock (_gate)
        {
            if (!_searches.TryGetValue(library, out var search))
                _searches.Add(library, search = Search(library, driverMajor));
            return search;
        }
    }

    /// <summary>The folders that a pattern stands for, later names first.</summary>
    internal static IReadOnlyList<string> Expand(string pattern)
    {
        ReadOnlySpan<char> separators = ['/', '\\'];
        int star = pattern.IndexOf('*', StringComparison.Ordinal);
        if (star < 0)
            return Directory.Exists(pattern) ? [pattern] : [];
        int start = pattern.AsSpan(0, star).LastIndexOfAny(separators) + 1, length = pattern.AsSpan(star).IndexOfAny(separators);
        int end = length < 0 ? pattern.Length : star + length;
        string parent = pattern[..start], rest = pattern[end..];
        if (!Directory.Exists(parent))
            return [];
        var options = new EnumerationOptions { IgnoreInaccessible = true };
        return [.. Directory.GetDirectories(parent, pattern[start..end], options).OrderDescending(StringComparer.Ordinal).SelectMany(f => Expand(f + rest))];
    }

    private LibrarySearch Search(CudaLibrary library, int driverMajor)
    {
        var attempts = new List<LibraryAttempt>();
        string variable = library.Variable();
        if (machine.Variable(variable) is { Length: > 0 } chosen)
        {
            nint handle = File.Exists(chosen) ? Try(library, chosen, attempts) : Miss(attempts, $"{variable}={chosen}", "there is no such file");
            return new(library, handle, handle != 0 ? chosen : null, attempts);
        }

        attempts.Add(new(variable, "not set"));
        string? beside = library is CudaLibrary.Cublas or CudaLibrary.CublasLt ? EmulatorFolder() : null;
        foreach (string[] names in CudaLibraryNames.Rounds(library, machine.Windows, driverMajor))
        {
            var places = beside is null ? names.Concat(Files(CudaLibraryNames.Folders(library, machine), names, attempts)) : Files([beside], names, attempts);
            foreach (string place in places)
            {
                if (Try(library, place, attempts) is var handle && handle != 0)
                    return new(library, handle, place, attempts);
            }
        }

        return new(library, 0, null, attempts);
    }

    // Every folder is one attempt, however many names are looked for in it; a file that is there is one of its own.
    private static IEnumerable<string> Files(IEnumerable<string> patterns, string[] names, List<LibraryAttempt> attempts)
    {
        foreach (string pattern in patterns)
        {
            var folders = Expand(pattern);
            if (folders.Count == 0)
                Note(attempts, new(pattern, "no such folder"));
            foreach (string folder in folders)
            {
                string[] files = [.. names.Select(n => Path.Combine(folder, n)).Where(File.Exists)];
                foreach (string file in files)
                    yield return file;
                if (files.Length == 0)
                    Note(attempts, new(folder, $"no {string.Join(", ", names)}"));
            }
        }
    }

    // The emulator of the driver goes with an emulator of both cuBLAS libraries in the same folder: the real ones would look for a GPU.
    private string? EmulatorFolder()
        => Find(CudaLibrary.Driver) is { Found: true } driver && machine.Exports(driver.Handle, CudaDriver.EmulatorMark)
            && Path.GetDirectoryName(driver.Path) is { Length: > 0 } folder ? folder : null;

    private nint Try(CudaLibrary library, string place, List<LibraryAttempt> attempts)
    {
        LoadCompanion(library, place);
        var (handle, reason) = machine.Load(place);
        Note(attempts, new(place, handle != 0 ? LibrarySearch.Loaded : reason ?? "cannot be loaded"));
        return handle;
    }

    // A folder that is not there is not there in the next round either.
    private static void Note(List<LibraryAttempt> attempts, LibraryAttempt attempt)
    {
        if (!attempts.Contains(attempt))
            attempts.Add(attempt);
    }

    private static nint Miss(List<LibraryAttempt> attempts, string place, string outcome)
    {
        attempts.Add(new(place, outcome));
        return 0;
    }

    // NVRTC and cuBLAS load a second library by its bare name; outside of the loader's path it must be there already, from the same folder.
    private void LoadCompanion(CudaLibrary library, string place)
    {
        if (library is not (CudaLibrary.Nvrtc or CudaLibrary.Cublas) || Path.GetDirectoryName(place) is not { Length: > 0 } folder || !Directory.Exists(folder))
            return;
        string file = Path.GetFileName(place);
        string pattern = library == CudaLibrary.Cublas ? file.Replace("cublas", "cublasLt", StringComparison.Ordinal)
            : machine.Windows ? "nvrtc-builtins64_*.dll"
            : $"libnvrtc-builtins.so.{MajorOf(file)}*";
        foreach (string companion in Directory.GetFiles(folder, pattern))
            machine.Load(companion);
    }

    // 12 of libnvrtc.so.12; nothing where the name has no version.
    private static string MajorOf(string file)
    {
        const string Mark = ".so.";
        int at = file.IndexOf(Mark, StringComparison.Ordinal);
        string version = at < 0 ? "" : file[(at + Mark.Length)..].Split('.')[0];
        return int.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out _) ? version : "";
    }
}
