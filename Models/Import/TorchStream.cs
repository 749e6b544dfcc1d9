using System.Buffers.Binary;

namespace CudaSeq.Models;

/// <summary>
/// The format of PyTorch 0.2 to 1.5, in which fairseq's models were published until 2020: pickles of a magic number, a version, what machine it was, what was saved, and the keys of
/// its storages; then for each key the number of elements in eight bytes, and the elements.
/// </summary>
internal sealed class TorchStream : ITorchStorages
{
    private const long Version = 1001;
    private const int CountBytes = 8;

    private readonly ForeignFile _file;
    private readonly Dictionary<string, (TorchStorage Storage, long Start)> _starts = new(StringComparer.Ordinal);

    /// <summary>Reads all but the elements.</summary>
    /// <exception cref="InvalidDataException">It is no such file, cut off or damaged, or names a class that is not known.</exception>
    public TorchStream(ForeignFile file)
    {
        _file = file;
        var bytes = new byte[Math.Min(file.Length, PickleReader.MostBytes)];
        file.Read(0, bytes);
        int at = Magic.Length;
        object? version = PickleReader.Read(file.Path, bytes, ref at);
        if (version is not Version)
            throw file.Wrong($"must be of version {Version} of PyTorch's old format, got another");
        var machine = FairseqArguments.Members(PickleReader.Read(file.Path, bytes, ref at));
        if (machine.GetValueOrDefault("little_endian") is not true)
            throw file.Wrong("must hold little-endian numbers, got another order of bytes");
        var storages = new Dictionary<string, TorchStorage>(StringComparer.Ordinal);
        Root = PickleReader.Read(file.Path, bytes, ref at, storages);
        if (PickleReader.Read(file.Path, bytes, ref at) is not List<object?> keys)
            throw file.Wrong("must list the keys of its storages, got something else");
        Locate(keys, storages, at);
    }

    /// <inheritdoc/>
    public object? Root { get; }

    // The pickle of 0x1950A86A20F9469CFC6C.
    private static ReadOnlySpan<byte> Magic => [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, (byte)'.'];

    /// <summary>Whether a file that begins like this is of the format.</summary>
    public static bool Begins(ReadOnlySpan<byte> start) => start.StartsWith(Magic);

    /// <inheritdoc/>
    public long Find(TorchStorage storage)
    {
        if (!_starts.TryGetValue(storage.Key, out var found))
            throw _file.Wrong($"must hold the storage {ForeignFile.Printable(storage.Key)}, got no such one");
        return found.Storage == storage
            ? found.Start
            : throw _file.Wrong($"the storage {ForeignFile.Printable(storage.Key)} must be of one type and length, got two");
    }

    private void Locate(List<object?> keys, Dictionary<string, TorchStorage> storages, long at)
    {
        Span<byte> count = stackalloc byte[CountBytes];
        foreach (object? item in keys)
        {
            if (item is not string key || !storages.TryGetValue(key, out var storage))
                throw _file.Wrong("must list the keys of storages that are used, got another one");
            _file.Read(at, count);
            long elements = BinaryPrimitives.ReadInt64LittleEndian(count);
            if (elements != storage.Count)
                throw _file.Wrong($"the storage {ForeignFile.Printable(key)} must hold {storage.Count} elements, got {elements}");
            at += CountBytes;
            if (elements > (_file.Length - at) / storage.Type.Bytes())
                throw _file.Wrong($"the storage {ForeignFile.Printable(key)} must hold {elements} elements of {storage.Type.Bytes()} bytes, got {_file.Length - at} bytes; is the file cut off?");
            if (!_starts.TryAdd(key, (storage, at)))
                throw _file.Wrong($"must list keys once, got {ForeignFile.Printable(key)} twice");
            at += elements * storage.Type.Bytes();
        }
    }
}
