using System.Buffers;

namespace CudaSeq.Models;

/// <summary>What a file of torch.save holds, however it is laid out.</summary>
internal interface ITorchStorages
{
    /// <summary>What was saved, as one of the values that <see cref="PickleDictionary"/> lists.</summary>
    object? Root { get; }

    /// <summary>The byte at which the elements of a storage begin; all of them are in the file, little-endian.</summary>
    /// <exception cref="InvalidDataException">It is not in the file, has another length, or is damaged.</exception>
    long Find(TorchStorage storage);
}

/// <summary>
/// The format of PyTorch since 1.6: a zip archive of a pickle, <c>NAME/data.pkl</c>, and a record for the elements of each storage, <c>NAME/data/KEY</c>. Checksums are compared
/// where there are any (torch.serialization.set_crc32_options can leave them out).
/// </summary>
internal sealed class TorchArchive : ITorchStorages
{
    private const string Pickle = "data.pkl";
    private const int ChunkBytes = 1 << 20;

    private readonly ForeignFile _file;
    private readonly ZipRecords _records;
    private readonly string _folder;
    private readonly Dictionary<string, ZipRecord> _checked = new(StringComparer.Ordinal);

    /// <summary>Reads all but the elements.</summary>
    /// <exception cref="InvalidDataException">It is no such archive, cut off or damaged, or names a class that is not known.</exception>
    public TorchArchive(ForeignFile file)
    {
        _file = file;
        _records = new ZipRecords(file);
        string[] pickles = [.. _records.Names.Where(n => n.EndsWith($"/{Pickle}", StringComparison.Ordinal) && n.IndexOf('/', StringComparison.Ordinal) == n.Length - Pickle.Length - 1)];
        if (pickles.Length != 1)
            throw file.Wrong($"must be an archive of torch.save with one {Pickle} in a folder, got {pickles.Length}");
        _folder = pickles[0][..^Pickle.Length];
        CheckByteOrder();
        var record = Record(Pickle, PickleReader.MostBytes);
        var bytes = new byte[record.Bytes];
        file.Read(record.Offset, bytes);
        int at = 0;
        Root = PickleReader.Read(file.Path, bytes, ref at);
    }

    /// <inheritdoc/>
    public object? Root { get; }

    /// <inheritdoc/>
    public long Find(TorchStorage storage)
    {
        var record = Record($"data/{storage.Key}", long.MaxValue);
        return record.Bytes / storage.Type.Bytes() == storage.Count && record.Bytes % storage.Type.Bytes() == 0
            ? record.Offset
            : throw _file.Wrong($"{ForeignFile.Printable(record.Name)}: must hold {storage.Count} elements of {storage.Type.Bytes()} bytes, got {record.Bytes} bytes");
    }

    private void CheckByteOrder()
    {
        const string Little = "little";
        if (_records.Find($"{_folder}byteorder") is not { } record)
            return;
        var bytes = new byte[Math.Min(record.Bytes, Little.Length + 1)];
        _file.Read(record.Offset, bytes);
        if (!bytes.AsSpan().SequenceEqual("little"u8))
            throw _file.Wrong("must hold little-endian numbers, got another order of bytes");
    }

    private ZipRecord Record(string name, long mostBytes)
    {
        if (_checked.TryGetValue(name, out var known))
            return known;
        string full = _folder + name;
        if (_records.Find(full) is not { } record)
            throw _file.Wrong($"must hold {ForeignFile.Printable(full)}, got no such record");
        if (record.Bytes > mostBytes)
            throw _file.Wrong($"{ForeignFile.Printable(full)}: must be at most {mostBytes} bytes, got {record.Bytes}");
        if (record.Checksum != 0 && Checksum(record) is var got && got != record.Checksum)
            throw _file.Wrong($"{ForeignFile.Printable(full)}: is damaged: its checksum must be {record.Checksum:x8}, got {got:x8}");
        _checked.Add(name, record);
        return record;
    }

    private uint Checksum(ZipRecord record)
    {
        byte[] chunk = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        uint checksum = 0;
        for (long done = 0; done < record.Bytes;)
        {
            var part = chunk.AsSpan(0, (int)Math.Min(ChunkBytes, record.Bytes - done));
            _file.Read(record.Offset + done, part);
            checksum = Crc32.Append(checksum, part);
            done += part.Length;
        }

        ArrayPool<byte>.Shared.Return(chunk);
        return checksum;
    }
}
