namespace CudaSeq.Cli;

/// <summary>Rows of text in aligned columns: the first to the left, the others to the right. The same on a screen and in a file.</summary>
internal sealed class TextTable(params string[] headings)
{
    private readonly List<string[]> _rows = [];

    /// <summary>Adds a row with a cell for each heading.</summary>
    public void Add(params string[] cells) => _rows.Add(cells);

    /// <summary>Writes the headings, a rule, and the rows.</summary>
    public void Write(Terminal terminal)
    {
        int[] widths = [.. headings.Select((h, i) => _rows.Select(r => r[i].Length).Append(h.Length).Max())];
        terminal.Out.WriteLine(terminal.Bold(Line(headings)));
        terminal.Out.WriteLine(terminal.Dim(string.Join("  ", widths.Select(w => new string('-', w)))));
        foreach (var row in _rows)
            terminal.Out.WriteLine(Line(row));

        string Line(string[] cells) => string.Join("  ", cells.Select((c, i) => i == 0 ? c.PadRight(widths[i]) : c.PadLeft(widths[i]))).TrimEnd();
    }

    /// <summary>Writes names and values in two columns without headings.</summary>
    public static void WriteFacts(Terminal terminal, IReadOnlyList<(string Name, string Value)> facts)
    {
        int width = facts.Max(f => f.Name.Length);
        foreach (var (name, value) in facts)
            terminal.Out.WriteLine($"{name.PadRight(width)}  {value}".TrimEnd());
    }
}
