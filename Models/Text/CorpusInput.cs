namespace CudaSeq.Models;

/// <summary>A text file and what turns it into ids.</summary>
/// <param name="Path">The file.</param>
/// <param name="Codec">Text to ids.</param>
internal sealed record CorpusSide(string Path, TextCodec Codec);

/// <summary>What a corpus file is made of, and what it is known again by.</summary>
internal sealed class CorpusInput
{
    private readonly CorpusSide? _source;
    private readonly CorpusSide _target;
    private readonly int _maxLength;
    private readonly byte[] _codecs;

    /// <param name="source">The source sentences of pairs; null for a text.</param>
    /// <param name="target">The target sentences, or the text.</param>
    /// <param name="maxLength">The most pieces of a line, its end not counted.</param>
    /// <exception cref="FileNotFoundException">There is no such text.</exception>
    /// <exception cref="ArgumentException">A tokeniser is one that cannot be recognised again.</exception>
    public CorpusInput(CorpusSide? source, CorpusSide target, int maxLength)
    {
        (_source, _target, _maxLength) = (source, target, maxLength);
        foreach (var side in Sides)
        {
            if (!File.Exists(side.Path))
                throw TextFile.NotThere(side.Path);
        }

        _codecs = TextFingerprint.Of(Sides.Select(s => s.Codec));
    }

    private IEnumerable<CorpusSide> Sides => _source is null ? [_target] : [_source, _target];

    private (int Source, int Target) Vocabularies => (_source?.Codec.Vocabulary.Count ?? 0, _target.Codec.Vocabulary.Count);

    /// <summary>Why a file was made of something else, every byte of the texts looked at; empty where it was not. Completes "FILE ...".</summary>
    public string Misfit(CorpusFile head, CancellationToken cancellation)
    {
        if (head.IsText != _source is null)
            return head.IsText ? "was made of one text, not of pairs" : "was made of pairs, not of one text";
        if (!head.Codecs.AsSpan().SequenceEqual(_codecs) || (head.SourceVocabulary, head.TargetVocabulary) != Vocabularies)
            return "was made with another tokeniser or vocabulary";
        if (head.Report.MaxLength != _maxLength)
        {
            return _source is null
                ? $"was made for lines of {Longest(head.Report.MaxLength)}, not of {Longest(_maxLength)}"
                : $"was made for at most {head.Report.MaxLength} pieces on a side, not {_maxLength}";
        }

        var other = Sides.Zip(head.Texts).FirstOrDefault(s => !s.Second.Fits(s.First.Path, cancellation)).First;
        return other is null ? "" : $"was made of another text than {other.Path}";

        static string Longest(int pieces) => pieces == int.MaxValue ? "any length" : $"at most {pieces} pieces";
    }

    /// <summary>Turns the texts into ids and finishes the file. Memory does not grow with them.</summary>
    /// <exception cref="InvalidDataException">A line is not valid UTF-8, or the texts have not the same number of lines.</exception>
    public void Write(CorpusFileWriter writer, CancellationToken cancellation)
    {
        using var sourceText = _source is null ? null : new HashingStream(TextFile.Open(_source.Path));
        using var targetText = new HashingStream(TextFile.Open(_target.Path));
        var lines = TextFile.ReadLines(targetText, _target.Path);
        TextMeasures? measures = null;
        LoadReport report;
        if (_source is null || sourceText is null)
        {
            (report, measures) = CorpusEncoder.Run(lines, _target.Codec, _maxLength, _target.Path, writer, cancellation);
        }
        else
        {
            var pairs = ParallelCorpus.Zip(TextFile.ReadLines(sourceText, _source.Path), lines, _source.Path, _target.Path);
            report = CorpusEncoder.Run(pairs, _source.Codec, _target.Codec, _maxLength, _source.Path, writer, cancellation);
        }

        writer.Finish((ids, entries) => new CorpusFile
        {
            Report = report,
            Measures = measures,
            SourceVocabulary = Vocabularies.Source,
            TargetVocabulary = Vocabularies.Target,
            IdsChecksum = ids,
            EntriesChecksum = entries,
            Texts = sourceText is null ? [targetText.Fingerprint()] : [sourceText.Fingerprint(), targetText.Fingerprint()],
            Codecs = _codecs,
        });
    }
}
