using System.Net;
using System.Net.Http.Headers;

namespace CudaSeq.Models;

/// <summary>Brings the bytes of one address into one file, over attempts and interruptions: what is in the file already is not asked for again.</summary>
/// <param name="client">Sends the requests.</param>
/// <param name="options">How failures are treated.</param>
internal sealed class FileTransfer(HttpClient client, DownloadOptions options)
{
    private const int BufferBytes = 1 << 16;

    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    /// <summary>Fetches what is missing.</summary>
    /// <param name="source">What is wanted.</param>
    /// <param name="part">The file that grows; what has arrived stays in it when the transfer fails or is cancelled.</param>
    /// <param name="name">What progress calls it.</param>
    /// <param name="progress">Hears of every block of bytes and of every pause.</param>
    /// <param name="cancellation">Ends it between two blocks.</param>
    /// <exception cref="HttpRequestException">The server refuses, or failed at every attempt.</exception>
    /// <exception cref="InvalidDataException">The server has another number of bytes than was published.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public async Task Run(DataSource source, string part, string name, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        var address = options.AddressOf(source);
        using var file = Open(part);

        try
        {
            await Fill(source, address, file, name, progress, cancellation).ConfigureAwait(false);
        }
        catch when (file.Length == 0)
        {
            file.Dispose();
            File.Delete(part);
            throw;
        }
    }

    private async Task Fill(DataSource source, Uri address, FileStream file, string name, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        var pause = options.FirstPause;
        for (int attempt = 1; file.Length == 0 || file.Length != source.Bytes; attempt++)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                await Attempt(source, address, file, name, progress, cancellation).ConfigureAwait(false);
                return;
            }
            catch (PassingException e) when (attempt < options.Attempts)
            {
                var wait = e.Pause is { } asked && asked <= LongestPause ? asked : pause;
                progress?.Report(new DownloadProgress(DownloadStage.Waiting, name, file.Length, source.Bytes, e.Message, wait));
                await Task.Delay(wait, cancellation).ConfigureAwait(false);
                pause *= 2;
            }
            catch (PassingException e)
            {
                throw new HttpRequestException(e.Kind, $"{address}: {e.Message}; given up after {options.Attempts} {(options.Attempts == 1 ? "attempt" : "attempts")}.", e);
            }
        }
    }

    private static FileStream Open(string part)
    {
        try
        {
            return new FileStream(part, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (IOException) when (File.Exists(part))
        {
            throw new IOException($"{part}: is in use; is it being downloaded already?");
        }
    }

    private async Task Attempt(DataSource source, Uri address, FileStream file, string name, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);

        // Where the size is not known, neither is whether what is there is the beginning of what the server would now send.
        if (source.Bytes is not { } wanted || file.Length > wanted)
            file.SetLength(0);

        // The sizes and the checksums are those of the bytes as they are.
        request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
        if (file.Length > 0)
            request.Headers.Range = new RangeHeaderValue(file.Length, null);
        progress?.Report(new DownloadProgress(DownloadStage.Receiving, name, file.Length, source.Bytes));
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var response = await Patiently(patience, cancellation, token => client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token)).ConfigureAwait(false);
        Begin(source, address, file, response);
        using var body = await Patiently(patience, cancellation, response.Content.ReadAsStreamAsync).ConfigureAwait(false);
        file.Seek(0, SeekOrigin.End);
        var buffer = new byte[BufferBytes];
        long? total = source.Bytes ?? response.Content.Headers.ContentLength;
        progress?.Report(new DownloadProgress(DownloadStage.Receiving, name, file.Length, total));
        while (await Patiently(patience, cancellation, token => body.ReadAsync(buffer, token).AsTask()).ConfigureAwait(false) is var read and > 0)
        {
            if (file.Length + read > source.MostBytes)
            {
                file.SetLength(0);
                throw new InvalidDataException($"{address}: must have {Most(source)} bytes, the server sends more.");
            }

            await file.WriteAsync(buffer.AsMemory(0, read), cancellation).ConfigureAwait(false);
            progress?.Report(new DownloadProgress(DownloadStage.Receiving, name, file.Length, total));
        }

        if (file.Length < source.Bytes)
            throw new PassingException($"the server ended after {file.Length} of {source.Bytes} bytes");
    }

    // Decides from the answer's head whether its body goes behind what is there or takes its place.
    private static void Begin(DataSource source, Uri address, FileStream file, HttpResponseMessage response)
    {
        var status = response.StatusCode;
        var range = response.Content.Headers.ContentRange;
        bool goesOn = status == HttpStatusCode.PartialContent && range is { Unit: "bytes" } && range.From == file.Length && (range.Length ?? source.Bytes) == source.Bytes;
        if (!goesOn && status is (HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable))
        {
            file.SetLength(0);
            throw new PassingException("the server has another range than was asked for");
        }

        if (status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or (>= HttpStatusCode.InternalServerError and not HttpStatusCode.NotImplemented and not HttpStatusCode.HttpVersionNotSupported))
            throw new PassingException($"the server answers {Named(response)}", Pause(response));
        if (status is not (HttpStatusCode.OK or HttpStatusCode.PartialContent))
            throw new HttpRequestException($"{address}: the server answers {Named(response)}.", null, status);
        if (!goesOn)
            file.SetLength(0);
        if (response.Content.Headers.ContentLength is { } length && (source.Bytes is { } wanted ? file.Length + length != wanted : length > source.MostBytes))
            throw new InvalidDataException($"{address}: must have {Most(source)} bytes, the server has {file.Length + length}.");
    }

    private static string Most(DataSource source) => source.Bytes is { } bytes ? $"{bytes}" : $"at most {source.MostBytes}";

    private static string Named(HttpResponseMessage response)
        => string.IsNullOrWhiteSpace(response.ReasonPhrase) ? $"{(int)response.StatusCode}" : $"{(int)response.StatusCode} {response.ReasonPhrase}";

    private static TimeSpan? Pause(HttpResponseMessage response)
        => response.Headers.RetryAfter?.Delta ?? (response.Headers.RetryAfter?.Date is { } date ? TimeSpan.FromTicks(Math.Max(0, (date - DateTimeOffset.UtcNow).Ticks)) : null);

    // What goes wrong between the two machines may go right the next time.
    private async Task<T> Patiently<T>(CancellationTokenSource patience, CancellationToken cancellation, Func<CancellationToken, Task<T>> step)
    {
        patience.CancelAfter(options.Patience);
        try
        {
            return await step(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new PassingException(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"no answer for {options.Patience.TotalSeconds:0.###} seconds"));
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            cancellation.ThrowIfCancellationRequested();
            throw new PassingException(Innermost(e).Message.TrimEnd('.')) { Kind = (e as HttpRequestException)?.HttpRequestError ?? HttpRequestError.Unknown };
        }
    }

    private static Exception Innermost(Exception e)
    {
        while (e.InnerException is { } inner)
            e = inner;
        return e;
    }

    /// <summary>What the next attempt may not meet again.</summary>
    private sealed class PassingException(string message, TimeSpan? pause = null) : Exception(message)
    {
        public TimeSpan? Pause { get; } = pause;

        public HttpRequestError Kind { get; init; }
    }
}
