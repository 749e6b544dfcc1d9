using System.IO.Pipes;
using Microsoft.Win32.SafeHandles;

namespace CudaSeq.Cli;

/// <summary>
/// Standard output where it is a pipe. A reader that goes away is no failure of this process: what is still written is dropped, and
/// <see cref="ReaderLeft"/> says so, which the console's own stream does not.
/// </summary>
/// <param name="pipe">Where the bytes go.</param>
internal sealed class OutputPipe(Stream pipe) : Stream
{
    private const int StandardOutput = 1;

    /// <summary>Whether nobody reads any more.</summary>
    public bool ReaderLeft { get; private set; }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>The standard output of this process; null where it is no pipe, or the system has no number for it.</summary>
    public static OutputPipe? OfProcess()
    {
        if (OperatingSystem.IsWindows() || !Console.IsOutputRedirected)
            return null;
        try
        {
            return new OutputPipe(new AnonymousPipeClientStream(PipeDirection.Out, new SafePipeHandle(StandardOutput, ownsHandle: false)));
        }
        catch (Exception e) when (e is IOException or ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (ReaderLeft)
            return;
        try
        {
            pipe.Write(buffer);
        }
        catch (IOException)
        {
            ReaderLeft = true;
        }
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
