using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CudaSeq.Tests;

/// <summary>What a client asked for.</summary>
/// <param name="Path">The path of the address.</param>
/// <param name="From">Where the range it asked for begins; null for the whole.</param>
internal sealed record Asked(string Path, long? From);

/// <summary>What a server answers, right or wrong: nothing of it is made to agree.</summary>
/// <param name="Status">The code and its words.</param>
/// <param name="Body">The bytes that are sent.</param>
internal sealed record Answer(string Status, byte[] Body)
{
    /// <summary>What the head says; null for the size of the body, empty for nothing, so that the body ends where the connection does.</summary>
    public string? ContentLength { get; init; }

    /// <summary>Further lines of the head.</summary>
    public string[] Head { get; init; } = [];

    /// <summary>Sends the body in blocks of so many bytes, with a pause after each.</summary>
    public (int Bytes, TimeSpan Pause)? Slowly { get; init; }

    /// <summary>Keeps the connection open when everything was sent.</summary>
    public bool Hangs { get; init; }
}

/// <summary>A server on this machine that answers as a test wants, one request on each connection.</summary>
internal sealed class LoopbackServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _closed = new();
    private readonly Func<Asked, int, Answer> _answer;
    private readonly ConcurrentQueue<Asked> _asked = [];

    /// <summary>Starts it.</summary>
    /// <param name="answer">What it answers to a request and its number, from 0.</param>
    public LoopbackServer(Func<Asked, int, Answer> answer)
    {
        _answer = answer;
        _listener.Start();
        Task.Run(Listen);
    }

    /// <summary>What was asked for.</summary>
    public IReadOnlyList<Asked> Asked => [.. _asked];

    /// <summary>An address of the server.</summary>
    public string Url(string path) => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/{path}");

    /// <summary>A server that has one file, and parts of it for those who ask.</summary>
    public static LoopbackServer Of(byte[] file) => new((asked, _) => Ok(file, asked));

    /// <summary>The file, or the part of it that was asked for.</summary>
    public static Answer Ok(byte[] file, Asked asked) => asked.From is { } from
        ? new Answer("206 Partial Content", file[(int)from..]) { Head = [$"Content-Range: bytes {from}-{file.Length - 1}/{file.Length}"] }
        : new Answer("200 OK", file);

    /// <summary>A client that speaks to this machine without a proxy.</summary>
    public static HttpClient Client() => new(new SocketsHttpHandler { UseProxy = false });

    public void Dispose()
    {
        _closed.Cancel();
        _listener.Stop();
        _listener.Dispose();
    }

    private async Task Listen()
    {
        while (!_closed.IsCancellationRequested)
        {
            TcpClient client;
            try
            {
                client = await _listener.AcceptTcpClientAsync(_closed.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }

            _ = Task.Run(() => Serve(client));
        }
    }

    private async Task Serve(TcpClient client)
    {
        using var connection = client;
        try
        {
            var stream = client.GetStream();
            using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
            string path = (await reader.ReadLineAsync(_closed.Token))!.Split(' ')[1];
            long? from = null;
            while (await reader.ReadLineAsync(_closed.Token) is { Length: > 0 } line)
            {
                if (line.StartsWith("Range: bytes=", StringComparison.OrdinalIgnoreCase))
                    from = long.Parse(line["Range: bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture);
            }

            int number = _asked.Count;
            var asked = new Asked(path, from);
            _asked.Enqueue(asked);
            var answer = _answer(asked, number);
            string length = answer.ContentLength ?? answer.Body.Length.ToString(CultureInfo.InvariantCulture);
            string[] head = [$"HTTP/1.1 {answer.Status}", "Connection: close", .. answer.Head, .. length.Length > 0 ? new[] { $"Content-Length: {length}" } : []];
            await stream.WriteAsync(Encoding.ASCII.GetBytes(string.Join("\r\n", head) + "\r\n\r\n"), _closed.Token);
            var (block, pause) = answer.Slowly ?? (Math.Max(1, answer.Body.Length), TimeSpan.Zero);
            for (int at = 0; at < answer.Body.Length; at += block)
            {
                await stream.WriteAsync(answer.Body.AsMemory(at, Math.Min(block, answer.Body.Length - at)), _closed.Token);
                await Task.Delay(pause, _closed.Token);
            }

            if (answer.Hangs)
                await Task.Delay(Timeout.Infinite, _closed.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
        }
    }
}
