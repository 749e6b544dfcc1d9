using System.Globalization;

namespace CudaSeq.Models;

/// <summary>
/// Downloads data sets: with checksums, going on where an earlier download stopped, each file taking its place in one step when it is whole and right.
/// </summary>
/// <param name="client">Sends the requests. Redirections are followed, proxies used and so on as it is made to; it stays the caller's.</param>
/// <param name="options">How failures are treated; null for the defaults.</param>
public sealed class DataSetDownload(HttpClient client, DownloadOptions? options = null)
{
    // Unfinished downloads lie beside what they shall become.
    private const string PartSuffix = ".part";

    private readonly DownloadOptions _options = options ?? new DownloadOptions();

    /// <summary>Brings a data set into a folder, and makes the texts that are to be made of it. What is there and right stays; a file of another content is not written over.</summary>
    /// <param name="set">The data set, as a rule one of <see cref="DataSets.All"/>.</param>
    /// <param name="folder">The folder of data sets, made where it is missing; the files go to its sub-folders.</param>
    /// <param name="progress">Hears where the download stands, on the threads that it runs on.</param>
    /// <param name="cancellation">Ends it soon; what has arrived stays and the next download goes on from there.</param>
    /// <returns>How many files were downloaded; those that were there do not count, nor do texts that were made.</returns>
    /// <exception cref="ArgumentException">The set has a file whose place is not below the folder.</exception>
    /// <exception cref="HttpRequestException">A server refuses, or failed at every attempt.</exception>
    /// <exception cref="InvalidDataException">A server sends something else than was published, or a file of another content is in the way.</exception>
    /// <exception cref="IOException">The disk is too full, or the folder cannot be written.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> asked to stop.</exception>
    public async Task<int> GetAsync(DataSet set, string folder, IProgress<DownloadProgress>? progress = null, CancellationToken cancellation = default)
    {
        var missing = new List<DataFile>();
        foreach (var file in set.Files)
        {
            string path = PathOf(folder, file);
            if (!File.Exists(path))
            {
                missing.Add(file);
                continue;
            }

            if (DataUnpacking.Fault(file, path, cancellation) is { } fault)
                throw new InvalidDataException($"{path}: is there and not the published file ({fault}); move it away to download that.");
            progress?.Report(new DownloadProgress(DownloadStage.Present, file.Path, file.Bytes, file.Bytes));
        }

        if (missing.Count > 0)
        {
            var made = new List<string>();
            try
            {
                Prepare(set, folder, missing, made);
                foreach (var group in missing.GroupBy(f => f.Source))
                    await Get(set, folder, group.Key, [.. group], progress, cancellation).ConfigureAwait(false);
            }
            catch
            {
                DeleteEmpty(made);
                throw;
            }
        }

        MakeTexts(set, folder, progress, cancellation);
        return missing.Count;
    }

    // Best effort: a folder that stays is no reason to say anything else than what failed.
    private static void DeleteEmpty(List<string> folders)
    {
        foreach (string folder in folders.AsEnumerable().Reverse())
        {
            try
            {
                if (!Directory.EnumerateFileSystemEntries(folder).Any())
                    Directory.Delete(folder);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return;
            }
        }
    }

    // Made again each time, in a moment, and compared: so a text that is there is the right one or somebody's.
    private static void MakeTexts(DataSet set, string folder, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        foreach (var text in set.Made)
        {
            foreach (var (name, bytes) in DataMaking.Make(text, PathOf(folder, text.From), cancellation))
            {
                string path = PathOf(folder, name);
                bool isThere = File.Exists(path);
                if (isThere && !File.ReadAllBytes(path).AsSpan().SequenceEqual(bytes))
                    throw new InvalidDataException($"{path}: is there and not what is made of {text.From}; move it away to have that.");
                try
                {
                    if (!isThere)
                        TextFile.WriteWhole(path, stream => stream.Write(bytes));
                }
                catch (UnauthorizedAccessException e)
                {
                    throw new IOException($"{folder}: cannot be written ({e.Message.TrimEnd('.')}).", e);
                }

                progress?.Report(new DownloadProgress(isThere ? DownloadStage.Present : DownloadStage.Done, name, bytes.Length, bytes.Length));
            }
        }
    }

    private static string PathOf(string folder, DataFile file) => PathOf(folder, file.Path);

    private static string PathOf(string folder, string name)
    {
        if (Path.IsPathRooted(name) || name.Split('/', '\\').Any(p => p is "" or "." or ".."))
            throw new ArgumentException($"{name}: the place of a file must be below the folder of data sets.");
        return Path.Combine(folder, name);
    }

    // Makes the folders, and says which, outer ones first; asks for room: once for what arrives, once for what is unpacked from it.
    private void Prepare(DataSet set, string folder, List<DataFile> missing, List<string> made)
    {
        try
        {
            foreach (string place in missing.Select(f => Path.GetFullPath(Path.GetDirectoryName(PathOf(folder, f))!)).Distinct())
            {
                var absent = new Stack<string>();
                for (string? above = place; above is not null && !Directory.Exists(above); above = Path.GetDirectoryName(above))
                    absent.Push(above);
                Directory.CreateDirectory(place);
                made.AddRange(absent);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{folder}: cannot be written ({e.Message.TrimEnd('.')}).", e);
        }

        long needed = missing.Sum(f => f.Bytes) + missing.Select(f => f.Source).Distinct().Where(s => s.Packing != DataPacking.None).Sum(s => s.Bytes ?? 0);
        if (_options.FreeBytes(Path.GetFullPath(folder)) is { } free && free < needed)
            throw new IOException(string.Create(CultureInfo.InvariantCulture, $"{folder}: must have {needed} bytes free for {set.Name}, has {free}."));
    }

    private async Task Get(DataSet set, string folder, DataSource source, List<DataFile> files, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        var places = files.ConvertAll(f => (File: f, Path: PathOf(folder, f)));
        bool one = source.Packing is not (DataPacking.TarGzip or DataPacking.Runs);
        string part = Path.Combine(Path.GetDirectoryName(places[0].Path)!, source.FileName + PartSuffix), name = one ? files[0].Path : $"{set.Name}/{source.FileName}";
        try
        {
            for (bool again = false; ; again = true)
            {
                await new FileTransfer(client, _options).Run(source, part, name, progress, cancellation).ConfigureAwait(false);
                string? fault = Make(source, part, places, cancellation);
                if (fault is null)
                    break;
                File.Delete(part);

                // A part that an earlier run left may be what is wrong; a whole file that is wrong twice is the server's.
                if (again)
                    throw new InvalidDataException($"{_options.AddressOf(source)}: {fault}.");
                progress?.Report(new DownloadProgress(DownloadStage.Refetching, name, 0, source.Bytes, fault));
            }
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"{folder}: cannot be written ({e.Message.TrimEnd('.')}).", e);
        }

        foreach (var file in files)
            progress?.Report(new DownloadProgress(DownloadStage.Done, file.Path, file.Bytes, file.Bytes));
    }

    // Moves what arrived, or what is unpacked from it, to its places; says what is wrong with it and leaves nothing there otherwise.
    private static string? Make(DataSource source, string part, List<(DataFile File, string Path)> places, CancellationToken cancellation)
    {
        if (source.Packing == DataPacking.None)
        {
            if (DataUnpacking.Fault(places[0].File, part, cancellation) is { } fault)
                return fault;
            File.Move(part, places[0].Path);
            return null;
        }

        var unpacked = places.ConvertAll(p => (p.File, Path: p.Path + ".tmp"));
        try
        {
            if (DataUnpacking.Unpack(source.Packing, part, unpacked, cancellation) is { } fault)
                return fault;
            for (int i = 0; i < places.Count; i++)
                File.Move(unpacked[i].Path, places[i].Path);
        }
        finally
        {
            foreach (var (_, path) in unpacked)
                File.Delete(path);
        }

        File.Delete(part);
        return null;
    }
}
