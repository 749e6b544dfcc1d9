namespace CudaSeq.Models;

/// <summary>
/// What an analysis reads: files, or the pairs on which the run was tested. Lines are read and batched a block at a time, so that memory does not grow with the text.
/// </summary>
public sealed class AnalysisText
{
    /// <summary>Tokens of a batch where nothing else is said.</summary>
    public const int UsualBatchTokens = 4096;

    /// <summary>The most pieces on a side where nothing else is said: attention takes memory for each pair of pieces.</summary>
    public const int UsualMaxLength = 1000;

    // Sorted by length among themselves, so that little of a batch is padding.
    private const int BlockLines = 4096;

    // Of one block; a line that is longer alone is a block of its own.
    private const int BlockCharacters = 1 << 22;

    /// <summary>The file of sources, or of a language model's text; null for the sources that the run was tested with.</summary>
    public string? Input { get; init; }

    /// <summary>The file of references; null for those that the run was tested with.</summary>
    public string? Reference { get; init; }

    /// <summary>Only so many of the first lines are read; null for all.</summary>
    public long? Lines { get; init; }

    /// <summary>The most tokens on either side of a batch, padding included.</summary>
    public int BatchTokens { get; init; } = UsualBatchTokens;

    /// <summary>Pairs with more pieces on a side are left out.</summary>
    public int MaxLength { get; init; } = UsualMaxLength;

    /// <summary>Null for batches from the shortest to the longest of each block of lines; otherwise the seed of their order.</summary>
    internal ulong? ShuffleSeed { get; init; }

    /// <summary>What the last pass over the text read and left out; null before the first.</summary>
    public LoadReport? Report { get; internal set; }

    /// <summary>The sources, or a language model's text, read while they are asked for.</summary>
    /// <exception cref="InvalidDataException">There is no text: neither a file nor pairs that the run was tested with.</exception>
    internal IEnumerable<string> Sources(AnalysisRun run) => Cut(Input is not null ? TextFile.ReadLines(Input) : Tested(run, "--input FILE").Select(t => t.Source));

    /// <summary>Sources with their references, read while they are asked for.</summary>
    /// <exception cref="InvalidDataException">There are none, only one of two files is given, or they have not as many lines as each other.</exception>
    internal IEnumerable<(string Source, string Target)> Pairs(AnalysisRun run)
    {
        if (Input is null != Reference is null)
            throw new InvalidDataException("analyze: --input and --reference must be given together.");
        return Cut(Input is not null ? ParallelCorpus.Read(Input, Reference!) : Tested(run, "--input FILE and --reference FILE").Select(t => (t.Source, t.Reference)));
    }

    /// <summary>The text in batches: pairs of a model that translates, blocks of a language model's text as it was trained.</summary>
    /// <param name="run">The model.</param>
    /// <param name="tested">The run whose tested pairs are meant where there are no files.</param>
    /// <param name="progress">Is told how many lines were read before each batch.</param>
    /// <param name="cancellation">Asks to stop; looked at before each batch.</param>
    /// <exception cref="InvalidDataException">There is nothing to read, or nothing is left of it.</exception>
    internal IEnumerable<Batch> Batches(AnalysisRun run, AnalysisRun tested, IProgress<AnalysisProgress>? progress, CancellationToken cancellation)
    {
        Report = null;
        bool any = false;
        foreach (var samples in run.Config.IsLanguageModel ? Blocks(run, cancellation) : Corpora(run, tested, cancellation))
        {
            if (samples.Count == 0)
                continue;
            foreach (var batch in new BatchIterator(samples, BatchTokens, ShuffleSeed ?? 0, ShuffleSeed is not null).Epoch(0))
            {
                cancellation.ThrowIfCancellationRequested();
                any = true;
                yield return batch;
            }

            progress?.Report(new AnalysisProgress("lines", Report!.Lines));
        }

        if (!any)
            throw Nothing(run.Config.IsLanguageModel ? "line" : "pair without an empty side");
    }

    /// <summary>That nothing is left of a text, and whether it is because of the limit of pieces.</summary>
    /// <param name="wanted">What there must be one of.</param>
    internal InvalidDataException Nothing(string wanted)
        => new($"analyze: there must be at least one {wanted}, got none{(Report is { TooLong: > 0 } report ? FormattableString.Invariant($" of at most {report.MaxLength} pieces") : "")}.");

    /// <summary>Pairs a block at a time, as they stand in the text; those with an empty side are left out and counted, however long the others are.</summary>
    /// <param name="run">The model.</param>
    /// <param name="size">Lines of a block.</param>
    /// <exception cref="InvalidDataException">There is nothing to read, or nothing is left of it.</exception>
    internal IEnumerable<IReadOnlyList<(string Source, string Target)>> PairBlocks(AnalysisRun run, int size)
        => Filled(run, OfPairs(Pairs(run), size), p => !string.IsNullOrWhiteSpace(p.Source) && !string.IsNullOrWhiteSpace(p.Target), "pair without an empty side");

    /// <summary>
    /// Sources with their annotated sentences a block at a time, and the number of each one's edits that are left out, as they stand in the text; empty sources are left out and counted,
    /// however long the others are. The reference is a file in m2scorer's format.
    /// </summary>
    /// <param name="run">The model.</param>
    /// <param name="size">Lines of a block.</param>
    /// <exception cref="InvalidDataException">Not both files are given, the second is not of that format, they have not as much as each other, or nothing is left of them.</exception>
    internal IEnumerable<IReadOnlyList<(string Source, M2Sentence Gold, int LeftOut)>> AnnotatedBlocks(AnalysisRun run, int size)
    {
        if (Input is not { } input || Reference is not { } reference)
            throw new InvalidDataException("analyze: --input FILE and --reference FILE, annotated sentences in m2scorer's format, must be given for m2.");
        var sentences = ParallelCorpus.Zip(TextFile.ReadLines(input), M2File.ReadSentences(reference), (lines, annotated) => FormattableString.Invariant(
            $"{input} and {reference}: must have a line for each annotated sentence, got {lines} lines and {annotated} sentences.")).Select(p => (p.Source, Gold: p.Target.Sentence, p.Target.LeftOut));
        return Filled(run, InBlocks(Cut(sentences), size, p => p.Source.Length + p.Gold.Source.Length), p => !string.IsNullOrWhiteSpace(p.Source), "line that is not empty");
    }

    /// <summary>Pairs in blocks of so many, or of fewer where they are long.</summary>
    internal static IEnumerable<(string Source, string Target)[]> OfPairs(IEnumerable<(string Source, string Target)> pairs, int size) => InBlocks(pairs, size, p => p.Source.Length + p.Target.Length);

    /// <summary>Lines in blocks of so many, or of fewer where they are long.</summary>
    internal static IEnumerable<string[]> OfLines(IEnumerable<string> lines, int size) => InBlocks(lines, size, l => l.Length);

    /// <summary>Sources as ids that end in end-of-sentence, a block at a time; empty lines and those with too many pieces are left out and counted.</summary>
    /// <param name="run">Whose vocabulary is meant.</param>
    /// <param name="size">Lines of a block.</param>
    internal IEnumerable<IReadOnlyList<int[]>> SourceBlocks(AnalysisRun run, int size)
    {
        Report = null;
        foreach (string[] lines in OfLines(Sources(run), size))
        {
            int[][] ids = [.. lines.Select(l => string.IsNullOrWhiteSpace(l) ? [] : run.Source.Encode(l))];
            int[][] kept = [.. ids.Where(i => i.Length > 0 && i.Length <= MaxLength).Select(i => (int[])[.. i, Vocabulary.Eos])];
            int empty = ids.Count(i => i.Length == 0);
            var report = new LoadReport(Input ?? run.Folder, lines.Length, kept.Length, empty, lines.Length - kept.Length - empty, MaxLength, kept.Sum(k => (long)k.Length), 0, 0, 0);
            Report = Report?.Plus(report) ?? report;
            if (kept.Length > 0)
                yield return kept;
        }

        if (Report is not { Kept: > 0 })
            throw Nothing("line that is not empty");
    }

    private IEnumerable<IReadOnlyList<T>> Filled<T>(AnalysisRun run, IEnumerable<T[]> blocks, Func<T, bool> isFilled, string wanted)
    {
        Report = null;
        foreach (var block in blocks)
        {
            T[] kept = [.. block.Where(isFilled)];
            var report = new LoadReport(Input ?? run.Folder, block.Length, kept.Length, block.Length - kept.Length, 0, MaxLength, 0, 0, 0, 0);
            Report = Report?.Plus(report) ?? report;
            if (kept.Length > 0)
                yield return kept;
        }

        if (Report is not { Kept: > 0 })
            throw Nothing(wanted);
    }

    private IEnumerable<ISamples> Corpora(AnalysisRun run, AnalysisRun tested, CancellationToken cancellation)
    {
        // Where positions are learned there are so many of them, of which the end of a sentence takes one.
        int longest = Math.Min(MaxLength, run.Config.MostPositions - 1);
        foreach (var block in OfPairs(Pairs(tested), BlockLines))
        {
            var corpus = Corpus.Encode(block, run.Source, run.Target, longest, Input ?? tested.Folder, cancellation);
            Report = Report?.Plus(corpus.Report) ?? corpus.Report;
            yield return corpus;
        }
    }

    private IEnumerable<ISamples> Blocks(AnalysisRun run, CancellationToken cancellation)
    {
        if (Input is null)
            throw new InvalidDataException("analyze: --input FILE must be given for a language model.");
        var data = File.Exists(run.Directory.Recipe) ? Recipe.Load(run.Directory.Recipe).Data : new RecipeData();
        int size = Math.Min(data.TokensPerSample, BatchTokens);
        foreach (string[] block in OfLines(Sources(run), BlockLines))
        {
            var blocks = TokenBlocks.Encode(block, run.Target, data.SampleBreakMode, size, maxLength: MaxLength, name: Input, cancellation: cancellation);
            var report = new LoadReport(Input, block.Length, blocks.Count, 0, 0, MaxLength, 0, 0, 0, blocks.Unknown);
            Report = Report?.Plus(report) ?? report;
            yield return blocks;
        }
    }

    private static IEnumerable<T[]> InBlocks<T>(IEnumerable<T> items, int size, Func<T, int> length)
    {
        var block = new List<T>();
        long characters = 0;
        foreach (var item in items)
        {
            if (block.Count == size || (block.Count > 0 && characters + length(item) > BlockCharacters))
            {
                yield return [.. block];
                block.Clear();
                characters = 0;
            }

            block.Add(item);
            characters += length(item);
        }

        if (block.Count > 0)
            yield return [.. block];
    }

    private IEnumerable<T> Cut<T>(IEnumerable<T> lines) => Lines is { } most ? lines.Take((int)Math.Min(most, int.MaxValue)) : lines;

    private static IEnumerable<TestTranslation> Tested(AnalysisRun run, string options) => File.Exists(run.Directory.Translations)
        ? TestTranslation.Read(run.Directory.Translations)
        : throw new InvalidDataException($"analyze: {options} must be given, the run in {run.Folder} was not tested on pairs.");
}
