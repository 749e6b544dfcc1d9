using System.Text;

namespace CudaSeq.Cli;

/// <summary>What a verb reads from and writes to. Text is UTF-8 without a byte order mark and lines end in <c>\n</c>, whatever the locale.</summary>
internal sealed class Terminal : IDisposable
{
    private readonly Func<string, string?> _environment;
    private readonly Func<int> _width;

    /// <summary>A terminal made of the given parts, for tests.</summary>
    public Terminal(Stream input, TextWriter output, TextWriter error, bool live = false, Func<int>? width = null, Func<string, string?>? environment = null, bool typed = false)
    {
        Input = input;
        Out = output;
        Error = error;
        IsLive = live;
        IsTyped = typed;
        _width = width ?? (() => 80);
        _environment = environment ?? (_ => null);
    }

    /// <summary>Bytes piped or typed in.</summary>
    public Stream Input { get; }

    /// <summary>Results.</summary>
    public TextWriter Out { get; }

    /// <summary>Errors, one line each.</summary>
    public TextWriter Error { get; }

    /// <summary>Whether <see cref="Out"/> is a screen on which a line can be rewritten.</summary>
    public bool IsLive { get; }

    /// <summary>Whether <see cref="Input"/> is a keyboard.</summary>
    public bool IsTyped { get; }

    /// <summary>Whether <see cref="Out"/> is a pipe whose reader has gone, as after <c>| head -1</c>: nobody will see what is still written.</summary>
    public bool ReaderLeft => (Out as StreamWriter)?.BaseStream is OutputPipe { ReaderLeft: true };

    /// <summary>Whether colours are welcome: on a screen, unless <c>NO_COLOR</c> is set (no-color.org).</summary>
    public bool HasColour => IsLive && string.IsNullOrEmpty(Variable("NO_COLOR"));

    /// <summary>Columns of the screen.</summary>
    public int Width => Math.Max(20, _width());

    /// <summary>The terminal of this process.</summary>
    public static Terminal OfProcess()
    {
        bool live = !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") != "dumb";
        return new Terminal(
            StandardInput.Open(),
            Writer(OutputPipe.OfProcess() ?? Console.OpenStandardOutput(), flush: !Console.IsOutputRedirected),
            Writer(Console.OpenStandardError(), flush: true),
            live,
            () => Console.WindowWidth,
            Environment.GetEnvironmentVariable,
            typed: !Console.IsInputRedirected);
    }

    /// <summary>An environment variable; null when it is not set.</summary>
    public string? Variable(string name) => _environment(name);

    /// <summary>Text in bold where colours are welcome.</summary>
    public string Bold(string text) => HasColour ? $"\e[1m{text}\e[0m" : text;

    /// <summary>Text that may be overlooked, where colours are welcome.</summary>
    public string Dim(string text) => HasColour ? $"\e[2m{text}\e[0m" : text;

    /// <summary>Writes out what a failed verb left; whether that works can no longer change how it ended.</summary>
    public void Dispose()
    {
        try
        {
            Out.Flush();
            Error.Flush();
        }
        catch (IOException)
        {
        }
    }

    private static StreamWriter Writer(Stream stream, bool flush) => new(stream, new UTF8Encoding(false), bufferSize: 1 << 14) { AutoFlush = flush, NewLine = "\n" };
}
