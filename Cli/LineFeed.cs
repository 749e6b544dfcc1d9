using System.Collections.Concurrent;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary>
/// Groups incoming lines into blocks to translate together: a block is full, or nothing more arrived for a moment, so a file is translated in
/// large blocks and somebody who writes one line and waits gets an answer.
/// </summary>
internal sealed class LineFeed : IDisposable
{
    /// <summary>The usual size of a block.</summary>
    public const int BlockLines = 1000;

    private const int PatienceMilliseconds = 50;

    private readonly BlockingCollection<string> _lines = new(4 * BlockLines);
    private readonly CancellationTokenSource _closed = new();
    private readonly Thread _reader;
    private readonly int _blockLines;
    private Exception? _failure;

    /// <summary>Starts reading.</summary>
    /// <param name="stream">UTF-8 text.</param>
    /// <param name="name">What errors call it.</param>
    /// <param name="blockLines">The most lines of a block; with 1 nothing is waited for.</param>
    public LineFeed(Stream stream, string name, int blockLines = BlockLines)
    {
        _blockLines = blockLines;
        // A thread, not a task: a read from a terminal cannot be cancelled and must not keep the process alive.
        _reader = new Thread(() => Read(stream, name)) { IsBackground = true, Name = "CudaSeq input" };
        _reader.Start();
    }

    /// <summary>The next block of lines; empty at the end.</summary>
    /// <exception cref="InvalidDataException">The text is not UTF-8; the lines before it were given out first.</exception>
    public List<string> Next(CancellationToken cancellation)
    {
        var block = new List<string>();
        if (!_lines.TryTake(out string? line, Timeout.Infinite, cancellation))
            return _failure is null ? block : throw _failure;
        do
            block.Add(line);
        while (block.Count < _blockLines && _lines.TryTake(out line, PatienceMilliseconds, cancellation));
        return block;
    }

    /// <summary>Stops reading.</summary>
    public void Dispose() => _closed.Cancel();

    private void Read(Stream stream, string name)
    {
        try
        {
            foreach (string line in TextFile.ReadLines(stream, name))
                _lines.Add(line, _closed.Token);
        }
        catch (Exception e)
        {
            _failure = e;
        }

        _lines.CompleteAdding();
    }
}
