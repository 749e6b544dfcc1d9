using System.Globalization;

namespace CudaSeq.Models;

/// <summary>
/// Parallel text in ids in a file that is mapped into memory, so that a corpus of any size takes no more memory than is free, and text is turned into ids once. <c>docs/corpora.md</c> has the
/// layout of the file.
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
        foreach (string text in (string[])[sourcePath, targetPath])
        {
            if (!File.Exists(text))
                throw TextFile.NotThere(text);
        }

        byte[] codecs = TextFingerprint.Of(source, target);
        string how = "made before", why = "";
        var corpus = File.Exists(path)
            ? Fitting(path, sourcePath, targetPath, codecs, (source.Vocabulary.Count, target.Vocabulary.Count), maxLength, out why, cancellation)
            : null;
        if (corpus is null)
        {
            how = why.Length > 0 ? $"made anew: what was there {why}" : "made";
            corpus = Make(path, sourcePath, targetPath, source, target, codecs, maxLength, cancellation);
        }

        status?.Report(string.Create(CultureInfo.InvariantCulture, $"{path}: {corpus.Count:N0} pairs in ids, {how}"));
        return new Corpus(corpus, corpus.Head.Report with { Name = sourcePath });
    }

    private static MappedCorpus? Fitting(
        string path, string sourcePath, string targetPath, byte[] codecs, (int Source, int Target) vocabularies, int maxLength, out string why, CancellationToken cancellation)
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
            var head = corpus.Head;
            why = !head.Codecs.AsSpan().SequenceEqual(codecs) || (head.SourceVocabulary, head.TargetVocabulary) != vocabularies ? "was made with another tokeniser or vocabulary"
                : head.Report.MaxLength != maxLength ? $"was made for at most {head.Report.MaxLength} pieces on a side, not {maxLength}"
                : !head.SourceText.Fits(sourcePath, cancellation) ? $"was made of another text than {sourcePath}"
                : !head.TargetText.Fits(targetPath, cancellation) ? $"was made of another text than {targetPath}"
                : corpus.Damage(cancellation) ?? "";
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
    private static MappedCorpus Make(
        string path, string sourcePath, string targetPath, TextCodec source, TextCodec target, byte[] codecs, int maxLength, CancellationToken cancellation)
    {
        MappedCorpus? corpus = null;
        using var writer = new CorpusFileWriter(path);
        using (var sourceText = new HashingStream(TextFile.Open(sourcePath)))
        using (var targetText = new HashingStream(TextFile.Open(targetPath)))
        {
            var lines = ParallelCorpus.Zip(TextFile.ReadLines(sourceText, sourcePath), TextFile.ReadLines(targetText, targetPath), sourcePath, targetPath);
            var report = CorpusEncoder.Run(lines, source, target, maxLength, sourcePath, writer, cancellation);
            writer.Finish((ids, entries) => new CorpusFile
            {
                Report = report,
                SourceVocabulary = source.Vocabulary.Count,
                TargetVocabulary = target.Vocabulary.Count,
                IdsChecksum = ids,
                EntriesChecksum = entries,
                SourceText = sourceText.Fingerprint(),
                TargetText = targetText.Fingerprint(),
                Codecs = codecs,
            });
        }

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
