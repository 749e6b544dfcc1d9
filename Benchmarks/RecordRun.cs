using System.Globalization;
using System.Text.Json.Nodes;

namespace CudaSeq.Benchmarks;

/// <summary><c>record FILE SECTION KEY=VALUE...</c>: notes facts in a file of figures; what looks like a number is one.</summary>
internal static class RecordRun
{
    public static int Run(string[] arguments)
    {
        if (arguments is not [var path, var section, .. var facts] || facts.Length == 0 || facts.Any(f => f.IndexOf('=') < 1))
            throw new OptionException("record: usage: record FILE SECTION KEY=VALUE...");
        var values = new JsonObject();
        foreach (string fact in facts)
        {
            string text = fact[(fact.IndexOf('=') + 1)..];
            values[fact[..fact.IndexOf('=')]] = long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole) ? whole : text;
        }

        FiguresFile.Open(path).Record(section, values);
        return 0;
    }
}
