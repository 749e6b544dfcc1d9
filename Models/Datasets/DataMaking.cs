using System.Text;
using System.Text.Json;

namespace CudaSeq.Models;

/// <summary>Makes texts, one sample a line, of the files of a data set.</summary>
internal static class DataMaking
{
    /// <summary>Makes the files of a text.</summary>
    /// <param name="made">What of the file.</param>
    /// <param name="file">Where the file is.</param>
    /// <param name="cancellation">Looked at before every line.</param>
    /// <returns>Each file's place below the folder of data sets and its bytes: UTF-8 without a byte order mark, each line ended by LF.</returns>
    /// <exception cref="InvalidDataException">A line is no object with such a property, or has no text in it.</exception>
    public static IReadOnlyList<(string Path, byte[] Bytes)> Make(MadeText made, string file, CancellationToken cancellation)
    {
        var lines = new List<string[]>();
        int number = 0;
        foreach (string line in TextFile.ReadLines(file))
        {
            cancellation.ThrowIfCancellationRequested();
            if (++number <= made.Start)
                continue;
            if (number > made.Start + (long)(made.Count ?? int.MaxValue))
                break;
            lines.Add(made.Part switch
            {
                TextPart.Lines => [line],
                TextPart.Joined => [string.Join(' ', Texts(line, made.Property, file, number))],
                _ => Texts(line, made.Property, file, number),
            });
        }

        if (made.Part != TextPart.Numbered)
            return [(made.Path, Text(lines.Select(l => l[0])))];
        return [.. Enumerable.Range(0, lines.Select(l => l.Length).DefaultIfEmpty(1).Max()).Select(n => (FormattableString.Invariant($"{made.Path}{n}"), Text(lines.Select(l => n < l.Length ? l[n] : ""))))];
    }

    private static string[] Texts(string line, string property, string file, int number)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var value = json.RootElement.GetProperty(property);
            string[] texts = value.ValueKind == JsonValueKind.String ? [value.GetString()!] : [.. value.EnumerateArray().Select(t => t.GetString() ?? "")];
            texts = [.. texts.Select(OneLine).Where(t => t.Length > 0)];
            if (texts.Length > 0)
                return texts;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
        }

        throw new InvalidDataException($"{file}: line {number} must be a JSON object whose {property} has text.");
    }

    // Sentences end in line ends here and there, and a line must stay one.
    private static string OneLine(string text) => string.Join(' ', text.Split(default(char[]), StringSplitOptions.RemoveEmptyEntries));

    private static byte[] Text(IEnumerable<string> lines) => Encoding.UTF8.GetBytes(string.Concat(lines.Select(l => l + "\n")));
}
