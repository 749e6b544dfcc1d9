using System.Globalization;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary>The files that <c>cudaseq score</c> reads, line by line parallel.</summary>
internal static class ScoreFiles
{
    // So many lines that end in a blank and a full stop are no accident.
    private const int TokenizedLines = 100;

    /// <summary>The lines of a file; sacreBLEU takes a byte order mark for a character of the first line.</summary>
    public static string[] Read(string path, CancellationToken cancellation)
    {
        var lines = new List<string>();
        foreach (string line in TextFile.ReadLines(path, keepByteOrderMark: true))
        {
            cancellation.ThrowIfCancellationRequested();
            lines.Add(line);
        }

        return [.. lines];
    }

    /// <summary>Refuses files that are not parallel.</summary>
    public static void CheckLines(string system, int lines, string other, int wanted)
    {
        if (lines == wanted)
            return;
        throw new InvalidDataException(string.Create(
            CultureInfo.InvariantCulture,
            $"{system} and {other}: must have as many lines as each other, got {lines} and {wanted}; "
            + $"line {Math.Min(lines, wanted) + 1} of {(lines > wanted ? system : other)} is the first without a partner."));
    }

    /// <summary>Refuses a file that has not a line for each annotated sentence.</summary>
    public static void CheckSentences(string system, int lines, string annotated, int sentences)
    {
        if (lines == sentences)
            return;
        throw new InvalidDataException(string.Create(
            CultureInfo.InvariantCulture, $"{system} and {annotated}: must have a line for each annotated sentence, got {lines} lines and {sentences} sentences."));
    }

    /// <summary>Remarks on translations that look tokenised where BLEU expects that they are not.</summary>
    public static void WarnOfTokenized(Terminal terminal, string system, string[] hypotheses, BleuTokenization tokenization)
    {
        int tokenized = hypotheses.Count(line => line.TrimEnd().EndsWith(" .", StringComparison.Ordinal));
        if (tokenized >= TokenizedLines && tokenization is BleuTokenization.Mteval13a or BleuTokenization.International)
        {
            terminal.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"warning: {tokenized} lines of {system} end in a blank and a full stop and look tokenised; BLEU can be compared with others' only on text that is not."));
        }
    }

    /// <summary>Reads annotated sentences, and remarks on edits that cannot be scored.</summary>
    public static IReadOnlyList<M2Sentence> ReadAnnotated(Terminal terminal, string path)
    {
        var file = M2File.Read(path);
        if (file.LeftOut > 0)
        {
            terminal.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"warning: {file.LeftOut} edits of {path} reach beyond the end of their sentences and are left out, as m2scorer does."));
        }

        return file.Sentences;
    }
}
