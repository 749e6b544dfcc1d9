namespace CudaSeq.Models;

/// <summary>The sentences of an analysis in ids, to be read again and again in any order: in a file that is mapped into memory and deleted afterwards, so that no text is too long.</summary>
internal sealed class FeedForwardText : IDisposable
{
    private FeedForwardText(ISamples samples, string folder) => (Samples, Folder) = (samples, folder);

    /// <summary>Lines, or pairs.</summary>
    public ISamples Samples { get; }

    /// <summary>Where the mapped file is.</summary>
    public string Folder { get; }

    /// <summary>The longest prefix that a model knows the positions of: as long as the blocks it was trained on. Models of single lines know as many as their lines have.</summary>
    public static int LongestPrefix(AnalysisRun run)
    {
        if (!run.Config.IsLanguageModel || !File.Exists(run.Directory.Recipe))
            return int.MaxValue;
        var data = Recipe.Load(run.Directory.Recipe).Data;
        return data.SampleBreakMode == SampleBreak.Eos ? int.MaxValue : Math.Max(1, data.TokensPerSample - 1);
    }

    /// <summary>Reads what an analysis is given: a file, the beginning of one, or the pairs that a run was tested with.</summary>
    /// <exception cref="IOException">A file is missing, or the mapped one cannot be written.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, or there is no text.</exception>
    public static FeedForwardText Open(AnalysisRun run, AnalysisText text, CancellationToken cancellation)
    {
        if (run.Config.IsLanguageModel && text.Input is null)
            throw new InvalidDataException("analyze: --input FILE must be given for a language model.");
        string folder = Directory.CreateTempSubdirectory("cudaseq-").FullName;
        FeedForwardText opened;
        try
        {
            opened = new FeedForwardText(Mapped(Path.Combine(folder, "text.corpus"), run, text, cancellation), folder);
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }

        text.Report = opened.Samples switch
        {
            Corpus corpus => corpus.Report,
            TokenBlocks lines => new LoadReport(lines.Name, lines.Count + lines.TooLong, lines.Count, 0, lines.TooLong, text.MaxLength, 0, 0, 0, lines.Unknown),
            _ => null,
        };
        if (opened.Samples.Count > 0)
            return opened;
        opened.Dispose();
        throw text.Nothing(run.Config.IsLanguageModel ? "line" : "pair without an empty side");
    }

    /// <summary>Deletes the file.</summary>
    public void Dispose()
    {
        Samples.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private static ISamples Mapped(string path, AnalysisRun run, AnalysisText text, CancellationToken cancellation) => run.Config.IsLanguageModel
        ? CorpusCache.WriteLines(path, text.Sources(run), run.Target, text.MaxLength, text.Input!, cancellation)
        : CorpusCache.Write(path, text.Pairs(run), run.Source, run.Target, text.MaxLength, text.Input ?? run.Folder, cancellation);
}
