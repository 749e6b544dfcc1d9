using System.Runtime.CompilerServices;

namespace CudaSeq.Tests;

/// <summary>Real data and other implementations' results that tests read but the repository does not contain; a test that needs what is absent is skipped by name.</summary>
internal static class TestData
{
    /// <summary>The folder in the environment variable CUDASEQ_DATA, else shared/data beside the checkout; null where there is none.</summary>
    public static string? Root { get; } = Find();

    /// <summary>The full path of a file or folder of the data; skips the running test where it is absent.</summary>
    public static string Require(string path)
    {
        Assert.SkipWhen(Root is null, $"needs {path}: no data; set CUDASEQ_DATA to its folder");
        string full = Path.Combine(Root!, path);
        Assert.SkipUnless(Path.Exists(full), $"needs {path}, which is not in {Root}");
        return full;
    }

    private static string? Find([CallerFilePath] string source = "")
    {
        if (Environment.GetEnvironmentVariable("CUDASEQ_DATA") is { Length: > 0 } chosen)
            return chosen;
        // Tests/Harness/TestData.cs -> the folder that holds the checkout.
        string beside = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(source)!, "..", "..", "..", "shared", "data"));
        return Directory.Exists(beside) ? beside : null;
    }
}
