using Microsoft.Win32.SafeHandles;

namespace CudaSeq.Models;

/// <summary>A file of another program, of which nothing is believed: read at given places, which are checked.</summary>
internal sealed class ForeignFile : IDisposable
{
    /// <summary>What is shown of a text at the most, in UTF-16 units.</summary>
    public const int LongestName = 100;

    private readonly SafeFileHandle _file;

    private ForeignFile(string path, SafeFileHandle file, long length)
    {
        Path = path;
        _file = file;
        Length = length;
    }

    /// <summary>The file, as it was opened.</summary>
    public string Path { get; }

    /// <summary>Bytes when it was opened.</summary>
    public long Length { get; }

    /// <summary>Opens a file.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It has no length, as a pipe.</exception>
    public static ForeignFile Open(string path)
    {
        if (!File.Exists(path))
            throw TextFile.NotThere(path);
        var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        try
        {
            return new ForeignFile(path, file, RandomAccess.GetLength(file));
        }
        catch (NotSupportedException)
        {
            file.Dispose();
            throw new InvalidDataException($"{path}: must be a file with a length.");
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>A text from a file for an error message: on one line, and short.</summary>
    public static string Printable(string text)
    {
        string start = text.Length > LongestName ? $"{text[..LongestName]}..." : text;
        return string.Concat(start.Select(c => char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029' ? '?' : c));
    }

    /// <summary>Fills a buffer from a place within the file.</summary>
    /// <exception cref="InvalidDataException">The file ends before.</exception>
    public void Read(long offset, Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int count = offset < 0 ? 0 : RandomAccess.Read(_file, bytes, offset);
            if (count == 0)
                throw Wrong($"must not end where more is said to be, got its end at byte {Length}");
            bytes = bytes[count..];
            offset += count;
        }
    }

    /// <summary>An error about the file, in one line.</summary>
    /// <param name="what">Completes "FILE: ".</param>
    public InvalidDataException Wrong(string what) => new($"{Path}: {what}{(what.EndsWith('?') ? "" : ".")}");

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();
}
