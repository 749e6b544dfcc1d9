using System.Globalization;
using System.Text.RegularExpressions;

namespace CudaSeq.CompileKernels;

/// <summary>What a kernel takes on a chip.</summary>
/// <param name="Kernel">Its symbol.</param>
/// <param name="Architecture">For example sm_90a.</param>
/// <param name="Registers">A thread.</param>
/// <param name="SharedBytes">Static shared memory of a block; what a launch adds is not in it.</param>
/// <param name="StackBytes">A thread: arrays with indices that are not known when compiling, and spilled registers.</param>
/// <param name="SpillStoreBytes">Written to the stack for want of registers, a thread.</param>
/// <param name="SpillLoadBytes">Read back.</param>
internal sealed partial record KernelResources(
    string Kernel, string Architecture, int Registers, int SharedBytes, int StackBytes, int SpillStoreBytes, int SpillLoadBytes)
{
    /// <summary>Whether it has too few registers.</summary>
    public bool Spills => SpillStoreBytes > 0 || SpillLoadBytes > 0;

    /// <summary>Reads what ptxas says with its option -v. Spills of functions that are compiled along with a kernel count as the kernel's.</summary>
    /// <param name="messages">Any lines; those of other kinds are passed over.</param>
    public static IReadOnlyList<KernelResources> Parse(string messages)
    {
        var result = new List<KernelResources>();
        foreach (string line in messages.Split('\n'))
        {
            if (Entry().Match(line) is { Success: true } entry)
                result.Add(new(entry.Groups["kernel"].Value, entry.Groups["architecture"].Value, 0, 0, 0, 0, 0));
            if (result.Count == 0)
                continue;
            var current = result[^1];
            if (Frame().Match(line) is { Success: true } frame)
            {
                result[^1] = current = current with
                {
                    StackBytes = Math.Max(current.StackBytes, Number(frame, "stack")),
                    SpillStoreBytes = current.SpillStoreBytes + Number(frame, "stores"),
                    SpillLoadBytes = current.SpillLoadBytes + Number(frame, "loads"),
                };
            }

            if (Use().Match(line) is { Success: true } use)
                result[^1] = current with { Registers = Number(use, "registers"), SharedBytes = Shared().Match(line) is { Success: true } s ? Number(s, "shared") : 0 };
        }

        return result;
    }

    /// <summary>The lines of a compiler's messages that are no account of resources: warnings and advice.</summary>
    public static IEnumerable<string> Remarks(string messages)
        => messages.Split('\n').Select(l => l.Trim('\0', '\r', ' ')).Where(l => l.Length > 0 && !Account().IsMatch(l));

    private static int Number(Match match, string group) => int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"Compiling entry function '(?<kernel>[^']+)' for '(?<architecture>[^']+)'")]
    private static partial Regex Entry();

    [GeneratedRegex(@"(?<stack>\d+) bytes stack frame, (?<stores>\d+) bytes spill stores, (?<loads>\d+) bytes spill loads")]
    private static partial Regex Frame();

    [GeneratedRegex(@"\bUsed (?<registers>\d+) registers")]
    private static partial Regex Use();

    [GeneratedRegex(@"(?<shared>\d+) bytes smem")]
    private static partial Regex Shared();

    [GeneratedRegex(@"Compiling entry function|Function properties for|bytes stack frame|\bUsed \d+ registers|bytes gmem|Compile time =")]
    private static partial Regex Account();
}
