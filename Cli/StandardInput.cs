namespace CudaSeq.Cli;

/// <summary>The standard input of this process.</summary>
internal static class StandardInput
{
    private const string Descriptors = "/proc/self/fd";

    // Of the flags that open gives, see fcntl(2).
    private const int AccessMode = 3;
    private const int WriteOnly = 1;

    /// <summary>What is read from; where nothing could ever be read, a stream that says so.</summary>
    public static Stream Open() => OperatingSystem.IsLinux() && IsOwnPipe() ? new Closed() : Console.OpenStandardInput();

    // Where a shell has closed it (<&-), the runtime's first pipe has its number. Who holds the other end himself waits for ever.
    private static bool IsOwnPipe()
    {
        try
        {
            return new FileInfo($"{Descriptors}/0").LinkTarget is { } pipe && pipe.StartsWith("pipe:", StringComparison.Ordinal)
                && Directory.EnumerateFileSystemEntries(Descriptors).Any(other => new FileInfo(other).LinkTarget == pipe && IsWritten(Path.GetFileName(other)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A descriptor has gone meanwhile, or /proc is not to be read: then it is taken for what it usually is.
            return false;
        }
    }

    // A line is "flags:" and octal digits.
    private static bool IsWritten(string descriptor)
        => File.ReadLines($"/proc/self/fdinfo/{descriptor}").FirstOrDefault(l => l.StartsWith("flags:", StringComparison.Ordinal)) is { } line
            && (Convert.ToInt32(line["flags:".Length..].Trim(), 8) & AccessMode) == WriteOnly;

    private sealed class Closed : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new IOException("standard input is closed; a file is named with --input.");

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
