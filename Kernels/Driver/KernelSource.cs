using System.Reflection;
using System.Text;

namespace CudaSeq.Kernels;

/// <summary>The text of all kernels, as it lies in the assembly: NativeKernels.cu with its includes put in their places, so that the compiler needs no files.</summary>
internal static class KernelSource
{
    /// <summary>The translation unit.</summary>
    public const string Unit = "NativeKernels.cu";

    private const string Include = "#include \"";
    private const string Once = "#pragma once";

    /// <summary>The whole text; null where the assembly was built without it.</summary>
    public static string? Read() => ReadResource(Unit) is { } unit ? Flatten(Unit, unit, ReadResource) : null;

    /// <summary>
    /// Puts included files in the places where they are included; a file that says so only in the first. Messages of the compiler still name file and line.
    /// </summary>
    /// <param name="name">The outermost file, relative to the root.</param>
    /// <param name="text">What is in it.</param>
    /// <param name="read">A file by its path relative to the root; null where there is none.</param>
    /// <exception cref="FileNotFoundException">An included file is not there.</exception>
    public static string Flatten(string name, string text, Func<string, string?> read)
    {
        var result = new StringBuilder();
        Append(result, name, text, read, []);
        return result.ToString();
    }

    private static void Append(StringBuilder result, string name, string text, Func<string, string?> read, HashSet<string> once)
    {
        int line = 0;
        result.Append("#line 1 \"").Append(name).Append("\"\n");
        foreach (string content in text.ReplaceLineEndings("\n").Split('\n'))
        {
            line++;
            string trimmed = content.Trim();
            if (!trimmed.StartsWith(Include, StringComparison.Ordinal))
            {
                if (trimmed == Once)
                    once.Add(name);
                result.Append(trimmed == Once ? "" : content).Append('\n');
                continue;
            }

            string wanted = trimmed[Include.Length..].TrimEnd('"');
            string? found = null;
            string path = Candidates(name, wanted).FirstOrDefault(p => once.Contains(p) || (found = read(p)) is not null)
                ?? throw new FileNotFoundException($"{name}:{line}: there is no file {wanted}.", wanted);
            if (!once.Contains(path))
                Append(result, path, found!, read, once);
            result.Append("#line ").Append(line + 1).Append(" \"").Append(name).Append("\"\n");
        }
    }

    // Relative to the including file, then to the root, as compilers look.
    private static IEnumerable<string> Candidates(string name, string wanted)
    {
        yield return Normalize(name.Contains('/', StringComparison.Ordinal) ? $"{name[..name.LastIndexOf('/')]}/{wanted}" : wanted);
        yield return Normalize(wanted);
    }

    private static string Normalize(string path)
    {
        var parts = new List<string>();
        foreach (string part in path.Split('/'))
        {
            if (part == ".." && parts.Count > 0)
                parts.RemoveAt(parts.Count - 1);
            else if (part is not ("." or ""))
                parts.Add(part);
        }

        return string.Join('/', parts);
    }

    private static string? ReadResource(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name);
        if (stream is null)
            return null;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
