using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace CudaSeq.Models;

/// <summary>
/// A corpus file mapped into memory: the system reads and drops its pages as they are needed, and of the process's own memory it takes none. A file is given away only when
/// all of it was found right, and one that is written never changes: it is replaced. In a file of a text a line is a pair without a source.
/// </summary>
internal sealed unsafe class MappedCorpus : CorpusStore, ITextStore
{
    // Entries looked at before it is asked whether to go on.
    private const int Stride = 1 << 14;

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _base;
    private readonly int _count;
    private CorpusFileEntry* _entries;

    private MappedCorpus(FileStream stream, CorpusFile head)
    {
        Head = head;
        _file = MemoryMappedFile.CreateFromFile(stream, mapName: null, capacity: 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        _view = _file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);

        // Never given back but by Dispose: a corpus that is forgotten keeps its addresses, so that a view of it is never a view of nothing.
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _base);
        _base += _view.PointerOffset;
        _entries = (CorpusFileEntry*)(_base + head.EntriesAt);
        _count = (int)head.Report.Kept;
    }

    /// <summary>What the file says of itself.</summary>
    public CorpusFile Head { get; }

    public override int Count => _count;

    public int Lines => _count;

    public long Tokens => Head.Ids;

    /// <summary>Maps a file whose head is right and fits its length; the rest is not looked at before <see cref="Damage"/>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="why">Where it cannot be mapped: completes "FILE ...".</param>
    /// <returns>Null where it cannot be mapped.</returns>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="PlatformNotSupportedException">The machine is big-endian.</exception>
    public static MappedCorpus? Open(string path, out string why)
    {
        if (!BitConverter.IsLittleEndian)
            throw new PlatformNotSupportedException("CorpusCache: corpus files are little-endian and read as they are, this machine is big-endian.");
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        try
        {
            byte[] head = new byte[CorpusFile.HeadBytes];
            int read = stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
            if (CorpusFile.Read(head.AsSpan(0, read), stream.Length, out why) is { } good)
                return new MappedCorpus(stream, good);
        }
        catch
        {
            stream.Dispose();
            throw;
        }

        stream.Dispose();
        return null;
    }

    /// <summary>What is wrong with the file behind its head, every byte looked at; null where nothing is. Completes "FILE ...".</summary>
    public string? Damage(CancellationToken cancellation)
    {
        uint entries = 0;
        for (long i = 0; i < _count; i += Stride)
        {
            cancellation.ThrowIfCancellationRequested();

            // In parts: the bytes of all entries may be more than a span can have.
            entries = CorpusFile.Checksum(entries, MemoryMarshal.AsBytes(new ReadOnlySpan<CorpusFileEntry>(_entries + i, (int)Math.Min(Stride, _count - i))));
        }

        if (entries != Head.EntriesChecksum)
            return "is damaged: the checksum of its entries is wrong";
        long start = 0, sourceIds = 0, sourceUnknown = 0, targetUnknown = 0;
        int line = 0;
        uint checksum = 0;
        for (int i = 0; i < Count; i++)
        {
            if (i % Stride == 0)
                cancellation.ThrowIfCancellationRequested();
            var entry = Entry(i);
            long length = entry.End - start;
            if (entry.End > Head.Ids || length is < 1 or > int.MaxValue || (entry.Source == 0) != Head.IsText || entry.Source < 0 || entry.Source >= length
                || entry.Line <= line || entry.Line > Head.Report.Lines)
            {
                return $"is damaged: the entry of {Head.Unit} {i + 1} is impossible";
            }

            var pair = Ids(start, (int)length);
            var source = pair[..entry.Source];
            var target = pair[entry.Source..];
            if (source.ContainsAnyExceptInRange(0, Head.SourceVocabulary - 1) || target.ContainsAnyExceptInRange(0, Head.TargetVocabulary - 1))
                return $"is damaged: {Head.Unit} {i + 1} has an id beyond the vocabulary";
            if (source is [.., not Vocabulary.Eos] || target[^1] != Vocabulary.Eos)
                return $"is damaged: {(Head.IsText ? "" : "a side of ")}{Head.Unit} {i + 1} does not end in {Vocabulary.Eos} (</s>)";
            sourceUnknown += source.Count(Vocabulary.Unk);
            targetUnknown += target.Count(Vocabulary.Unk);
            checksum = CorpusFile.Checksum(checksum, pair);
            (start, line) = (entry.End, entry.Line);
            sourceIds += entry.Source;
        }

        long end = CorpusFile.HeadBytes + (Head.Ids * sizeof(int));
        if (checksum != Head.IdsChecksum || new ReadOnlySpan<byte>(_base + end, (int)(Head.EntriesAt - end)).ContainsAnyExcept((byte)0))
            return "is damaged: the checksum of its ids is wrong";
        var report = Head.Report;
        return (start, sourceIds, sourceUnknown, targetUnknown) == (Head.Ids, report.SourceTokens, report.SourceUnknown, report.TargetUnknown)
            ? null
            : $"is damaged: its counts are not those of its {Head.Unit}s";
    }

    public override ReadOnlySpan<int> Source(int index) => Ids(StartOf(index), Entry(index).Source);

    public override ReadOnlySpan<int> Target(int index)
    {
        ref readonly var entry = ref Entry(index);
        long start = StartOf(index) + entry.Source;
        return Ids(start, (int)(entry.End - start));
    }

    public override (int Source, int Target) Lengths(int index)
    {
        ref readonly var entry = ref Entry(index);
        return (entry.Source, (int)(entry.End - StartOf(index) - entry.Source));
    }

    public override int LineOf(int index) => Entry(index).Line;

    public long EndOf(int line) => Entry(line).End;

    public ReadOnlySpan<int> Ids(long start, int count)
        => _entries != null ? new ReadOnlySpan<int>(_base + CorpusFile.HeadBytes + (start * sizeof(int)), count) : throw Disposed();

    public override void Dispose()
    {
        if (_entries == null)
            return;
        _entries = null;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }

    private static ObjectDisposedException Disposed() => new(null, "Corpus: its file is no longer mapped, it was disposed.");

    private ref readonly CorpusFileEntry Entry(int index)
    {
        var entries = _entries;
        if (entries == null)
            throw Disposed();
        return ref entries[index];
    }

    private long StartOf(int index) => index == 0 ? 0 : Entry(index - 1).End;
}
