using System.Globalization;

namespace CudaSeq.CompileKernels;

/// <summary>The kernels that must not spill, one name a line; a * at the end stands for any rest of a name, # begins a comment.</summary>
/// <param name="Names">The lines with their numbers.</param>
internal sealed record HotKernels(IReadOnlyList<(int Line, string Name)> Names)
{
    /// <summary>The committed list.</summary>
    public const string File = "eng/hot-kernels.txt";

    /// <summary>Reads such a list.</summary>
    public static HotKernels Parse(string text)
        => new([.. text.Split('\n').Select((l, i) => (Line: i + 1, Name: l.Split('#')[0].Trim())).Where(l => l.Name.Length > 0)]);

    /// <summary>Whether a kernel is listed.</summary>
    public bool Contains(string kernel) => Names.Any(n => IsNamed(kernel, n.Name));

    /// <summary>The names that no kernel has, one line each.</summary>
    public IEnumerable<string> Unknown(IReadOnlyCollection<string> kernels)
        => Names.Where(n => !kernels.Any(k => IsNamed(k, n.Name))).Select(n => $"{File}:{n.Line}: no kernel is called {n.Name}");

    /// <summary>What is wrong with what was compiled, one line each.</summary>
    public IEnumerable<string> Problems(IReadOnlyList<KernelResources> resources)
        => Unknown([.. resources.Select(r => r.Kernel)]).Concat(
            from r in resources
            where r.Spills && Contains(r.Kernel)
            select string.Create(
                CultureInfo.InvariantCulture,
                $"{r.Kernel} must not spill, it is in {File}; on {r.Architecture} it stores {r.SpillStoreBytes} bytes and loads {r.SpillLoadBytes} with {r.Registers} registers"));

    private static bool IsNamed(string kernel, string name)
        => name.EndsWith('*') ? kernel.StartsWith(name[..^1], StringComparison.Ordinal) : kernel == name;
}
