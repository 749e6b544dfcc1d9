using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

/// <summary>
/// Writes tensors to a file in the safetensors format (huggingface/safetensors: 8 bytes of header length, a JSON header, the data).
/// The file appears whole or not at all, and carries a checksum over every byte of itself.
/// </summary>
public static class SafetensorsWriter
{
    private const int ChunkElements = 256 * 1024;

    /// <summary>
    /// Writes to a temporary file beside <paramref name="path"/>, flushes it to the disk and renames it, so that an old file of that name survives any failure.
    /// The same tensors and metadata give the same bytes. Two entries of the metadata are the writer's own: "cudaseq.checksum" names the algorithm, sha256,
    /// and "cudaseq.sha256" is the hash of the whole file with its own 64 digits as zeros.
    /// </summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="tensors">Names and tensors, written in this order.</param>
    /// <param name="metadata">Free text by name.</param>
    /// <exception cref="ArgumentException">A name appears twice or is the writer's own, or a tensor is of another type than Float32 and Int32.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        KeyValuePair<string, Tensor>[] all = [.. tensors];
        Check(all, metadata);
        byte[] header = Header(all, metadata, out int digest);
        string temporary = path + ".partial";
        try
        {
            using (var file = new FileStream(temporary, FileMode.Create, FileAccess.ReadWrite, FileShare.None, bufferSize: 0))
            {
                byte[] hash = WriteAll(file, header, all);
                file.Position = SafetensorsFormat.LengthBytes + digest;
                file.Write(Encoding.ASCII.GetBytes(Convert.ToHexStringLower(hash)));
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private static void Check(KeyValuePair<string, Tensor>[] tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, tensor) in tensors)
        {
            if (tensor.DType.IsNarrow())
                throw new ArgumentException($"SafetensorsWriter: tensors must be Float32 or Int32, got {tensor} for {name}.");
            if (name == SafetensorsFormat.Metadata)
                throw new ArgumentException($"SafetensorsWriter: no tensor may be called {name}.");
            if (!names.Add(name))
                throw new ArgumentException($"SafetensorsWriter: names must be distinct, got {name} twice.");
        }

        foreach (string own in (string[])[SafetensorsFormat.Checksum, SafetensorsFormat.Digest])
        {
            if (metadata is not null && metadata.ContainsKey(own))
                throw new ArgumentException($"SafetensorsWriter: the metadata entry \"{own}\" is the writer's own.");
        }
    }

    // The first entry is the metadata and its last one the hash, whose place is thereby known.
    private static byte[] Header(KeyValuePair<string, Tensor>[] tensors, IReadOnlyDictionary<string, string>? metadata, out int digest)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteStartObject(SafetensorsFormat.Metadata);
            foreach (var (key, value) in metadata ?? new Dictionary<string, string>())
                json.WriteString(key, value);
            json.WriteString(SafetensorsFormat.Checksum, SafetensorsFormat.Algorithm);
            json.WriteString(SafetensorsFormat.Digest, SafetensorsFormat.NoDigest);
            json.Flush();
            digest = buffer.WrittenCount - 1 - SafetensorsFormat.NoDigest.Length;
            json.WriteEndObject();
            long offset = 0;
            foreach (var (name, tensor) in tensors)
            {
                json.WriteStartObject(name);
                json.WriteString("dtype", tensor.DType == DType.Float32 ? "F32" : "I32");
                json.WriteStartArray("shape");
                foreach (int size in tensor.Shape)
                    json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += tensor.Shape.Count * tensor.DType.Size());
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        // Blanks up to a multiple of eight bytes align the data.
        var header = new byte[(buffer.WrittenCount + 7) / 8 * 8];
        buffer.WrittenSpan.CopyTo(header);
        header.AsSpan(buffer.WrittenCount).Fill((byte)' ');
        return header;
    }

    private static byte[] WriteAll(FileStream file, byte[] header, KeyValuePair<string, Tensor>[] tensors)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> length = stackalloc byte[SafetensorsFormat.LengthBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        Append(length);
        Append(header);
        byte[] chunk = ArrayPool<byte>.Shared.Rent(ChunkElements * sizeof(float));
        foreach (var (_, tensor) in tensors)
        {
            var data = tensor.Data;
            for (long start = 0; start < data.Length; start += ChunkElements)
            {
                int count = (int)Math.Min(ChunkElements, data.Length - start);
                var bytes = chunk.AsSpan(0, count * sizeof(float));
                CopyKernel.ToHost(data with { Offset = data.Offset + start, Length = count }, MemoryMarshal.Cast<byte, int>(bytes));
                SafetensorsFormat.ToLittleEndian(bytes);
                Append(bytes);
            }
        }

        ArrayPool<byte>.Shared.Return(chunk);
        return hash.GetHashAndReset();

        void Append(ReadOnlySpan<byte> bytes)
        {
            file.Write(bytes);
            hash.AppendData(bytes);
        }
    }
}
