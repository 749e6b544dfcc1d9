using System.Runtime.InteropServices;

namespace CudaSeq.Models;

/// <summary>
/// Writes a corpus file pair by pair, or line by line of a text, in memory that does not grow: the ids go where they will stay, the entries to a second temporary file that is appended at the end.
/// Both have names of their own, so that several writers of one file do not meet. Unless it was published, nothing is left.
/// </summary>
internal sealed class CorpusFileWriter : ICorpusSink, ITextSink, IDisposable
{
    private const int BufferedIds = 1 << 16;
    private const int BufferedEntries = 1 << 12;
    private const string Temporary = ".tmp";

    // Between a file's creation and its lock there is a moment.
    private static readonly TimeSpan Young = TimeSpan.FromMinutes(1);

    private readonly FileStream _file;
    private readonly FileStream _entriesFile;
    private readonly int[] _ids = new int[BufferedIds];
    private readonly CorpusFileEntry[] _entries = new CorpusFileEntry[BufferedEntries];
    private int _idCount;
    private int _entryCount;
    private long _end;
    private uint _idsChecksum;
    private uint _entriesChecksum;
    private bool _published;

    /// <param name="path">What the file will be called; its folder must exist.</param>
    public CorpusFileWriter(string path)
    {
        Sweep(path);
        TemporaryPath = $"{path}.{Guid.NewGuid():N}{Temporary}";
        _file = Create(TemporaryPath, FileOptions.None);
        try
        {
            _entriesFile = Create($"{TemporaryPath[..^Temporary.Length]}.entries{Temporary}", FileOptions.DeleteOnClose);
            _file.Write(new byte[CorpusFile.HeadBytes]);
        }
        catch
        {
            _entriesFile?.Dispose();
            _file.Dispose();
            File.Delete(TemporaryPath);
            throw;
        }
    }

    /// <summary>What the file is called until it is published.</summary>
    public string TemporaryPath { get; }

    public void Add(ReadOnlySpan<int> source, ReadOnlySpan<int> target, int line)
    {
        AppendLine(source);
        AppendLine(target);
        Append(new CorpusFileEntry(_end, source.Length + 1, line));
    }

    public void Add(ReadOnlySpan<int> ids, int line)
    {
        AppendLine(ids);
        Append(new CorpusFileEntry(_end, 0, line));
    }

    /// <summary>Writes the entries and the head; the file is then whole and on disk.</summary>
    /// <param name="head">Given the checksums, makes the head.</param>
    public void Finish(Func<uint, uint, CorpusFile> head)
    {
        FlushIds();
        FlushEntries();
        _file.Write(new byte[CorpusFile.EntriesStart(_end) - _file.Position]);
        _entriesFile.Position = 0;
        _entriesFile.CopyTo(_file);
        _file.Position = 0;
        _file.Write(head(_idsChecksum, _entriesChecksum).Write());
        _file.Flush(flushToDisk: true);
    }

    /// <summary>Gives the finished file its name.</summary>
    public void Publish(string path)
    {
        File.Move(TemporaryPath, path, overwrite: true);
        _published = true;
    }

    public void Dispose()
    {
        _entriesFile.Dispose();
        _file.Dispose();
        if (!_published)
            File.Delete(TemporaryPath);
    }

    // What killed runs left. A file that is being written is locked until it is published.
    private static void Sweep(string path)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        foreach (string left in Directory.EnumerateFiles(folder, $"{Path.GetFileName(path)}.*{Temporary}"))
        {
            try
            {
                if (DateTime.UtcNow - File.GetLastWriteTimeUtc(left) > Young)
                    new FileStream(left, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose).Dispose();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
            }
        }
    }

    private static FileStream Create(string path, FileOptions options)
        => new(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete, bufferSize: 0, options);

    private void Append(CorpusFileEntry entry)
    {
        if (_entryCount == BufferedEntries)
            FlushEntries();
        _entries[_entryCount++] = entry;
    }

    private void AppendLine(ReadOnlySpan<int> ids)
    {
        Append(ids);
        Append([Vocabulary.Eos]);
        _end += ids.Length + 1L;
    }

    private void Append(ReadOnlySpan<int> ids)
    {
        while (!ids.IsEmpty)
        {
            if (_idCount == BufferedIds)
                FlushIds();
            var part = ids[..Math.Min(ids.Length, BufferedIds - _idCount)];
            part.CopyTo(_ids.AsSpan(_idCount));
            _idCount += part.Length;
            ids = ids[part.Length..];
        }
    }

    private void FlushIds()
    {
        _idsChecksum = Flush(_file, MemoryMarshal.AsBytes(_ids.AsSpan(0, _idCount)), _idsChecksum);
        _idCount = 0;
    }

    private void FlushEntries()
    {
        _entriesChecksum = Flush(_entriesFile, MemoryMarshal.AsBytes(_entries.AsSpan(0, _entryCount)), _entriesChecksum);
        _entryCount = 0;
    }

    private static uint Flush(FileStream file, ReadOnlySpan<byte> bytes, uint checksum)
    {
        file.Write(bytes);
        return CorpusFile.Checksum(checksum, bytes);
    }
}
