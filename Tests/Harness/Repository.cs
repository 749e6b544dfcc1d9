namespace CudaSeq.Tests;

/// <summary>The checkout that the tests were built from, for tests about its files; in the archive for GPU machines, the copy of it that lies beside the tests.</summary>
internal static class Repository
{
    /// <summary>Set to 1 to write the files that <see cref="AssertSame"/> compares, after a look at the difference.</summary>
    private const string UpdateVariable = "CUDASEQ_UPDATE";

    /// <summary>The folder of the solution.</summary>
    public static string Root { get; } = Find();

    /// <summary>The path of a file of the repository.</summary>
    public static string File(string name) => Path.Combine(Root, name);

    /// <summary>The C# files of a project, without what the build made.</summary>
    public static IEnumerable<string> Sources(params string[] folders) => folders
        .SelectMany(f => Directory.EnumerateFiles(File(f), "*.cs", SearchOption.AllDirectories))
        .Select(f => Path.GetRelativePath(Root, f).Replace('\\', '/'))
        .Where(f => !f.Contains("/obj/") && !f.Contains("/bin/"));

    /// <summary>Asserts that a committed file holds this text.</summary>
    public static void AssertSame(string name, string text)
    {
        string path = File(name);
        if (Environment.GetEnvironmentVariable(UpdateVariable) == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            System.IO.File.WriteAllText(path, text);
        }

        string committed = System.IO.File.Exists(path) ? System.IO.File.ReadAllText(path) : "";
        Assert.True(committed.ReplaceLineEndings("\n") == text, $"{name} is not current; run the tests with {UpdateVariable}=1 to renew it, and look at the difference.\n{text}");
    }

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            foreach (string candidate in (string[])[folder.FullName, Path.Combine(folder.FullName, "source")])
            {
                if (System.IO.File.Exists(Path.Combine(candidate, "CudaSeq.sln")))
                    return candidate;
            }
        }

        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} holds CudaSeq.sln.");
    }
}
