namespace CudaSeq.Models;

/// <summary>Merges as subword-nmt writes them, the first learned first.</summary>
/// <param name="Merges">Pairs of symbols.</param>
/// <param name="EndIsOwnSymbol">Version 0.1: the end of a word is a symbol of its own, not the end of its last one.</param>
internal sealed record SubwordNmtCodes(IReadOnlyList<(string Left, string Right)> Merges, bool EndIsOwnSymbol)
{
    private const string Version = "#version:";
    private const string CurrentVersion = "#version: 0.2";

    /// <summary>Codes of version 0.2.</summary>
    public static SubwordNmtCodes Current(IReadOnlyList<(string Left, string Right)> merges) => new(merges, EndIsOwnSymbol: false);

    /// <summary>Reads a codes file.</summary>
    public static SubwordNmtCodes Load(string path) => Parse(path, TextFile.ReadLines(path));

    /// <summary>Takes the lines of a codes file; blank lines at its end are overlooked.</summary>
    /// <param name="name">What errors call it.</param>
    /// <param name="lines">Its lines.</param>
    public static SubwordNmtCodes Parse(string name, IEnumerable<string> lines)
    {
        var merges = new List<(string Left, string Right)>();
        int number = 0, blank = 0;
        bool? old = null;
        foreach (string line in lines)
        {
            number++;
            if (number == 1 && line.StartsWith(Version, StringComparison.Ordinal))
            {
                old = IsOld(name, line);
                continue;
            }

            string[] symbols = line.Trim('\r', ' ').Split(' ');
            if (line.Length == 0)
                blank = blank == 0 ? number : blank;
            else if (blank > 0)
                throw Wrong(name, blank, "");
            else if (symbols.Length != 2)
                throw Wrong(name, number, line);
            else
                merges.Add((symbols[0], symbols[1]));
        }

        return old is not null || merges.Count > 0
            ? new SubwordNmtCodes(merges, old ?? true)
            : throw new InvalidDataException($"{name}: must hold at least one merge or the line {CurrentVersion}, got neither.");
    }

    /// <summary>The lines of a codes file.</summary>
    public IEnumerable<string> Lines()
        => (EndIsOwnSymbol ? Enumerable.Empty<string>() : [CurrentVersion]).Concat(Merges.Select(m => $"{m.Left} {m.Right}"));

    private static bool IsOld(string name, string line)
    {
        string version = line[Version.Length..].Trim();
        while (version.EndsWith(".0", StringComparison.Ordinal))
            version = version[..^2];
        return version switch
        {
            "0.1" => true,
            "0.2" => false,
            _ => throw new InvalidDataException($"{name}: line 1 must be of version 0.1 or 0.2, got '{line}'."),
        };
    }

    private static InvalidDataException Wrong(string name, int number, string line)
        => new($"{name}: line {number} must be two symbols with one blank between them, got '{line}'.");
}
