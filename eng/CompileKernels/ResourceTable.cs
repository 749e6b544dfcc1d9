using System.Globalization;
using System.Text;

namespace CudaSeq.CompileKernels;

/// <summary>What all kernels take, as a page for people and for grep.</summary>
internal static class ResourceTable
{
    /// <summary>One line for each kernel and chip, sorted by both.</summary>
    /// <param name="compiler">Who compiled.</param>
    /// <param name="resources">In any order.</param>
    /// <param name="hot">The kernels to mark.</param>
    public static string Write(string compiler, IEnumerable<KernelResources> resources, HotKernels hot)
    {
        string[][] rows =
        [
            ["kernel", "hot", "chip", "registers", "shared", "stack", "spill stores", "spill loads"],
            .. from r in resources
               orderby r.Kernel, r.Architecture
               select (string[])
               [
                   r.Kernel, hot.Contains(r.Kernel) ? "*" : "", r.Architecture, Text(r.Registers), Text(r.SharedBytes), Text(r.StackBytes),
                   Text(r.SpillStoreBytes), Text(r.SpillLoadBytes),
               ],
        ];
        int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(c => rows.Max(r => r[c].Length))];
        var page = new StringBuilder();
        page.Append(
            $"""
            What each kernel takes on each chip, as {compiler} compiles it: registers of a thread, static shared memory of a block, and of a thread its stack
            frame and what is spilled to it for want of registers, in bytes. A * marks what must not spill ({HotKernels.File}).


            """.ReplaceLineEndings("\n"));
        foreach (string[] row in rows)
            page.Append(string.Join("  ", row.Select((t, c) => c <= 2 ? t.PadRight(widths[c]) : t.PadLeft(widths[c])))).Append('\n');
        return page.ToString();
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
