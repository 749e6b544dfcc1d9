using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace CudaSeq.Models;

/// <summary>Bytes of a file that belong together.</summary>
/// <param name="Name">What they are called.</param>
/// <param name="Offset">Where they begin.</param>
/// <param name="Bytes">How many.</param>
/// <param name="Checksum">Their CRC-32; 0 where the writer left it out.</param>
internal readonly record struct ZipRecord(string Name, long Offset, long Bytes, uint Checksum);

/// <summary>
/// The records of a zip or zip64 archive that stores them as they are, as PyTorch writes it (APPNOTE.TXT 6.3, sections 4.3 and 4.5.3). Nothing is unpacked: names choose bytes,
/// never places on the disk, and a record that is compressed is refused.
/// </summary>
internal sealed class ZipRecords
{
    private const uint EndSignature = 0x06054B50, LocatorSignature = 0x07064B50, End64Signature = 0x06064B50, EntrySignature = 0x02014B50, LocalSignature = 0x04034B50;
    private const int EndBytes = 22, LocatorBytes = 20, End64Bytes = 56, EntryBytes = 46, LocalBytes = 30;
    private const int MostDirectoryBytes = 64 << 20;
    private const ushort Zip64Field = 1;
    private const ushort Encrypted = 1;

    private readonly ForeignFile _file;
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly long _directory;

    /// <summary>Reads the directory of an archive.</summary>
    /// <exception cref="InvalidDataException">It is cut off, damaged, or no such archive.</exception>
    public ZipRecords(ForeignFile file)
    {
        _file = file;
        var (count, size, start) = FindDirectory();
        _directory = start;
        var directory = new byte[size];
        file.Read(start, directory);
        int at = 0;
        for (long i = 0; i < count; i++)
            at = ReadEntry(directory, at);
    }

    /// <summary>The names, in the order of the directory.</summary>
    public IEnumerable<string> Names => _entries.Keys;

    /// <summary>Where a record lies; null where there is none of that name.</summary>
    /// <exception cref="InvalidDataException">It does not lie where it is said to.</exception>
    public ZipRecord? Find(string name)
    {
        if (!_entries.TryGetValue(name, out var entry))
            return null;
        Span<byte> head = stackalloc byte[LocalBytes];
        if (entry.Header > _directory - LocalBytes)
            throw Wrong(name, $"must begin before the directory at byte {_directory}, got byte {entry.Header}");
        _file.Read(entry.Header, head);
        if (U32(head, 0) != LocalSignature)
            throw Wrong(name, $"must begin with a header at byte {entry.Header}, got none");
        var own = new byte[U16(head, 26)];
        _file.Read(entry.Header + LocalBytes, own);
        if (!own.AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(name)))
            throw Wrong(name, "must be called in its header as in the directory, got another name");
        long start = entry.Header + LocalBytes + own.Length + U16(head, 28);
        return start <= _directory - entry.Bytes
            ? new ZipRecord(name, start, entry.Bytes, entry.Checksum)
            : throw Wrong(name, $"must end before the directory at byte {_directory}, got {entry.Bytes} bytes from byte {start} on");
    }

    private static ushort U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    // Beyond 2^63 there is no file: such a number becomes one that no check lets through.
    private static long U64(ReadOnlySpan<byte> bytes, int at) => (long)Math.Min(BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]), long.MaxValue);

    private (long Count, int Bytes, long Start) FindDirectory()
    {
        var tail = new byte[Math.Min(_file.Length, EndBytes + ushort.MaxValue)];
        _file.Read(_file.Length - tail.Length, tail);
        int end = tail.Length - EndBytes;
        while (end >= 0 && (U32(tail, end) != EndSignature || end + EndBytes + U16(tail, end + 20) != tail.Length))
            end--;
        if (end < 0)
            throw _file.Wrong("must end in the directory of a zip archive, got none; is the file cut off?");
        long place = _file.Length - tail.Length + end;
        long count = U16(tail, end + 10), bytes = U32(tail, end + 12), start = U32(tail, end + 16);
        if (ReadEnd64(place) is { } wide)
        {
            place = wide.Place;
            count = count == ushort.MaxValue ? U64(wide.Bytes, 32) : count;
            bytes = bytes == uint.MaxValue ? U64(wide.Bytes, 40) : bytes;
            start = start == uint.MaxValue ? U64(wide.Bytes, 48) : start;
        }

        if (bytes > MostDirectoryBytes)
            throw _file.Wrong($"the archive's directory must be at most {MostDirectoryBytes} bytes, got {bytes}");
        if (start > place - bytes)
            throw _file.Wrong($"the archive's directory must end before byte {place}, got {bytes} bytes from byte {start} on; is the file cut off?");
        if (count > bytes / EntryBytes)
            throw _file.Wrong($"the archive's directory must have {EntryBytes} bytes or more for each record, got {bytes} bytes for {count} records");
        return (count, (int)bytes, start);
    }

    private (long Place, byte[] Bytes)? ReadEnd64(long end)
    {
        var locator = new byte[LocatorBytes];
        if (end < LocatorBytes)
            return null;
        _file.Read(end - LocatorBytes, locator);
        if (U32(locator, 0) != LocatorSignature)
            return null;
        long place = U64(locator, 8);
        var bytes = new byte[End64Bytes];
        if (place <= end - LocatorBytes - End64Bytes)
            _file.Read(place, bytes);
        return U32(bytes, 0) == End64Signature
            ? (place, bytes)
            : throw _file.Wrong($"the archive's directory must end in a zip64 record at byte {place}, got none");
    }

    private int ReadEntry(byte[] directory, int at)
    {
        var rest = directory.AsSpan(at);
        if (rest.Length < EntryBytes || U32(rest, 0) != EntrySignature)
            throw _file.Wrong($"the archive's directory must have a record at its byte {at}, got none");
        int name = U16(rest, 28), extra = U16(rest, 30), length = EntryBytes + name + extra + U16(rest, 32);
        if (length > rest.Length)
            throw _file.Wrong($"the archive's directory must hold the record at its byte {at}, got its end at byte {directory.Length}");
        if (!Utf8.IsValid(rest.Slice(EntryBytes, name)))
            throw _file.Wrong($"the archive's directory must have names in UTF-8, got another one at its byte {at}");
        string text = Encoding.UTF8.GetString(rest.Slice(EntryBytes, name));
        if ((U16(rest, 8) & Encrypted) != 0)
            throw Wrong(text, "must not be encrypted");
        var (bytes, packed, header) = Sizes(text, rest, rest.Slice(EntryBytes + name, extra));
        if (U16(rest, 10) != 0 || bytes != packed)
            throw Wrong(text, "must be stored as it is, as PyTorch does it, got a compressed record");
        if (!_entries.TryAdd(text, new Entry(header, bytes, U32(rest, 16))))
            throw Wrong(text, "must be there once, got two records of that name");
        return at + length;
    }

    // Sizes of 2^32 - 1 stand for wider ones in a field of their own, in this order.
    private (long Bytes, long Packed, long Header) Sizes(string name, ReadOnlySpan<byte> entry, ReadOnlySpan<byte> extra)
    {
        ReadOnlySpan<byte> wide = [];
        while (extra.Length >= 4 && U16(extra, 2) <= extra.Length - 4)
        {
            int size = U16(extra, 2);
            if (U16(extra, 0) == Zip64Field)
                wide = extra.Slice(4, size);
            extra = extra[(4 + size)..];
        }

        long bytes = Size(U32(entry, 24), ref wide), packed = Size(U32(entry, 20), ref wide), header = Size(U32(entry, 42), ref wide);
        return (bytes, packed, header);

        long Size(uint narrow, ref ReadOnlySpan<byte> values)
        {
            if (narrow != uint.MaxValue)
                return narrow;
            if (values.Length < sizeof(ulong))
                throw Wrong(name, "must have its size in a zip64 field, got none");
            long value = U64(values, 0);
            values = values[sizeof(ulong)..];
            return value;
        }
    }

    private InvalidDataException Wrong(string name, string what) => _file.Wrong($"{ForeignFile.Printable(name)}: {what}");

    private readonly record struct Entry(long Header, long Bytes, uint Checksum);
}
