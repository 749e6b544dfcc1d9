using System.Runtime.InteropServices;

namespace CudaSeq.Benchmarks;

/// <summary>Variables with which the libraries of rivals are as fast as this machine lets them be; what the user has set stays as it is.</summary>
internal static class RivalSettings
{
    /// <summary>What keeps freed memory for a process, for <c>LD_PRELOAD</c>; the loader does without it where it is not installed.</summary>
    public const string Jemalloc = "libjemalloc.so.2";

    // How long OpenBLAS's own threads look for work after a call, as a power of two of clock ticks: less than a millisecond. A tenth of a second otherwise, for which they take a core from others.
    private static readonly (string Name, string Value) Timeout = ("OPENBLAS_THREAD_TIMEOUT", "20");

    /// <summary>For libraries that this process will load, which read the system's own variables; those of .NET are a copy.</summary>
    public static void SetForThisProcess()
    {
        if (OperatingSystem.IsLinux())
            _ = SetVariable(Timeout.Name, Timeout.Value, replace: 0);
    }

    /// <summary>For a process that is about to be started, on Linux with jemalloc, by which activations are not given back to the system after each update.</summary>
    /// <param name="environment">Its variables.</param>
    public static void SetFor(IDictionary<string, string?> environment)
    {
        environment.TryAdd(Timeout.Name, Timeout.Value);
        if (!OperatingSystem.IsLinux())
            return;

        // Freed pages are never given back, as in PyTorch's guide to tuning.
        environment.TryAdd("LD_PRELOAD", Jemalloc);
        environment.TryAdd("MALLOC_CONF", "oversize_threshold:1,background_thread:true,metadata_thp:auto,dirty_decay_ms:-1,muzzy_decay_ms:-1");
    }

    [DllImport("libc", EntryPoint = "setenv")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetVariable([MarshalAs(UnmanagedType.LPUTF8Str)] string name, [MarshalAs(UnmanagedType.LPUTF8Str)] string value, int replace);
}
