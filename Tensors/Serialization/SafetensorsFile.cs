using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using CudaSeq.Kernels;
using Microsoft.Win32.SafeHandles;

namespace CudaSeq.Tensors;

/// <summary>
/// A file in the safetensors format, opened for reading. The header is checked in full and the checksum, where <see cref="SafetensorsWriter"/> left one,
/// is compared with every byte of the file before anything is given out. Values are read from the file when asked for.
/// </summary>
public sealed class SafetensorsFile : IDisposable
{
    private const int ChunkBytes = 1024 * 1024;

    private readonly string _path;
    private readonly SafeFileHandle _file;
    private readonly long _dataStart;
    private readonly SafetensorsHeader _header;

    private SafetensorsFile(string path, SafeFileHandle file, long dataStart, SafetensorsHeader header)
    {
        _path = path;
        _file = file;
        _dataStart = dataStart;
        _header = header;
        HasChecksum = header.DigestPosition >= 0;
        Metadata = header.Metadata
            .Where(entry => entry.Key is not (SafetensorsFormat.Checksum or SafetensorsFormat.Digest))
            .ToDictionary(StringComparer.Ordinal);
    }

    /// <summary>The file, as it was opened.</summary>
    public string FilePath => _path;

    /// <summary>The tensors, in the order of the header.</summary>
    public IReadOnlyList<string> Names => _header.Names;

    /// <summary>Free text by name; the writer's checksum is not among it.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Whether the file carries a checksum, which has then been found right.</summary>
    public bool HasChecksum { get; }

    /// <summary>Opens a file and checks its header and checksum.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The open file, which the caller disposes.</returns>
    /// <exception cref="InvalidDataException">The file is truncated, damaged or no safetensors file; one line with path, rule and fact.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static SafetensorsFile Open(string path)
    {
        var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, FileOptions.SequentialScan);
        try
        {
            return Open(path, file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Whether there is a tensor of that name.</summary>
    public bool Contains(string name) => _header.Entries.ContainsKey(name);

    /// <summary>The shape of a tensor.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="InvalidDataException">There is no such tensor, or it has more axes or elements than a <see cref="Shape"/> can.</exception>
    public Shape ShapeOf(string name)
    {
        long[] sizes = Entry(name).Sizes;
        if (sizes.Length <= Shape.MaxRank && sizes.All(size => size <= int.MaxValue))
        {
            try
            {
                return new Shape([.. sizes.Select(size => (int)size)]);
            }
            catch (ArgumentException)
            {
                // Too many elements: said below.
            }
        }

        throw Bad($"{SafetensorsHeader.Printable(name)}: must have at most {Shape.MaxRank} axes and 2^40 elements, got {sizes.Length} axes");
    }

    /// <summary>The element type as the format calls it, for example <c>BF16</c>.</summary>
    /// <inheritdoc cref="ShapeOf"/>
    public string StoredTypeOf(string name) => Entry(name).DType;

    /// <summary>The element type a tensor is read as: F32, F16 and BF16 as floats, I32 as integers.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="InvalidDataException">There is no such tensor, or its elements are of another type.</exception>
    public DType DTypeOf(string name) => Entry(name).DType switch
    {
        "F32" or "F16" or "BF16" => DType.Float32,
        "I32" => DType.Int32,
        string other => throw Bad($"{SafetensorsHeader.Printable(name)}: elements must be F32, F16, BF16 or I32 to be read, got {other}"),
    };

    /// <summary>Reads a tensor into one of the same shape and type, in place and outside the tape.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="into">What to overwrite.</param>
    /// <exception cref="InvalidDataException">There is no such tensor, its shape or type is another, or the file has shrunk.</exception>
    public void Read(string name, Tensor into)
    {
        var shape = ShapeOf(name);
        if (shape != into.Shape)
            throw Bad($"{SafetensorsHeader.Printable(name)} is {shape}, the model wants {into.Shape}");
        if (DTypeOf(name) != into.DType)
            throw Bad($"{SafetensorsHeader.Printable(name)} is {StoredTypeOf(name)}, the model wants {into.DType}");
        var data = into.Data;
        data.Buffer.Bounds = null;
        ReadChunks(name, (start, words) => CopyKernel.FromHost<int>(words, data with { Offset = data.Offset + start, Length = words.Length }));
    }

    /// <summary>Reads the elements of a float tensor; F16 and BF16 are widened, which is exact.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="InvalidDataException">There is no such tensor, it holds no floats, or the file has shrunk.</exception>
    public float[] ReadFloats(string name) => ReadArray<float>(name, DType.Float32);

    /// <summary>Reads the elements of an integer tensor.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="InvalidDataException">There is no such tensor, it is not I32, or the file has shrunk.</exception>
    public int[] ReadInts(string name) => ReadArray<int>(name, DType.Int32);

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();

    private static SafetensorsFile Open(string path, SafeFileHandle file)
    {
        long length;
        try
        {
            length = RandomAccess.GetLength(file);
        }
        catch (NotSupportedException)
        {
            throw new InvalidDataException($"{path}: must be a file with a length.");
        }

        Span<byte> prefix = stackalloc byte[SafetensorsFormat.LengthBytes];
        if (length < prefix.Length)
            throw new InvalidDataException($"{path}: is no safetensors file: must begin with 8 bytes of header length, got {length} bytes in all.");
        ReadExactly(path, file, prefix, 0);
        ulong headerBytes = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerBytes > SafetensorsFormat.MaxHeaderBytes)
            throw new InvalidDataException(FormattableString.Invariant($"{path}: is no safetensors file: must begin with a header's length of at most {SafetensorsFormat.MaxHeaderBytes:N0} bytes."));
        if (headerBytes > (ulong)(length - prefix.Length))
            throw new InvalidDataException(FormattableString.Invariant($"{path}: is no safetensors file, or is cut off: the header must fit into it, got a header of {headerBytes:N0} bytes in a file of {length:N0}."));

        var json = new byte[headerBytes];
        ReadExactly(path, file, json, prefix.Length);
        long dataStart = prefix.Length + json.Length;
        SafetensorsHeader header;
        try
        {
            header = SafetensorsHeader.Parse(json, length - dataStart);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}{(e.Message.EndsWith('?') ? "" : ".")}");
        }

        if (header.DigestPosition >= 0)
            CheckDigest(path, file, prefix, json, header, length);
        return new SafetensorsFile(path, file, dataStart, header);
    }

    private static void CheckDigest(string path, SafeFileHandle file, ReadOnlySpan<byte> prefix, byte[] json, SafetensorsHeader header, long length)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(prefix);
        Encoding.ASCII.GetBytes(SafetensorsFormat.NoDigest, json.AsSpan(header.DigestPosition));
        hash.AppendData(json);
        byte[] chunk = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        for (long at = prefix.Length + json.Length; at < length;)
        {
            var part = chunk.AsSpan(0, (int)Math.Min(ChunkBytes, length - at));
            ReadExactly(path, file, part, at);
            hash.AppendData(part);
            at += part.Length;
        }

        ArrayPool<byte>.Shared.Return(chunk);
        string found = Convert.ToHexStringLower(hash.GetHashAndReset()), written = header.Metadata[SafetensorsFormat.Digest];
        if (found != written)
            throw new InvalidDataException($"{path}: the file is damaged: its checksum must be {written[..12]}..., got {found[..12]}...");
    }

    private static void ReadExactly(string path, SafeFileHandle file, Span<byte> bytes, long offset)
    {
        while (!bytes.IsEmpty)
        {
            int count = RandomAccess.Read(file, bytes, offset);
            if (count == 0)
                throw new InvalidDataException($"{path}: must not shrink while it is read, got its end at byte {offset}.");
            bytes = bytes[count..];
            offset += count;
        }
    }

    private T[] ReadArray<T>(string name, DType dtype)
        where T : unmanaged
    {
        if (DTypeOf(name) != dtype)
            throw Bad($"{SafetensorsHeader.Printable(name)} is {StoredTypeOf(name)}, asked for {dtype}");
        var values = new T[ShapeOf(name).Count];
        ReadChunks(name, (start, words) => MemoryMarshal.Cast<int, T>(words).CopyTo(values.AsSpan((int)start)));
        return values;
    }

    private void ReadChunks(string name, ReadChunk receive)
    {
        var entry = Entry(name);
        int size = SafetensorsFormat.Bits(entry.DType) / 8;
        byte[] chunk = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        int[] words = ArrayPool<int>.Shared.Rent(ChunkBytes / size);
        for (long at = entry.Begin; at < entry.End;)
        {
            var part = chunk.AsSpan(0, (int)Math.Min(ChunkBytes, entry.End - at));
            ReadExactly(_path, _file, part, _dataStart + at);
            var wide = words.AsSpan(0, part.Length / size);
            Widen(entry.DType, part, wide);
            receive((at - entry.Begin) / size, wide);
            at += part.Length;
        }

        ArrayPool<byte>.Shared.Return(chunk);
        ArrayPool<int>.Shared.Return(words);
    }

    private static void Widen(string dtype, ReadOnlySpan<byte> bytes, Span<int> words)
    {
        switch (dtype)
        {
            case "BF16":
                for (int i = 0; i < words.Length; i++)
                    words[i] = BinaryPrimitives.ReadUInt16LittleEndian(bytes[(2 * i)..]) << 16;
                break;
            case "F16":
                for (int i = 0; i < words.Length; i++)
                    words[i] = BitConverter.SingleToInt32Bits((float)BinaryPrimitives.ReadHalfLittleEndian(bytes[(2 * i)..]));
                break;
            default:
                bytes.CopyTo(MemoryMarshal.AsBytes(words));
                SafetensorsFormat.ToLittleEndian(MemoryMarshal.AsBytes(words));
                break;
        }
    }

    private SafetensorsEntry Entry(string name)
        => _header.Entries.TryGetValue(name, out var entry) ? entry : throw Bad($"must have a tensor called {SafetensorsHeader.Printable(name)}, got none");

    private InvalidDataException Bad(string message) => new($"{_path}: {message}.");

    private delegate void ReadChunk(long start, ReadOnlySpan<int> words);
}
