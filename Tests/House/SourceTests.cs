using System.Text.RegularExpressions;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>The rules of the house that can be read off its files.</summary>
public sealed partial class SourceTests
{
    private const int LongestFile = 400;

    // Fills are the driver's, products cuBLAS's.
    private static readonly string[] WithoutDeviceCode = ["Fill", "MatMul"];

    // Declarations under the names of the packages they stand for.
    private const string Stub = "Tests/ManagedCudaStub/";

    private static readonly string[] Rooms = ["Kernels", "Tensors", "Models", "Cli", "Benchmarks", "Tests"];
    private static readonly string[] Folders = [.. Rooms, "eng"];

    [Fact]
    public void NoFileIsLongerThanAReaderHoldsInMind()
        => Assert.Empty(
            from file in Repository.Sources(Folders)
            let lines = File.ReadLines(Repository.File(file)).Count()
            where lines > LongestFile
            select $"{file} has {lines} lines");

    [Fact]
    public void NamespacesAreTheProjects()
    {
        foreach (string room in Rooms)
        {
            string expected = $"namespace CudaSeq.{room};";
            Assert.All(Repository.Sources(room), f => Assert.True(f.StartsWith(Stub, StringComparison.Ordinal) || Namespace(f) is null || Namespace(f) == expected, f));
        }
    }

    [Fact]
    public void EveryKernelFolderHoldsTheContractAndBothSides()
    {
        foreach (string folder in Directory.EnumerateDirectories(Repository.File("Kernels")).Select(f => Path.GetFileName(f)!))
        {
            if (folder is "Runtime" or "Driver" or "bin" or "obj")
                continue;
            Assert.True(File.Exists(Repository.File($"Kernels/{folder}/{folder}Kernel.cs")), $"Kernels/{folder} has no {folder}Kernel.cs");
            Assert.True(File.Exists(Repository.File($"Kernels/{folder}/{folder}Kernel.Cpu.cs")), $"Kernels/{folder} has no {folder}Kernel.Cpu.cs");
            Assert.True(File.Exists(Repository.File($"Kernels/{folder}/{folder}Kernel.Cuda.cs")), $"Kernels/{folder} has no {folder}Kernel.Cuda.cs");
            string device = Path.Combine(Repository.File($"Kernels/{folder}"), $"{folder}Kernel.cuh");
            Assert.True(WithoutDeviceCode.Contains(folder) != File.Exists(device), $"Kernels/{folder}: {folder}Kernel.cuh must be there unless the driver or cuBLAS does the work");
        }
    }

    [Fact]
    public void EveryOpHasATestClassOfItsName()
    {
        var classes = typeof(SourceTests).Assembly.GetTypes().Select(t => t.Name).ToHashSet();
        foreach (string file in Repository.Sources("Tensors/Ops"))
        {
            string op = Path.GetFileName(file).Split('.')[0];
            if (File.ReadAllText(Repository.File(file)).Contains("partial class Ops", StringComparison.Ordinal))
                Assert.True(classes.Contains($"{op}Tests"), $"{file} has no class {op}Tests");
        }
    }

    [Fact]
    public void NothingIsLeftForLater()
        => Assert.Empty(
            from file in Repository.Sources(Folders)
            where !file.StartsWith("Tests/House/", StringComparison.Ordinal)
            from line in File.ReadLines(Repository.File(file)).Select((text, i) => (Text: text, Number: i + 1))
            where Unfinished().IsMatch(line.Text)
            select $"{file}:{line.Number}: {line.Text.Trim()}");

    [Fact]
    public void EveryRecipeIsCalledLikeItsFile()
        => Assert.All(
            Directory.EnumerateFiles(Repository.File("recipes"), "*.json").Where(f => !f.EndsWith(".schema.json", StringComparison.Ordinal)),
            f => Assert.Equal(Path.GetFileNameWithoutExtension(f), Recipe.Load(f).Name));

    private static string? Namespace(string file)
        => File.ReadLines(Repository.File(file)).FirstOrDefault(l => l.StartsWith("namespace ", StringComparison.Ordinal));

    [GeneratedRegex(@"\bTODO\b|\bFIXME\b|\bHACK\b|NotImplementedException|#region|\bthis\.\w")]
    private static partial Regex Unfinished();
}
