using System.Globalization;
using System.Runtime.InteropServices;

namespace CudaSeq.Kernels;

/// <summary>The libraries of CUDA that are looked for when they are first needed. None of them comes with this project.</summary>
internal enum CudaLibrary
{
    /// <summary>libcuda, nvcuda on Windows: comes with the display driver.</summary>
    Driver,

    /// <summary>libcublasLt: comes with a CUDA toolkit, or with a Python package.</summary>
    CublasLt,

    /// <summary>libcublas, from the same place.</summary>
    Cublas,

    /// <summary>libnvrtc, the compiler, from the same place.</summary>
    Nvrtc,
}

/// <summary>What the libraries are called, and where they usually lie.</summary>
internal static class CudaLibraryNames
{
    /// <summary>The toolkits that are looked for, newest first.</summary>
    private static readonly int[] Majors = [13, 12, 11];

    /// <summary>The name without version and ending, for messages.</summary>
    public static string PlainName(this CudaLibrary library) => library switch
    {
        CudaLibrary.Driver => "libcuda",
        CudaLibrary.CublasLt => "libcublasLt",
        CudaLibrary.Cublas => "libcublas",
        _ => "libnvrtc",
    };

    /// <summary>The environment variable that names the file.</summary>
    public static string Variable(this CudaLibrary library) => library switch
    {
        CudaLibrary.Driver => CudaVariables.DriverLibrary,
        CudaLibrary.CublasLt => CudaVariables.CublasLtLibrary,
        CudaLibrary.Cublas => CudaVariables.CublasLibrary,
        _ => CudaVariables.NvrtcLibrary,
    };

    /// <summary>
    /// File names in the order in which they are tried, in rounds: a round's names are tried everywhere before the next round begins. A toolkit newer than the
    /// driver comes last, because its libraries refuse an older driver.
    /// </summary>
    /// <param name="library">Of which library.</param>
    /// <param name="windows">The names on Windows.</param>
    /// <param name="driverMajor">What the driver is made for, 12 for example; 0 where that is not known.</param>
    public static IReadOnlyList<string[]> Rounds(CudaLibrary library, bool windows, int driverMajor)
    {
        if (library == CudaLibrary.Driver)
            return windows ? [["nvcuda.dll"]] : [["libcuda.so.1", "libcuda.so"]];
        string[] Names(IEnumerable<int> majors) => [.. majors.Select(m => FileName(library, windows, m))];
        string[] plain = windows ? [] : [$"{library.PlainName()}.so"];
        if (driverMajor == 0)
            return [[.. Names(Majors), .. plain]];
        string[] fitting = [.. Names(Majors.Where(m => m <= driverMajor)), .. plain], newer = Names(Majors.Where(m => m > driverMajor));
        return newer.Length == 0 ? [fitting] : [fitting, newer];
    }

    /// <summary>The file of one toolkit version. NVRTC kept the name of 11.2 for all of 11.</summary>
    public static string FileName(CudaLibrary library, bool windows, int major) => (library, windows) switch
    {
        (CudaLibrary.Nvrtc, true) => $"nvrtc64_{(major == 11 ? "112" : $"{major}0")}_0.dll",
        (CudaLibrary.Nvrtc, false) => $"libnvrtc.so.{(major == 11 ? "11.2" : major.ToString(CultureInfo.InvariantCulture))}",
        (_, true) => $"{library.PlainName()[3..]}64_{major}.dll",
        _ => $"{library.PlainName()}.so.{major}",
    };

    /// <summary>
    /// Folders to look in, as patterns in which * stands for any part of a folder's name. The driver is never taken from a toolkit, which has only a stub of it.
    /// </summary>
    public static IEnumerable<string> Folders(CudaLibrary library, LibraryMachine machine)
        => (machine.Windows, library == CudaLibrary.Driver) switch
        {
            (false, true) => LinuxSystemFolders(machine),
            (false, false) => [.. LinuxToolkits(machine), .. LinuxSystemFolders(machine), .. LinuxPython(machine)],
            (true, true) => [],
            _ => [.. WindowsToolkits(machine), .. WindowsPython(machine)],
        };

    private static IEnumerable<string> LinuxSystemFolders(LibraryMachine machine)
    {
        string triple = machine.Arm ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
        yield return machine.At($"/usr/lib/{triple}");
        yield return machine.At("/usr/lib64");
        yield return machine.At("/usr/local/nvidia/lib64");
        yield return machine.At("/usr/lib64-nvidia");
        yield return machine.At("/usr/lib/wsl/lib");
        yield return machine.At("/run/opengl-driver/lib");
    }

    private static IEnumerable<string> LinuxToolkits(LibraryMachine machine)
    {
        foreach (string variable in (string[])["CUDA_PATH", "CUDA_HOME"])
        {
            if (machine.Variable(variable) is { Length: > 0 } toolkit)
                yield return $"{toolkit.TrimEnd('/')}/lib64";
        }

        yield return machine.At("/usr/local/cuda/lib64");
        yield return machine.At("/usr/local/cuda-*/lib64");
        yield return machine.At("/opt/cuda/lib64");
    }

    // A prefix is a folder with bin/python3 in it: a virtual environment, a conda environment, /usr, /usr/local.
    private static IEnumerable<string> LinuxPython(LibraryMachine machine)
    {
        var prefixes = new List<string>();
        foreach (string variable in (string[])["VIRTUAL_ENV", "CONDA_PREFIX"])
        {
            if (machine.Variable(variable) is { Length: > 0 } environment)
                prefixes.Add(environment.TrimEnd('/'));
        }

        foreach (string folder in (machine.Variable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            if (folder.StartsWith('/') && Path.GetDirectoryName(folder.TrimEnd('/')) is { Length: > 1 } prefix && File.Exists($"{folder}/python3"))
                prefixes.Add(prefix);
        }

        if (machine.Variable("HOME") is { Length: > 0 } home)
            prefixes.Add($"{home.TrimEnd('/')}/.local");
        prefixes.Add(machine.At("/usr"));
        prefixes.Add(machine.At("/usr/local"));
        prefixes.Add(machine.At("/opt/conda"));
        foreach (string prefix in prefixes.Distinct())
        {
            // pyenv's programs only say which of its versions is meant.
            if (Path.GetFileName(prefix) == ".pyenv")
                yield return $"{prefix}/versions/*/lib/python3*/site-packages/nvidia/*/lib";
            yield return $"{prefix}/lib/python3*/site-packages/nvidia/*/lib";
            yield return $"{prefix}/lib/python3*/dist-packages/nvidia/*/lib";
        }
    }

    // From 13 on the libraries lie one folder deeper.
    private static IEnumerable<string> WindowsToolkits(LibraryMachine machine)
    {
        if (machine.Variable("CUDA_PATH") is { Length: > 0 } toolkit)
        {
            yield return Path.Join(toolkit, "bin", "x64");
            yield return Path.Join(toolkit, "bin");
        }

        if (machine.Variable("ProgramFiles") is { Length: > 0 } programs)
        {
            string toolkits = Path.Join(programs, "NVIDIA GPU Computing Toolkit", "CUDA", "v*", "bin");
            yield return Path.Join(toolkits, "x64");
            yield return toolkits;
        }
    }

    private static IEnumerable<string> WindowsPython(LibraryMachine machine)
    {
        foreach (string variable in (string[])["VIRTUAL_ENV", "CONDA_PREFIX"])
        {
            if (machine.Variable(variable) is { Length: > 0 } environment)
                yield return Path.Join(environment, "Lib", "site-packages", "nvidia", "*", "bin");
        }

        if (machine.Variable("LOCALAPPDATA") is { Length: > 0 } local)
            yield return Path.Join(local, "Programs", "Python", "Python3*", "Lib", "site-packages", "nvidia", "*", "bin");
    }
}

/// <summary>What a search for libraries sees of the machine; tests make up their own.</summary>
internal sealed class LibraryMachine
{
    /// <summary>An environment variable.</summary>
    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;

    /// <summary>Whether libraries have the names they have on Windows.</summary>
    public bool Windows { get; init; } = OperatingSystem.IsWindows();

    /// <summary>Whether the processor is an Arm.</summary>
    public bool Arm { get; init; } = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    /// <summary>Put before the usual folders.</summary>
    public string Root { get; init; } = "";

    /// <summary>Loads a library by path, or by a name that the system's loader looks up; the reason where it cannot.</summary>
    public Func<string, (nint Handle, string? Reason)> Load { get; init; } = LoadNative;

    /// <summary>Whether a loaded library has a function.</summary>
    public Func<nint, string, bool> Exports { get; init; } = static (library, name) => NativeLibrary.TryGetExport(library, name, out _);

    /// <summary>A usual folder.</summary>
    public string At(string path) => Root + path;

    // The runtime's message is long; what the loader said is its last line on Linux, and the end of its only line on Windows.
    private static (nint Handle, string? Reason) LoadNative(string path)
    {
        try
        {
            return (NativeLibrary.Load(path), null);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            string last = e.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[^1];
            return (0, last.StartsWith($"{path}: ", StringComparison.Ordinal) ? last[(path.Length + 2)..] : last);
        }
    }
}
