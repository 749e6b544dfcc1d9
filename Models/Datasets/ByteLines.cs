namespace CudaSeq.Models;

/// <summary>How a line ends.</summary>
internal enum LineEnd
{
    /// <summary>With the file.</summary>
    None,

    /// <summary>LF.</summary>
    Feed,

    /// <summary>CR LF.</summary>
    CarriageReturnFeed,
}

/// <summary>A file as lines of bytes, cut as <see cref="TextFile"/> cuts them, each with its place; whether they are text is not asked. Holds one line at a time.</summary>
internal sealed class ByteLines : IDisposable
{
    private const int FirstBufferBytes = 1 << 16;
    private const int LongestLineBytes = 1 << 26;

    private readonly FileStream _stream;
    private readonly string _name;
    private byte[] _buffer = new byte[FirstBufferBytes];
    private int _start;
    private int _length;
    private int _next;
    private int _end;
    private bool _atEnd;

    /// <summary>Opens a file.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public ByteLines(string path)
    {
        if (!File.Exists(path))
            throw TextFile.NotThere(path);
        _name = path;
        _stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
    }

    /// <summary>The line without its end.</summary>
    public ReadOnlySpan<byte> Line => _buffer.AsSpan(_start, _length);

    /// <summary>The line's number, from 1.</summary>
    public long Number { get; private set; }

    /// <summary>Where in the file the line begins, from 0; after the last line, the file's size.</summary>
    public long Offset { get; private set; }

    /// <summary>How the line ends.</summary>
    public LineEnd End { get; private set; }

    /// <summary>Goes to the next line.</summary>
    /// <returns>Whether there is one.</returns>
    /// <exception cref="InvalidDataException">It is longer than 64 MiB.</exception>
    public bool Next()
    {
        Offset += _next - _start;
        _start = _next;
        int scanned = _start;
        while (true)
        {
            int feed = _buffer.AsSpan(scanned, _end - scanned).IndexOf((byte)'\n');
            if (feed >= 0)
            {
                int stop = scanned + feed;
                End = stop > _start && _buffer[stop - 1] == '\r' ? LineEnd.CarriageReturnFeed : LineEnd.Feed;
                _length = stop - _start - (End == LineEnd.CarriageReturnFeed ? 1 : 0);
                _next = stop + 1;
                Number++;
                return true;
            }

            scanned = _end;
            if (_atEnd)
            {
                _length = _end - _start;
                _next = _end;
                End = LineEnd.None;
                if (_length == 0)
                    return false;
                Number++;
                return true;
            }

            scanned -= Fill();
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _stream.Dispose();

    // Reads behind what is there; gives how far what is there moved to the buffer's beginning.
    private int Fill()
    {
        int moved = _start;
        if (moved > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= moved;
            _start = 0;
        }

        if (_end == _buffer.Length)
        {
            if (_end >= LongestLineBytes)
                throw new InvalidDataException($"{_name}: line {Number + 1} must not be longer than 64 MiB.");
            Array.Resize(ref _buffer, 2 * _end);
        }

        int read = _stream.Read(_buffer, _end, _buffer.Length - _end);
        _end += read;
        _atEnd = read == 0;
        return moved;
    }
}
