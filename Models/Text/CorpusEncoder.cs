namespace CudaSeq.Models;

/// <summary>Turns lines into ids, one pair or line after the other, and counts what it leaves out.</summary>
internal static class CorpusEncoder
{
    /// <summary>Gives the pairs that are kept to a sink.</summary>
    /// <param name="lines">Source and target lines.</param>
    /// <param name="source">Turns source lines into ids.</param>
    /// <param name="target">Turns target lines into ids.</param>
    /// <param name="maxLength">The most pieces on a side, at least 1.</param>
    /// <param name="name">What the corpus is called.</param>
    /// <param name="sink">Takes the pairs.</param>
    /// <param name="cancellation">Looked at between two lines.</param>
    /// <exception cref="InvalidDataException">There are more lines than an index can say.</exception>
    public static LoadReport Run(
        IEnumerable<(string Source, string Target)> lines,
        TextCodec source,
        TextCodec target,
        int maxLength,
        string name,
        ICorpusSink sink,
        CancellationToken cancellation)
    {
        if (maxLength < 1)
            throw new ArgumentOutOfRangeException(null, $"Corpus: maxLength must be at least 1, got {maxLength}.");
        var report = new LoadReport(name, 0, 0, 0, 0, maxLength, 0, 0, 0, 0);
        int line = 0, kept = 0, empty = 0, tooLong = 0;
        long sourceTokens = 0, targetTokens = 0, sourceUnknown = 0, targetUnknown = 0;
        foreach (var (sourceLine, targetLine) in lines)
        {
            cancellation.ThrowIfCancellationRequested();
            line = Next(line, name);
            int[] sourceIds = source.Encode(sourceLine), targetIds = target.Encode(targetLine);
            if (sourceIds.Length == 0 || targetIds.Length == 0 || string.IsNullOrWhiteSpace(sourceLine) || string.IsNullOrWhiteSpace(targetLine))
            {
                empty++;
            }
            else if (sourceIds.Length > maxLength || targetIds.Length > maxLength)
            {
                tooLong++;
            }
            else
            {
                sink.Add(sourceIds, targetIds, line);
                kept++;
                sourceTokens += sourceIds.Length + 1L;
                targetTokens += targetIds.Length + 1L;
                sourceUnknown += sourceIds.AsSpan().Count(Vocabulary.Unk);
                targetUnknown += targetIds.AsSpan().Count(Vocabulary.Unk);
            }
        }

        return report with
        {
            Lines = line,
            Kept = kept,
            Empty = empty,
            TooLong = tooLong,
            SourceTokens = sourceTokens,
            TargetTokens = targetTokens,
            SourceUnknown = sourceUnknown,
            TargetUnknown = targetUnknown,
        };
    }

    /// <summary>Gives the lines of a text that are kept to a sink, blank ones among them.</summary>
    /// <param name="lines">The text.</param>
    /// <param name="codec">Turns a line into ids.</param>
    /// <param name="maxLength">The most pieces of a line.</param>
    /// <param name="name">What the text is called.</param>
    /// <param name="sink">Takes the lines.</param>
    /// <param name="cancellation">Looked at between two lines.</param>
    /// <returns>What became of the lines, as of pairs without a source, and how long those are that were kept.</returns>
    /// <exception cref="InvalidDataException">There are more lines than an index can say, or more ids than the sink takes.</exception>
    public static (LoadReport Report, TextMeasures Measures) Run(
        IEnumerable<string> lines, TextCodec codec, int maxLength, string name, ITextSink sink, CancellationToken cancellation)
    {
        var measures = new TextMeasures(0, 0, 0);
        int line = 0, tooLong = 0;
        long tokens = 0, unknown = 0;
        foreach (string text in lines)
        {
            cancellation.ThrowIfCancellationRequested();
            line = Next(line, name);
            int[] ids = codec.Encode(text);
            if (ids.Length > maxLength)
            {
                tooLong++;
                continue;
            }

            sink.Add(ids, line);
            measures = measures.With(text);
            tokens += ids.Length + 1L;
            unknown += ids.AsSpan().Count(Vocabulary.Unk);
        }

        return (new LoadReport(name, line, measures.Lines, 0, tooLong, maxLength, 0, tokens, 0, unknown), measures);
    }

    private static int Next(int line, string name)
        => line < int.MaxValue ? line + 1 : throw new InvalidDataException($"{name}: must have at most {int.MaxValue} lines, got more.");
}
