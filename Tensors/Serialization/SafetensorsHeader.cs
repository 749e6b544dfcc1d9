using System.Globalization;
using System.Text.Json;

namespace CudaSeq.Tensors;

/// <summary>What a header says about one tensor; every number has been checked against the others and the file.</summary>
/// <param name="DType">The format's name of the element type.</param>
/// <param name="Sizes">The shape.</param>
/// <param name="Begin">First byte, from the start of the data.</param>
/// <param name="End">Behind the last byte.</param>
internal sealed record SafetensorsEntry(string DType, long[] Sizes, long Begin, long End);

/// <summary>
/// The header of a safetensors file, read without trust: offsets must tile the data without holes or overlap, lengths must follow from type and shape.
/// </summary>
internal sealed class SafetensorsHeader
{
    private readonly long _dataBytes;

    private SafetensorsHeader(long dataBytes) => _dataBytes = dataBytes;

    public List<string> Names { get; } = [];

    public Dictionary<string, SafetensorsEntry> Entries { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    /// <summary>Where in the header the checksum's digits stand; -1 where there is none.</summary>
    public int DigestPosition { get; private set; } = -1;

    /// <summary>Parses and checks.</summary>
    /// <exception cref="InvalidDataException">The header breaks a rule; the message does not name the file.</exception>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> json, long dataBytes)
    {
        var header = new SafetensorsHeader(dataBytes);
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 4 });
        try
        {
            header.ReadAll(ref reader);
        }
        catch (JsonException)
        {
            throw new InvalidDataException($"the header must be JSON, got an error behind byte {reader.BytesConsumed}");
        }
        catch (InvalidOperationException)
        {
            // What the reader throws for text that is not UTF-8.
            throw new InvalidDataException("the header must be valid UTF-8");
        }

        header.CheckTiling();
        header.CheckDigest();
        return header;
    }

    /// <summary>A name from a file for an error message: on one line, and short.</summary>
    public static string Printable(string name)
    {
        string text = name.Length > 100 ? name[..100] + "..." : name;
        return string.Concat(text.Select(c => char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029' ? '?' : c));
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType token, string what)
    {
        if (!reader.Read() || reader.TokenType != token)
            throw new InvalidDataException(what);
    }

    private static long[] Numbers(ref Utf8JsonReader reader, string name, string field)
    {
        Expect(ref reader, JsonTokenType.StartArray, $"{Printable(name)}: {field} must be a list of numbers");
        var numbers = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long number) || number < 0)
                throw new InvalidDataException($"{Printable(name)}: {field} must be whole numbers from 0 to 2^63 - 1");
            numbers.Add(number);
        }

        return [.. numbers];
    }

    // Bytes of a tensor, or null where they are no whole number or too many to count.
    private static long? Bytes(string dtype, long[] sizes)
    {
        if (sizes.Contains(0))
            return 0;
        UInt128 bits = (uint)SafetensorsFormat.Bits(dtype);
        foreach (long size in sizes)
        {
            bits *= (ulong)size;
            if (bits > long.MaxValue)
                return null;
        }

        return bits % 8 == 0 ? (long)(bits / 8) : null;
    }

    private void ReadAll(ref Utf8JsonReader reader)
    {
        Expect(ref reader, JsonTokenType.StartObject, "the header must be a JSON object");
        bool metadata = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            if (name == SafetensorsFormat.Metadata)
            {
                if (metadata)
                    throw new InvalidDataException($"names must be distinct, got {name} twice");
                metadata = true;
                ReadMetadata(ref reader);
                continue;
            }

            var entry = ReadEntry(ref reader, name);
            if (!Entries.TryAdd(name, entry))
                throw new InvalidDataException($"names must be distinct, got {Printable(name)} twice");
            Names.Add(name);
        }

        // Only blanks may follow; anything else is the reader's own error.
        reader.Read();
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        Expect(ref reader, JsonTokenType.StartObject, "the metadata must be texts by name");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = reader.GetString()!;
            Expect(ref reader, JsonTokenType.String, $"the metadata must be texts by name, got another value for {Printable(key)}");
            if (!Metadata.TryAdd(key, reader.GetString()!))
                throw new InvalidDataException($"the metadata's names must be distinct, got {Printable(key)} twice");
            if (key == SafetensorsFormat.Digest)
                DigestPosition = reader.ValueIsEscaped ? -1 : checked((int)reader.TokenStartIndex + 1);
        }
    }

    private SafetensorsEntry ReadEntry(ref Utf8JsonReader reader, string name)
    {
        Expect(ref reader, JsonTokenType.StartObject, $"{Printable(name)}: must be an object with dtype, shape and data_offsets");
        string? dtype = null;
        long[]? sizes = null, offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string field = reader.GetString()!;
            switch (field)
            {
                case "dtype" when dtype is null:
                    Expect(ref reader, JsonTokenType.String, $"{Printable(name)}: dtype must be a text");
                    dtype = reader.GetString()!;
                    break;
                case "shape" when sizes is null:
                    sizes = Numbers(ref reader, name, field);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = Numbers(ref reader, name, field);
                    break;
                default:
                    throw new InvalidDataException($"{Printable(name)}: must have dtype, shape and data_offsets once each and nothing else, got {Printable(field)}");
            }
        }

        if (dtype is null || sizes is null || offsets is null)
            throw new InvalidDataException($"{Printable(name)}: must have dtype, shape and data_offsets");
        if (SafetensorsFormat.Bits(dtype) == 0)
            throw new InvalidDataException($"{Printable(name)}: dtype must be one of the format's, got {Printable(dtype)}");
        if (offsets.Length != 2 || offsets[0] > offsets[1] || offsets[1] > _dataBytes)
        {
            string hint = offsets.Length == 2 && offsets[0] <= offsets[1] ? "; is the file cut off?" : "";
            throw new InvalidDataException(
                $"{Printable(name)}: data_offsets must be [begin, end] inside the {_dataBytes} bytes of data, got {List(offsets)}{hint}");
        }

        if (Bytes(dtype, sizes) != offsets[1] - offsets[0])
            throw new InvalidDataException($"{Printable(name)}: {dtype} {List(sizes)} must fill its data_offsets, got {List(offsets)}");
        return new SafetensorsEntry(dtype, sizes, offsets[0], offsets[1]);

        static string List(long[] numbers)
            => $"[{string.Join(", ", numbers.Take(8).Select(n => n.ToString(CultureInfo.InvariantCulture)))}{(numbers.Length > 8 ? ", ..." : "")}]";
    }

    private void CheckTiling()
    {
        long end = 0;
        foreach (string name in Names.OrderBy(n => Entries[n].Begin).ThenBy(n => Entries[n].End))
        {
            var entry = Entries[name];
            if (entry.Begin != end)
                throw new InvalidDataException($"{Printable(name)}: must begin at byte {end}, where the tensor before it ends, got {entry.Begin}");
            end = entry.End;
        }

        if (end != _dataBytes)
            throw new InvalidDataException($"the data must be {end} bytes, got {_dataBytes}");
    }

    private void CheckDigest()
    {
        bool announced = Metadata.TryGetValue(SafetensorsFormat.Checksum, out string? algorithm) && algorithm == SafetensorsFormat.Algorithm;
        bool present = Metadata.TryGetValue(SafetensorsFormat.Digest, out string? digest);
        if (!announced && !present)
            return;
        if (!announced || digest is not { Length: 64 } || DigestPosition < 0 || !digest.All(char.IsAsciiHexDigitLower))
            throw new InvalidDataException("the checksum must be an entry cudaseq.sha256 of 64 hexadecimal digits, announced by cudaseq.checksum");
    }
}
