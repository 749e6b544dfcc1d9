using System.Globalization;
using System.Runtime.InteropServices;

namespace CudaSeq.Models;

/// <summary>What the operating system says about this machine.</summary>
internal static class Machine
{
    /// <summary>The processor's name as its maker writes it; the architecture where the system does not tell.</summary>
    public static string Processor()
    {
        string? name = null;
        if (OperatingSystem.IsLinux() && File.Exists("/proc/cpuinfo"))
            name = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[^1].Trim();
        else if (OperatingSystem.IsWindows())
            name = Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER");
        return string.IsNullOrEmpty(name) ? RuntimeInformation.ProcessArchitecture.ToString() : name;
    }

    /// <summary>The operating system as it calls itself.</summary>
    public static string System()
    {
        const string Release = "/etc/os-release", Key = "PRETTY_NAME=";
        string? pretty = OperatingSystem.IsLinux() && File.Exists(Release)
            ? File.ReadLines(Release).FirstOrDefault(l => l.StartsWith(Key, StringComparison.Ordinal))?[Key.Length..].Trim('"')
            : null;
        string kernel = OperatingSystem.IsLinux() ? $"Linux {Environment.OSVersion.Version.ToString(2)}" : RuntimeInformation.OSDescription;
        return $"{(pretty is null ? kernel : $"{pretty}, {kernel}")}, {RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant()}";
    }

    /// <summary>Bytes in the unit that keeps them readable.</summary>
    public static string Bytes(long bytes) => bytes switch
    {
        >= 10L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):f0} GiB"),
        >= 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):f1} GiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):f0} MiB"),
    };
}
