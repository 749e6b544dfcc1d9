using System.Text;

namespace CudaSeq.Models;

/// <summary>Which pairs of a corpus are kept, and which of those are set aside. The ratio is that of fairseq's scripts; for IWSLT they have 175 words and every 23rd pair aside. The 250 of those for WMT are pieces, not words.</summary>
public sealed record CorpusCleaningOptions
{
    /// <summary>The fewest words on either side, at least 1.</summary>
    public int LeastWords { get; init; } = 1;

    /// <summary>The most words on either side.</summary>
    public int MostWords { get; init; } = 250;

    /// <summary>How many times the words of the one side the other may have, at least 1.</summary>
    public double Ratio { get; init; } = 1.5;

    /// <summary>Of the pairs that are kept every so many-th is set aside; 0 for none.</summary>
    public int AsideEvery { get; init; }
}

/// <summary>What became of the pairs of a corpus; each counts once, in the order of the rules.</summary>
/// <param name="Pairs">All that were read.</param>
/// <param name="Kept">Those that were kept and not set aside.</param>
/// <param name="Aside">Those that were set aside.</param>
/// <param name="Short">Those with too few words on a side, empty ones among them.</param>
/// <param name="Long">Those with too many.</param>
/// <param name="Unlike">Those with too many words for the other side.</param>
public readonly record struct CorpusCleaningReport(long Pairs, long Kept, long Aside, long Short, long Long, long Unlike);

/// <summary>
/// Leaves out the pairs that are too short, too long or too unlike in length, by the rule of Moses's clean-corpus-n.perl for words between blanks, and sets every so many-th of the others aside, as
/// fairseq's prepare-iwslt14.sh does to validate. Lines are read one by one and written as they are: the script also joins white space, takes | out of words, and leaves out pairs with a word of
/// more than 1,000 characters.
/// </summary>
public static class CorpusCleaning
{
    /// <summary>Reads a corpus and writes what is left of it: files that take their places, one after the other, when all is read.</summary>
    /// <param name="source">The file of source sentences.</param>
    /// <param name="target">The file of target sentences.</param>
    /// <param name="options">Which pairs are kept.</param>
    /// <param name="kept">Where their two sides go; other files than those that are read.</param>
    /// <param name="aside">Where those go that are set aside; null with <see cref="CorpusCleaningOptions.AsideEvery"/> 0 alone.</param>
    /// <param name="cancellation">Stops between lines.</param>
    /// <exception cref="ArgumentException">The options have no meaning.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">A line is not valid UTF-8, or the files have not as many lines as each other; nothing is written then.</exception>
    public static CorpusCleaningReport Run(
        string source, string target, CorpusCleaningOptions options, (string Source, string Target) kept, (string Source, string Target)? aside = null, CancellationToken cancellation = default)
    {
        if (options.LeastWords < 1 || options.MostWords < options.LeastWords || !(options.Ratio >= 1) || options.AsideEvery < 0 || options.AsideEvery > 0 != aside.HasValue)
            throw new ArgumentException($"CorpusCleaning: the options have no meaning together, got {options}.");
        CorpusCleaningReport report = default;
        string[] paths = [kept.Source, kept.Target, .. aside is { } set ? (string[])[set.Source, set.Target] : []];
        WriteAll(paths, [], writers =>
        {
            foreach (var (from, to) in ParallelCorpus.Read(source, target))
            {
                cancellation.ThrowIfCancellationRequested();
                report = report with { Pairs = report.Pairs + 1 };
                int words = Words(from), others = Words(to);
                if (Math.Min(words, others) < options.LeastWords)
                {
                    report = report with { Short = report.Short + 1 };
                }
                else if (Math.Max(words, others) > options.MostWords)
                {
                    report = report with { Long = report.Long + 1 };
                }
                else if ((double)Math.Max(words, others) / Math.Min(words, others) > options.Ratio)
                {
                    report = report with { Unlike = report.Unlike + 1 };
                }
                else
                {
                    bool isAside = options.AsideEvery > 0 && (report.Kept + report.Aside + 1) % options.AsideEvery == 0;
                    report = isAside ? report with { Aside = report.Aside + 1 } : report with { Kept = report.Kept + 1 };
                    writers[isAside ? 2 : 0].WriteLine(from);
                    writers[isAside ? 3 : 1].WriteLine(to);
                }
            }
        });
        return report;
    }

    // Each within the other: what cannot be read leaves none.
    private static void WriteAll(string[] paths, List<TextWriter> open, Action<IReadOnlyList<TextWriter>> write)
    {
        if (open.Count == paths.Length)
        {
            write(open);
            return;
        }

        TextFile.WriteWhole(paths[open.Count], stream =>
        {
            using var writer = new StreamWriter(stream, new UTF8Encoding(false), bufferSize: 1 << 16, leaveOpen: true) { NewLine = "\n" };
            open.Add(writer);
            WriteAll(paths, open, write);
        });
    }

    private static int Words(string line)
    {
        int words = 0;
        bool within = false;
        foreach (char c in line)
        {
            bool blank = char.IsWhiteSpace(c);
            if (!blank && !within)
                words++;
            within = !blank;
        }

        return words;
    }
}
