using System.Buffers.Binary;
using System.IO.Compression;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Archives: those of PyTorch and of .NET are read, all others refused in one line.</summary>
public sealed class ZipRecordsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void TheChecksumIsThatOfZip()
    {
        Assert.Equal(0xCBF43926, Crc32.Append(0, "123456789"u8));
        byte[] bytes = new byte[100];
        new Random(2).NextBytes(bytes);
        for (int cut = 0; cut <= bytes.Length; cut++)
            Assert.Equal(Crc32.Append(0, bytes), Crc32.Append(Crc32.Append(0, bytes.AsSpan(..cut)), bytes.AsSpan(cut..)));
    }

    [Fact]
    public void ReadsZip64() => Same(TorchFiles.Zip([("model/a", [1, 2, 3]), ("model/ü", new byte[500]), ("empty", [])]), ("model/a", [1, 2, 3]), ("model/ü", new byte[500]), ("empty", []));

    // Made by another's code, without zip64, with a comment.
    [Fact]
    public void ReadsArchivesOfDotNet()
    {
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true) { Comment = "made elsewhere" })
        {
            foreach (var (name, bytes) in new[] { ("model/a", new byte[] { 1, 2, 3 }), ("b", new byte[70_000]) })
            {
                using var entry = zip.CreateEntry(name, CompressionLevel.NoCompression).Open();
                entry.Write(bytes);
            }
        }

        Same(stream.ToArray(), ("model/a", [1, 2, 3]), ("b", new byte[70_000]));
    }

    // They choose bytes and nothing else: no file of such a name is looked at or made.
    [Fact]
    public void NamesAreNoPlaces()
        => Same(TorchFiles.Zip([("../../etc/passwd", [1]), ("/absolute", [2]), ("C:\\x", [3]), ("", [4])]), ("../../etc/passwd", [1]), ("/absolute", [2]), ("C:\\x", [3]), ("", [4]));

    // A megabyte of zeros in a kilobyte: what is compressed is refused before a byte of it is unpacked.
    [Fact]
    public void CompressedRecordsAreRefused()
    {
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            using var entry = zip.CreateEntry("model/data.pkl", CompressionLevel.SmallestSize).Open();
            entry.Write(new byte[1 << 20]);
        }

        Assert.Equal("model/data.pkl: must be stored as it is, as PyTorch does it, got a compressed record", Message(stream.ToArray()));
    }

    [Fact]
    public void EveryTruncationIsRefused()
    {
        byte[] whole = TorchFiles.Zip([("model/a", [1, 2, 3]), ("model/b", new byte[50])]);
        for (int length = 0; length < whole.Length; length++)
        {
            string message = Message(whole[..length]);
            Assert.DoesNotContain('\n', message);
        }

        Assert.Equal("must end in the directory of a zip archive, got none; is the file cut off?", Message(whole[..^1]));
    }

    [Fact]
    public void EveryDamageHasItsLine()
    {
        byte[] whole = TorchFiles.Zip([("a", [1, 2, 3]), ("b", [4])]);
        int end = whole.Length - 22, locator = end - 20, end64 = locator - 56;
        int directory = (int)BinaryPrimitives.ReadInt64LittleEndian(whole.AsSpan(end64 + 48)), second = directory + 46 + 1 + 28;
        Assert.Equal("the archive's directory must end in a zip64 record at byte 0, got none", Changed(locator + 8, TorchFiles.U64(0)));
        Assert.Equal("the archive's directory must end in a zip64 record at byte 9223372036854775807, got none", Changed(locator + 8, TorchFiles.U64(-1)));
        Assert.Equal($"the archive's directory must have 46 bytes or more for each record, got {end64 - directory} bytes for 9223372036854775807 records", Changed(end64 + 32, TorchFiles.U64(-1)));
        Assert.Equal("the archive's directory must be at most 67108864 bytes, got 9223372036854775807", Changed(end64 + 40, TorchFiles.U64(-1)));
        Assert.Equal(
            $"the archive's directory must end before byte {end64}, got {end64 - directory} bytes from byte {directory + 1} on; is the file cut off?", Changed(end64 + 48, TorchFiles.U64(directory + 1)));
        Assert.Equal("the archive's directory must have a record at its byte 75, got none", Changed(second, [0]));
        Assert.Equal($"the archive's directory must hold the record at its byte 75, got its end at byte {end64 - directory}", Changed(second + 28, TorchFiles.U16(60_000)));
        Assert.Equal("the archive's directory must have names in UTF-8, got another one at its byte 75", Changed(second + 46, [0xFF]));
        Assert.Equal("b: must not be encrypted", Changed(second + 8, [9]));
        Assert.Equal("b: must be stored as it is, as PyTorch does it, got a compressed record", Changed(second + 10, [8]));
        Assert.Equal("b: must have its size in a zip64 field, got none", Changed(second + 47, [2]));
        Assert.Equal("a: must be there once, got two records of that name", Changed(second + 46, "a"u8));
        Assert.Equal($"b: must begin before the directory at byte {directory}, got byte 9223372036854775807", Changed(second + 47 + 20, TorchFiles.U64(-1), "b"));
        Assert.Equal("b: must begin with a header at byte 3, got none", Changed(second + 47 + 20, TorchFiles.U64(3), "b"));
        Assert.Equal("b: must be called in its header as in the directory, got another name", Changed(second + 47 + 20, TorchFiles.U64(0), "b"));
        Assert.Equal(
            $"b: must end before the directory at byte {directory}, got 1099511627776 bytes from byte 128 on", Changed(second + 47 + 4, [.. TorchFiles.U64(1L << 40), .. TorchFiles.U64(1L << 40)], "b"));

        string Changed(int at, ReadOnlySpan<byte> bytes, string? find = null)
        {
            byte[] other = [.. whole];
            bytes.CopyTo(other.AsSpan(at));
            return Message(other, find);
        }
    }

    private void Same(byte[] archive, params (string Name, byte[] Bytes)[] expected)
    {
        using var file = ForeignFile.Open(_folder.File("x.pt", archive));
        var records = new ZipRecords(file);
        Assert.Equal(expected.Select(e => e.Name), records.Names);
        foreach (var (name, bytes) in expected)
        {
            var record = records.Find(name)!.Value;
            var got = new byte[record.Bytes];
            file.Read(record.Offset, got);
            Assert.Equal(bytes, got);
            Assert.Equal(Crc32.Append(0, bytes), record.Checksum);
        }

        Assert.Null(records.Find("none"));
    }

    private string Message(byte[] archive, string? find = null)
    {
        string path = _folder.File("x.pt", archive);
        using var file = ForeignFile.Open(path);
        string message = Assert.Throws<InvalidDataException>(() =>
        {
            var records = new ZipRecords(file);
            if (find is not null)
                records.Find(find);
        }).Message;
        Assert.StartsWith($"{path}: ", message);
        Assert.True(message[^1] is '.' or '?', message);
        return message[(path.Length + 2)..].TrimEnd('.');
    }
}
