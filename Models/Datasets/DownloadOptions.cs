namespace CudaSeq.Models;

/// <summary>How a download treats a network that fails.</summary>
public sealed record DownloadOptions
{
    /// <summary>How often a file is asked for before it is given up: 5.</summary>
    public int Attempts { get; init; } = 5;

    /// <summary>The pause before the second attempt, 1 second; it doubles before each further one. A server that names a pause of up to a minute is given it.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long to wait for the next byte before an attempt counts as failed: 30 seconds.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Where copies are to be had: with <c>http://mirror/data</c> the file <c>https://host/path</c> is asked for as <c>http://mirror/data/host/path</c>.
    /// Null for the published addresses.
    /// </summary>
    public Uri? Mirror { get; init; }

    /// <summary>The free bytes of the disk that a folder is on; null where the system does not tell.</summary>
    internal Func<string, long?> FreeBytes { get; init; } = FreeBytesOf;

    /// <summary>The address to ask for.</summary>
    internal Uri AddressOf(DataSource source)
    {
        var published = new Uri(source.Url);
        return Mirror is null ? published : new Uri($"{Mirror.AbsoluteUri.TrimEnd('/')}/{published.Authority}{published.AbsolutePath}");
    }

    private static long? FreeBytesOf(string folder)
    {
        try
        {
            return new DriveInfo(folder).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

/// <summary>What a download is doing.</summary>
public enum DownloadStage
{
    /// <summary>Bytes arrive.</summary>
    Receiving,

    /// <summary>It waits, to try again.</summary>
    Waiting,

    /// <summary>What arrived was not what is published, and is fetched once more from its beginning.</summary>
    Refetching,

    /// <summary>A file is there, whole and checked.</summary>
    Done,

    /// <summary>A file was there before.</summary>
    Present,
}

/// <summary>Where a download stands.</summary>
/// <param name="Stage">What it is doing.</param>
/// <param name="Name">The file's place below the folder of data sets; while an archive arrives, the set and the archive's name.</param>
/// <param name="Bytes">The bytes that have arrived, earlier runs' included; for a file that is there, its size.</param>
/// <param name="Total">The bytes that shall arrive; null where the server does not say.</param>
/// <param name="Reason">Why it waits or fetches again.</param>
/// <param name="Pause">How long it waits.</param>
public sealed record DownloadProgress(DownloadStage Stage, string Name, long Bytes, long? Total, string? Reason = null, TimeSpan Pause = default);
