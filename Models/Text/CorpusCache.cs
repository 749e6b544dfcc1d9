using System.Globalization;

namespace CudaSeq.Models;

/// <summary>
/// Text in ids, of pairs or of a language model, in a file that is mapped into memory, so that a corpus of any size takes no more memory than is free, and text is turned into ids once.
/// <c>docs/corpora.md</c> has the layout of the file.
/// </summary>
public static class CorpusCache
{
    /// <summary>
    /// Reads two parallel files and turns them into ids, as <see cref="Corpus.Load"/>, in a file. A file that is there is taken when it was made of the same bytes of text
    /// with the same tokenisers, vocabularies and <paramref name="maxLength"/> and every byte of it is found right; any other corpus file is made anew. Memory does not grow
    /// with the text.
    /// </summary>
    /// <param name="path">The file; its folder must exist. A new one is written beside it under another name, flushed and renamed.</param>
    /// <param name="sourcePath">The file of source sentences; it gives the corpus its name.</param>
    /// <param name="targetPath">The file of target sentences.</param>
    /// <param name="source">Turns source lines into ids; its tokeniser is one that <see cref="TokenizerFile"/> writes.</param>
    /// <param name="target">Turns target lines into ids; the same holds for it.</param>
    /// <param name="maxLength">The most pieces on a side, the end of the sentence not counted.</param>
    /// <param name="status">Says in a line whether the file was taken or made, and why.</param>
    /// <param name="cancellation">Stops the work; no half file is left.</param>
    /// <returns>The same pairs in the same order as <see cref="Corpus.Load"/> gives; to be disposed.</returns>
    /// <exception cref="FileNotFoundException">There is no such text.</exception>
    /// <exception cref="InvalidDataException">
    /// A line is not valid UTF-8, the texts have not the same number of lines, or <paramref name="path"/> is a file that is no corpus, which is not overwritten.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxLength"/> is less than 1.</exception>
    /// <exception cref="ArgumentException">A tokeniser is one that cannot be recognised again.</exception>
    /// <exception cref="PlatformNotSupportedException">The machine is big-endian.</exception>
    public static Corpus Load(
        string path,
        string sourcePath,
        string targetPath,
        TextCodec source,
        TextCodec target,
        int maxLength = int.MaxValue,
        IProgress<string>? status = null,
        CancellationToken cancellation = default)
    {
        var corpus = Open(path, new CorpusInput(new CorpusSide(sourcePath, source), new CorpusSide(targetPath, target), maxLength), status, cancellation);
        return new Corpus(corpus, corpus.Head.Report with { Name = sourcePath });
    }

    /// <summary>
    /// Reads a text and turns it into ids, as <see cref="TokenBlocks.Load"/>, in a file that is taken or made anew as one of pairs is (<see cref="Load"/>). How the text is cut
    /// into blocks is not in it: any block size reads the same file, and so does every break mode unless long lines are left out.
    /// </summary>
    /// <param name="path">The file; its folder must exist. A new one is written beside it under another name, flushed and renamed.</param>
    /// <param name="textPath">The text; it gives the blocks their name.</param>
    /// <param name="codec">Turns a line into ids; its tokeniser is one that <see cref="TokenizerFile"/> writes.</param>
    /// <param name="breaks">Where samples end.</param>
    /// <param name="tokensPerSample">Tokens of a block, at least 1; nothing with <see cref="SampleBreak.Eos"/>.</param>
    /// <param name="context">How many of them are read alone, see <see cref="TokenBlocks.Encode"/>.</param>
    /// <param name="maxLength">With <see cref="SampleBreak.Eos"/>, lines with more pieces are left out.</param>
    /// <param name="status">Says in a line whether the file was taken or made, and why.</param>
    /// <param name="cancellation">Stops the work; no half file is left.</param>
    /// <returns>The same blocks in the same order as <see cref="TokenBlocks.Load"/> gives; to be disposed.</returns>
    /// <exception cref="FileNotFoundException">There is no such text.</exception>
    /// <exception cref="InvalidDataException">
    /// A line is not valid UTF-8, there are more blocks than an index can say, or <paramref name="path"/> is a file that is no corpus, which is not overwritten.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">A block would hold no token, or the context is negative or with <see cref="SampleBreak.Eos"/>.</exception>
    /// <exception cref="ArgumentException">The tokeniser is one that cannot be recognised again.</exception>
    /// <exception cref="PlatformNotSupportedException">The machine is big-endian.</exception>
    public static TokenBlocks LoadText(
        string path,
        string textPath,
        TextCodec codec,
        SampleBreak breaks,
        int tokensPerSample,
        int context = 0,
        int maxLength = int.MaxValue,
        IProgress<string>? status = null,
        CancellationToken cancellation = default)
    {
        TokenBlocks.CheckSize(breaks, tokensPerSample, context);
        var text = Open(path, new CorpusInput(source: null, new CorpusSide(textPath, codec), TokenBlocks.LongestLine(breaks, maxLength)), status, cancellation);
        try
        {
            return new TokenBlocks(textPath, text, text.Head.Report, text.Head.Measures!.Value, breaks, tokensPerSample, context);
        }
        catch
        {
            text.Dispose();
            throw;
        }
    }

    /// <summary>Turns pairs into ids in a new file that nothing is known again by, for who reads it now and deletes it afterwards. Memory does not grow with the text.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="pairs">Sources and targets, read once.</param>
    /// <param name="source">Turns source lines into ids.</param>
    /// <param name="target">Turns target lines into ids.</param>
    /// <param name="maxLength">The most pieces on a side, the end of the sentence not counted.</param>
    /// <param name="name">What the corpus is called.</param>
    /// <param name="cancellation">Stops the work; no half file is left.</param>
    /// <returns>The same pairs in the same order as <see cref="Corpus.Encode"/> gives; to be disposed.</returns>
    internal static Corpus Write(
        string path, IEnumerable<(string Source, string Target)> pairs, TextCodec source, TextCodec target, int maxLength, string name, CancellationToken cancellation)
    {
        var corpus = Make(
            path,
            writer =>
            {
                var report = CorpusEncoder.Run(pairs, source, target, maxLength, name, writer, cancellation);
                writer.Finish((ids, entries) => Nameless(report, measures: null, source.Vocabulary.Count, target.Vocabulary.Count, ids, entries));
            },
            cancellation);
        return new Corpus(corpus, corpus.Head.Report with { Name = name });
    }

    /// <summary>The same of a text whose lines are samples (<see cref="SampleBreak.Eos"/>).</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="lines">The text, read once.</param>
    /// <param name="codec">Turns a line into ids.</param>
    /// <param name="maxLength">Lines with more pieces are left out.</param>
    /// <param name="name">What the text is called.</param>
    /// <param name="cancellation">Stops the work; no half file is left.</param>
    /// <returns>The same lines in the same order as <see cref="TokenBlocks.Encode"/> gives; to be disposed.</returns>
    internal static TokenBlocks WriteLines(string path, IEnumerable<string> lines, TextCodec codec, int maxLength, string name, CancellationToken cancellation)
    {
        var text = Make(
            path,
            writer =>
            {
                var (report, measures) = CorpusEncoder.Run(lines, codec, maxLength, name, writer, cancellation);
                writer.Finish((ids, entries) => Nameless(report, measures, sourceVocabulary: 0, codec.Vocabulary.Count, ids, entries));
            },
            cancellation);
        return new TokenBlocks(name, text, text.Head.Report, text.Head.Measures!.Value, SampleBreak.Eos, tokensPerSample: 1, context: 0);
    }

    // The head of a file whose text and tokenisers are not to be recognised.
    private static CorpusFile Nameless(LoadReport report, TextMeasures? measures, int sourceVocabulary, int targetVocabulary, uint ids, uint entries) => new()
    {
        Report = report,
        Measures = measures,
        SourceVocabulary = sourceVocabulary,
        TargetVocabulary = targetVocabulary,
        IdsChecksum = ids,
        EntriesChecksum = entries,
        Texts = [],
        Codecs = [],
    };

    private static MappedCorpus Open(string path, CorpusInput input, IProgress<string>? status, CancellationToken cancellation)
    {
        string how = "made before", why = "";
        var corpus = File.Exists(path) ? Fitting(path, input, out why, cancellation) : null;
        if (corpus is null)
        {
            how = why.Length > 0 ? $"made anew: what was there {why}" : "made";
            corpus = Make(path, writer => input.Write(writer, cancellation), cancellation);
        }

        status?.Report(string.Create(CultureInfo.InvariantCulture, $"{path}: {corpus.Count:N0} {corpus.Head.Unit}s in ids, {how}"));
        return corpus;
    }

    private static MappedCorpus? Fitting(string path, CorpusInput input, out string why, CancellationToken cancellation)
    {
        var corpus = MappedCorpus.Open(path, out why);
        if (corpus is null)
        {
            using var stream = File.OpenRead(path);
            byte[] start = new byte[sizeof(long)];
            return CorpusFile.IsOwn(start.AsSpan(0, stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)))
                ? null
                : throw new InvalidDataException($"{path}: is no corpus of CudaSeq, so it is not overwritten; remove it or name another.");
        }

        try
        {
            why = input.Misfit(corpus.Head, cancellation);
            if (why.Length == 0)
                why = corpus.Damage(cancellation) ?? "";
            if (why.Length == 0)
                return corpus;
        }
        catch
        {
            corpus.Dispose();
            throw;
        }

        corpus.Dispose();
        return null;
    }

    // Mapped and looked at under its temporary name: what then appears under the other is right, whoever else writes there.
    private static MappedCorpus Make(string path, Action<CorpusFileWriter> write, CancellationToken cancellation)
    {
        MappedCorpus? corpus = null;
        using var writer = new CorpusFileWriter(path);
        write(writer);

        try
        {
            corpus = MappedCorpus.Open(writer.TemporaryPath, out string why);
            if ((corpus is null ? why : corpus.Damage(cancellation)) is { } damage)
                throw new InvalidDataException($"{path}: was written and cannot be read again, it {damage}.");
            writer.Publish(path);
            return corpus!;
        }
        catch
        {
            corpus?.Dispose();
            throw;
        }
    }
}
