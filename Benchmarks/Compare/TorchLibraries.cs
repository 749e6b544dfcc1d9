namespace CudaSeq.Benchmarks;

/// <summary>
/// A folder in which the system's BLAS and LAPACK are MKL, for a process that is to compute with it. Linux alone: it is what the loader looks into first.
/// </summary>
internal sealed class TorchLibraries : IDisposable
{
    /// <summary>What MKL is called in a rival's name.</summary>
    public const string Mkl = "MKL";

    private readonly string _folder;

    private TorchLibraries(string folder) => _folder = folder;

    /// <summary>Makes the folder.</summary>
    /// <returns>Null where there is no MKL, or no Linux.</returns>
    public static TorchLibraries? Find()
    {
        const string Maps = "/proc/self/maps";
        if (!File.Exists(Maps) || BlasRival.LoadMkl() == 0)
            return null;

        // The loader knows where libraries are; this process has it loaded now.
        string? library = File.ReadLines(Maps).Select(line => line[(line.LastIndexOf(' ') + 1)..]).FirstOrDefault(path => Path.GetFileName(path).StartsWith("libmkl_rt.so", StringComparison.Ordinal));
        if (library is null)
            return null;
        string folder = Directory.CreateTempSubdirectory("cudaseq-mkl-").FullName;
        foreach (string name in (string[])["libblas.so.3", "liblapack.so.3"])
            File.CreateSymbolicLink(Path.Combine(folder, name), library);
        return new TorchLibraries(folder);
    }

    /// <summary>Has a process that is about to be started take them.</summary>
    /// <param name="environment">Its variables.</param>
    public void Choose(IDictionary<string, string?> environment)
    {
        environment["LD_LIBRARY_PATH"] = string.Join(':', new[] { _folder, environment.TryGetValue("LD_LIBRARY_PATH", out string? before) ? before : null }.Where(p => !string.IsNullOrEmpty(p)));

        // Its threads are those of the rest of PyTorch, and its functions are called as gfortran's.
        environment["MKL_THREADING_LAYER"] = "GNU";
        environment["MKL_INTERFACE_LAYER"] = "GNU,LP64";

        // GNU's threads before its own, and jemalloc as without it.
        environment["LD_PRELOAD"] = $"libgomp.so.1:{RivalSettings.Jemalloc}";
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
