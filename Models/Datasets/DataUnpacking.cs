using System.Buffers;
using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace CudaSeq.Models;

/// <summary>Makes the files of a data set from what was downloaded, and tells right ones from wrong ones. Names inside an archive choose bytes, never places on the disk.</summary>
internal static class DataUnpacking
{
    private const int BufferBytes = 1 << 16;
    private const int GitBlobDigits = 40;

    // A tar archive of small files is mostly padding: what it unpacks to is bounded apart from the sizes of the files that are taken out.
    private const long MostArchiveBytes = 4L << 30;

    /// <summary>What is wrong with a file; null when it is the published one.</summary>
    public static string? Fault(DataFile file, string path, CancellationToken cancellation)
    {
        using var stream = File.OpenRead(path);
        if (stream.Length != file.Bytes)
            return string.Create(CultureInfo.InvariantCulture, $"must have {file.Bytes} bytes, got {stream.Length}");
        using var hash = Hash(file);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (stream.Read(buffer) is var read and > 0)
            {
                cancellation.ThrowIfCancellationRequested();
                hash.AppendData(buffer, 0, read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        string got = Convert.ToHexStringLower(hash.GetHashAndReset());
        return got == file.Checksum ? null : $"must have the checksum {file.Checksum}, got {got}";
    }

    /// <summary>Unpacks a download.</summary>
    /// <param name="packing">How it is packed.</param>
    /// <param name="download">What was downloaded.</param>
    /// <param name="files">The files to make of it, and where; each is removed again when it is wrong.</param>
    /// <param name="cancellation">Ends it between two blocks.</param>
    /// <returns>What is wrong with what was downloaded; null when all files are the published ones.</returns>
    public static string? Unpack(DataPacking packing, string download, IReadOnlyList<(DataFile File, string Path)> files, CancellationToken cancellation)
    {
        try
        {
            if (packing == DataPacking.TarGzip)
                Extract(download, files, cancellation);
            else if (packing == DataPacking.Runs)
                Cut(download, files, cancellation);
            else
                Decompress(download, files[0].File, files[0].Path, cancellation);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            return e.Message.TrimEnd('.');
        }

        foreach (var (file, path) in files)
        {
            if (Fault(file, path, cancellation) is { } fault)
                return $"{file.Path} {fault}";
        }

        return null;
    }

    private static IncrementalHash Hash(DataFile file)
    {
        if (file.Checksum.Length != GitBlobDigits)
            return IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
        hash.AppendData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"blob {file.Bytes}\0")));
        return hash;
    }

    private static void Decompress(string download, DataFile file, string path, CancellationToken cancellation)
    {
        using var gzip = new GZipStream(File.OpenRead(download), CompressionMode.Decompress);
        using var output = new FileStream(path, FileMode.Create, FileAccess.Write);
        Copy(gzip, output, file, cancellation);
    }

    private static void Cut(string download, IReadOnlyList<(DataFile File, string Path)> files, CancellationToken cancellation)
    {
        using var input = File.OpenRead(download);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            foreach (var (file, path) in files)
            {
                using var output = new FileStream(path, FileMode.Create, FileAccess.Write);
                input.Position = file.Start;
                for (long left = file.Bytes; left > 0 && input.Read(buffer, 0, (int)Math.Min(left, buffer.Length)) is var read and > 0; left -= read)
                {
                    cancellation.ThrowIfCancellationRequested();
                    output.Write(buffer, 0, read);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void Extract(string download, IReadOnlyList<(DataFile File, string Path)> files, CancellationToken cancellation)
    {
        var parts = files.Select(_ => new SortedDictionary<string, byte[]>(StringComparer.Ordinal)).ToArray();
        var taken = new long[files.Count];
        using var gzip = new GZipStream(File.OpenRead(download), CompressionMode.Decompress);
        using var tar = new TarReader(gzip);
        long unpacked = 0;
        while (tar.GetNextEntry() is { } entry)
        {
            cancellation.ThrowIfCancellationRequested();
            if ((unpacked += entry.Length) > MostArchiveBytes)
                throw new InvalidDataException($"the archive unpacks to more than {MostArchiveBytes} bytes");
            if (entry is not { EntryType: TarEntryType.RegularFile or TarEntryType.V7RegularFile, DataStream: { } data })
                continue;
            string name = entry.Name[(entry.Name.IndexOf('/') + 1)..];
            for (int i = 0; i < files.Count; i++)
            {
                if (!IsPart(name, files[i].File))
                    continue;
                if ((taken[i] += entry.Length) > files[i].File.Bytes)
                    throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"{files[i].File.Path} must have {files[i].File.Bytes} bytes, the archive has more"));
                parts[i][name] = new byte[entry.Length];
                data.ReadExactly(parts[i][name]);
                break;
            }
        }

        for (int i = 0; i < files.Count; i++)
        {
            using var output = new FileStream(files[i].Path, FileMode.Create, FileAccess.Write);
            foreach (byte[] part in parts[i].Values)
                output.Write(part);
        }
    }

    private static bool IsPart(string name, DataFile file)
        => file.Parts is { } parts && name.StartsWith(parts.Folder, StringComparison.Ordinal) && name.EndsWith(parts.Suffix, StringComparison.Ordinal)
        && name.IndexOf('/', parts.Folder.Length) < 0;

    // No more than the published size: what unpacks to more is wrong anyway, and may be meant to fill the disk.
    private static void Copy(Stream input, Stream output, DataFile file, CancellationToken cancellation)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            for (long left = file.Bytes; input.Read(buffer) is var read and > 0; left -= read)
            {
                cancellation.ThrowIfCancellationRequested();
                if (read > left)
                    throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"{file.Path} must have {file.Bytes} bytes, unpacks to more"));
                output.Write(buffer, 0, read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
