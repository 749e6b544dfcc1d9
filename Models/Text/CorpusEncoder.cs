namespace CudaSeq.Models;

/// <summary>Turns lines into ids, one pair after the other, and counts what it leaves out.</summary>
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
            if (line == int.MaxValue)
                throw new InvalidDataException($"{name}: must have at most {int.MaxValue} lines, got more.");
            line++;
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
}
