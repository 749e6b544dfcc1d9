using System.Globalization;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary>
/// Shows a training run: on a screen one line that is rewritten, with a line that stays for each validation; elsewhere plain lines, at most one in
/// <see cref="PlainInterval"/> between validations.
/// </summary>
/// <param name="terminal">Where.</param>
/// <param name="label">Stands before each line; empty for none.</param>
/// <param name="labelWidth">Columns that the label takes.</param>
internal sealed class TrainingDisplay(Terminal terminal, string label = "", int labelWidth = 0) : IProgress<TrainingProgress>, IProgress<string>
{
    /// <summary>Time between two plain lines.</summary>
    public static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(10);

    private const string ClearLine = "\r\e[K";

    private TimeSpan? _lastPlain;
    private TrainingProgress? _pending;

    /// <summary>Shows where training stands.</summary>
    public void Report(TrainingProgress value)
    {
        if (value.Validation is { } scores)
        {
            Finish();
            Stay(Validation(value, scores));
        }
        else if (terminal.IsLive)
        {
            terminal.Out.Write(ClearLine + Fit(value, terminal.Width - 1));
            terminal.Out.Flush();
            _pending = value;
        }
        else if (_lastPlain is not { } last || value.Elapsed - last >= PlainInterval)
        {
            _lastPlain = value.Elapsed;
            Stay(Line(value));
            _pending = null;
        }
        else
        {
            _pending = value;
        }
    }

    /// <summary>Shows a line that stays.</summary>
    public void Report(string value)
    {
        if (terminal.IsLive)
            terminal.Out.Write(ClearLine);
        Stay(value);
    }

    /// <summary>Ends the line under way, so that what follows starts on its own; the last state of training stays on the screen or in the file.</summary>
    public void Finish()
    {
        if (_pending is not { } pending)
            return;
        if (terminal.IsLive)
            terminal.Out.WriteLine();
        else
            Stay(Line(pending));
        terminal.Out.Flush();
        _pending = null;
    }

    private static string Validation(TrainingProgress p, ValidationScores v)
    {
        string bleu = v.Bleu is { } score ? Invariant($"  BLEU {score:f2}") : "";
        return Invariant($"valid  update {p.Update:N0}  epoch {p.Epoch}  loss {v.Loss:f3}  ppl {ReadableNumber.Of(v.Perplexity, "f2")}{bleu}  after {Clock(p.Elapsed)}{(v.IsBest ? "  best so far" : "")}");
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Clock(TimeSpan time) => time.TotalHours >= 1
        ? Invariant($"{(int)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}")
        : Invariant($"{time.Minutes}:{time.Seconds:00}");

    private void Stay(string line)
    {
        terminal.Out.WriteLine(label + line);
        terminal.Out.Flush();
    }

    private static string Line(TrainingProgress p)
    {
        string of = p.MaxUpdates is { } most ? Invariant($"/{most:N0}") : "";
        string left = p.Remaining is { } remaining ? $"  left {Clock(remaining)}" : "";
        return Invariant(
            $"update {p.Update:N0}{of}  epoch {p.Epoch}  loss {p.Loss:f3}  ppl {ReadableNumber.Of(p.Perplexity, "f2")}  lr {p.LearningRate:0.00e+0}  norm {p.GradientNorm:f2}  {p.TokensPerSecond:N0} tokens/s{left}");
    }

    // A rewritten line must not reach the edge, or the next rewriting starts a row too low.
    private string Fit(TrainingProgress p, int width)
    {
        int room = Math.Max(0, width - labelWidth);
        string of = p.MaxUpdates is { } most ? Invariant($"/{most}") : "";
        string clock = p.Remaining is { } remaining ? Clock(remaining) : "", left = clock.Length > 0 ? $"  left {clock}" : "", ppl = ReadableNumber.Of(p.Perplexity, "f2");
        string[] lines =
        [
            Line(p),
            Invariant($"update {p.Update}{of}  loss {p.Loss:f3}  ppl {ppl}  lr {p.LearningRate:0.0e+0}  norm {p.GradientNorm:f2}  {p.TokensPerSecond:f0} tokens/s{left}"),
            Invariant($"update {p.Update}{of}  loss {p.Loss:f3}  ppl {ppl}  lr {p.LearningRate:0.0e+0}  {p.TokensPerSecond:f0} tokens/s{left}"),
            Invariant($"{p.Update}{of} loss {p.Loss:f2} ppl {ReadableNumber.Of(p.Perplexity, "f1")} lr {p.LearningRate:0.0e+0} norm {p.GradientNorm:f1} {p.TokensPerSecond:f0} tok/s {clock}"),
        ];
        string line = Array.Find(lines, l => l.Length <= room) ?? lines[^1];
        return label + (line.Length <= room ? line : line[..room]);
    }
}
