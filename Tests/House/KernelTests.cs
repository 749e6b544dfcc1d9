using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using CudaSeq.CompileKernels;
using CudaSeq.Kernels;

namespace CudaSeq.Tests;

/// <summary>NativeKernels.cu and the code that launches from it know the same kernels. That they agree on arguments is checked at every launch on a device with guards.</summary>
public sealed partial class KernelTests
{
    private const string Unit = "NativeKernels.cu";

    [Fact]
    public void EveryExportIsLaunchedAndEveryLaunchExported()
    {
        foreach (var type in typeof(CudaKernel).Assembly.GetTypes().Where(t => !t.ContainsGenericParameters))
        {
            try
            {
                RuntimeHelpers.RunClassConstructor(type.TypeHandle);
            }
            catch (TypeInitializationException)
            {
                // The door to a library that this machine has not. A type that failed with kernels in it is found below, by their absence.
            }
        }

        var launched = CudaKernel.All.Select(k => k.Symbol).Where(s => !s.StartsWith("test_", StringComparison.Ordinal)).Order(StringComparer.Ordinal);
        Assert.Equal(Exports().Order(StringComparer.Ordinal), launched);
    }

    [Fact]
    public void EveryHotKernelIsExported()
    {
        var hot = HotKernels.Parse(File.ReadAllText(Repository.File(HotKernels.File)));
        Assert.NotEmpty(hot.Names);
        Assert.Empty(hot.Unknown([.. Exports()]));
    }

    [Fact]
    public void TheSourceInTheAssemblyIsWhole()
    {
        string source = KernelSource.Read()!;
        Assert.DoesNotContain("#include", source);
        string[] files = [.. Beginning().Matches(source).Select(m => m.Groups["file"].Value).Distinct()];
        foreach (string file in Directory.EnumerateFiles(Repository.File("Kernels"), "*Kernel.cuh", SearchOption.AllDirectories))
            Assert.Contains(Path.GetRelativePath(Repository.Root, file).Replace('\\', '/'), files);
        foreach (string file in files)
        {
            string text = File.ReadAllText(Repository.File(file)).ReplaceLineEndings("\n");
            Assert.All(text.Split('\n').Where(l => !l.StartsWith("#include", StringComparison.Ordinal) && l != "#pragma once"), l => Assert.Contains(l, source));
        }
    }

    // The tables are included once for each element type, between #define SYMBOL(name) name##_f32 and its #undef.
    private static IEnumerable<string> Exports()
    {
        string ending = "";
        foreach (string line in File.ReadLines(Repository.File(Unit)))
        {
            if (Ending().Match(line) is { Success: true } define)
                ending = define.Groups["ending"].Value;
            if (Table().Match(line) is not { Success: true } include)
                continue;
            foreach (string name in Names(File.ReadAllText(Repository.File(include.Groups["path"].Value))))
                yield return name + ending;
        }

        foreach (string name in Names(File.ReadAllText(Repository.File(Unit))))
            yield return name;
    }

    // A name like light_conv_forward_k##K stands in a macro that is used once for each width.
    private static IEnumerable<string> Names(string text)
    {
        foreach (Match export in Export().Matches(text))
        {
            string[] parts = export.Groups["name"].Value.Split("##");
            if (parts.Length == 1)
            {
                yield return parts[0];
                continue;
            }

            string macro = Macro().Matches(text[..export.Index])[^1].Groups["name"].Value;
            foreach (Match use in Regex.Matches(text, $@"^{macro}\((?<width>\d+)", RegexOptions.Multiline))
                yield return parts[0] + use.Groups["width"].Value;
        }
    }

    [GeneratedRegex(@"KERNEL\w*\([\w, ]+\) (SYMBOL\()?(?<name>\w+(##\w+)?)\)?\(")]
    private static partial Regex Export();

    [GeneratedRegex(@"#define (?<name>\w+)\(")]
    private static partial Regex Macro();

    [GeneratedRegex(@"^#line 1 ""(?<file>[^""]+)""", RegexOptions.Multiline)]
    private static partial Regex Beginning();

    [GeneratedRegex(@"^#define SYMBOL\(name\) name##(?<ending>\w+)$")]
    private static partial Regex Ending();

    [GeneratedRegex("^#include \"(?<path>.*Exports\\.cuh)\"$")]
    private static partial Regex Table();
}
