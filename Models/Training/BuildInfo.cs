using System.Reflection;

namespace CudaSeq.Models;

/// <summary>Which build this is.</summary>
public static class BuildInfo
{
    /// <summary>The version, for example <c>0.1.0</c>.</summary>
    public static string Version { get; } = Parts[0];

    /// <summary>The commit it was built from, as far as the build knew; <c>unknown</c> outside a checkout.</summary>
    public static string Commit { get; } = Parts.Length > 1 ? Parts[1] : "unknown";

    private static string[] Parts
        => (typeof(BuildInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0").Split('+', 2);
}
