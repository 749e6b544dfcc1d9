using System.Diagnostics;
using System.Globalization;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary>Shows a download: on a screen one line that is rewritten, with a line that stays for each file; elsewhere that line alone.</summary>
/// <param name="terminal">Where.</param>
internal sealed class DownloadDisplay(Terminal terminal) : IProgress<DownloadProgress>
{
    private const string ClearLine = "\r\e[K";

    // A block of bytes may take microseconds; nobody reads so fast.
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private readonly Stopwatch _clock = new();
    private string _name = "";
    private long _start;
    private TimeSpan _last;
    private bool _open;

    /// <summary>Shows where the download stands.</summary>
    public void Report(DownloadProgress value)
    {
        lock (_lock)
        {
            switch (value.Stage)
            {
                case DownloadStage.Receiving:
                    Receive(value);
                    break;
                case DownloadStage.Waiting:
                    Stay(string.Create(CultureInfo.InvariantCulture, $"{value.Name}: {value.Reason}; again in {value.Pause.TotalSeconds:0.#} s"));
                    break;
                case DownloadStage.Refetching:
                    Stay($"{value.Name}: {value.Reason}; fetching it once more");
                    break;
                case DownloadStage.Done:
                    Stay($"{value.Name}  {DataVerb.Size(value.Bytes)}");
                    break;
            }
        }
    }

    /// <summary>Ends the line under way, so that what follows starts on its own; it stays on the screen.</summary>
    public void Finish()
    {
        lock (_lock)
        {
            if (_open)
                terminal.Out.WriteLine();
            terminal.Out.Flush();
            _open = false;
        }
    }

    private void Receive(DownloadProgress value)
    {
        if (!terminal.IsLive)
            return;
        if (_name != value.Name || value.Bytes < _start)
        {
            (_name, _start, _last) = (value.Name, value.Bytes, TimeSpan.Zero);
            _clock.Restart();
        }
        else if (_clock.Elapsed - _last < Interval && value.Bytes != value.Total)
        {
            return;
        }

        _last = _clock.Elapsed;
        terminal.Out.Write(ClearLine + Line(value, terminal.Width - 1));
        terminal.Out.Flush();
        _open = true;
    }

    private void Stay(string line)
    {
        terminal.Out.WriteLine(_open ? ClearLine + line : line);
        terminal.Out.Flush();
        _open = false;
    }

    // A rewritten line must not reach the edge, or the next rewriting starts a row too low: the less important goes first.
    private string Line(DownloadProgress value, int width)
    {
        double seconds = _clock.Elapsed.TotalSeconds, rate = seconds > 0.2 ? (value.Bytes - _start) / seconds : 0;
        string size = value.Total is { } total
            ? string.Create(CultureInfo.InvariantCulture, $"{DataVerb.Size(value.Bytes)} of {DataVerb.Size(total)}  {(total == 0 ? 100 : 100 * value.Bytes / total)} %")
            : DataVerb.Size(value.Bytes);
        string speed = rate > 0 ? $"  {DataVerb.Size((long)rate)}/s" : "";
        string left = rate > 0 && value.Total is { } whole ? $"  left {Clock(TimeSpan.FromSeconds(Math.Min(1e6, (whole - value.Bytes) / rate)))}" : "";
        string[] lines = [$"{value.Name}  {size}{speed}{left}", $"{value.Name}  {size}{speed}", $"{value.Name}  {size}", $"{size}{speed}"];
        string line = Array.Find(lines, l => l.Length <= width) ?? size;
        return line.Length <= width ? line : line[..width];
    }

    private static string Clock(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}")
        : string.Create(CultureInfo.InvariantCulture, $"{time.Minutes}:{time.Seconds:00}");
}
