using System.Buffers.Binary;
using System.Globalization;

namespace CudaSeq.Models;

/// <summary>How a field of a message is written.</summary>
internal enum WireType
{
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}

/// <summary>
/// Reads the fields of one message of the protocol buffers' wire format, one after the other, and trusts none of it: each length is held against what is left.
/// Source: Protocol Buffers Documentation, "Encoding". Groups, which proto3 has no more, are refused.
/// </summary>
/// <param name="bytes">The message.</param>
/// <param name="start">Where in the file it begins, for errors.</param>
/// <param name="name">What errors call the file.</param>
internal ref struct WireReader(ReadOnlySpan<byte> bytes, int start, string name)
{
    private const int LongestVarint = 10;

    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _at;

    /// <summary>The field that <see cref="Next"/> came to.</summary>
    public int Field { get; private set; }

    /// <summary>How it is written.</summary>
    public WireType Type { get; private set; }

    /// <summary>Where in the file its value begins.</summary>
    public readonly int Position => start + _at;

    /// <summary>Comes to the next field, whose value is then to be read or skipped; false where the message ends.</summary>
    public bool Next()
    {
        if (_at == _bytes.Length)
            return false;
        int at = Position;
        ulong key = ReadVarint();
        if (key >> 3 is 0 or > int.MaxValue >> 2)
            throw Wrong(at, $"a field must have a number of 1 .. {int.MaxValue >> 2}, got {key >> 3}");
        Field = (int)(key >> 3);
        Type = (WireType)(key & 7);
        return Type is WireType.Varint or WireType.Fixed64 or WireType.Bytes or WireType.Fixed32
            ? true
            : throw Wrong(at, $"field {Field} must have wire type 0, 1, 2 or 5, got {(int)Type}");
    }

    /// <summary>A whole number, of which the low 32 bits matter.</summary>
    public int Int32()
    {
        Expect(WireType.Varint);
        return (int)ReadVarint();
    }

    public bool Bool()
    {
        Expect(WireType.Varint);
        return ReadVarint() != 0;
    }

    public float Float()
    {
        Expect(WireType.Fixed32);
        return BinaryPrimitives.ReadSingleLittleEndian(Take(sizeof(float)));
    }

    /// <summary>Bytes, a text or a message.</summary>
    public ReadOnlySpan<byte> Bytes()
    {
        Expect(WireType.Bytes);
        return Take(ReadVarint());
    }

    public void Skip()
    {
        switch (Type)
        {
            case WireType.Varint:
                ReadVarint();
                break;
            case WireType.Bytes:
                Bytes();
                break;
            case WireType.Fixed64:
                Take(sizeof(ulong));
                break;
            case WireType.Fixed32:
            default:
                Take(sizeof(uint));
                break;
        }
    }

    private readonly void Expect(WireType type)
    {
        if (Type != type)
            throw Wrong(Position, $"field {Field} must have wire type {(int)type}, got {(int)Type}");
    }

    private ulong ReadVarint()
    {
        int at = Position;
        ulong value = 0;
        for (int i = 0; i < LongestVarint && _at < _bytes.Length; i++)
        {
            byte b = _bytes[_at++];
            value |= (ulong)(b & 0x7F) << (7 * i);
            if (b < 0x80)
                return value;
        }

        throw Wrong(at, $"a whole number must end within its message and {LongestVarint} bytes");
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        int left = _bytes.Length - _at;
        if (length > (ulong)left)
            throw Wrong(Position, $"field {Field} must end within its message, got {length} bytes where {left} are left");
        var result = _bytes.Slice(_at, (int)length);
        _at += (int)length;
        return result;
    }

    private readonly InvalidDataException Wrong(int at, string problem) => new(string.Create(CultureInfo.InvariantCulture, $"{name}: is no SentencePiece model: byte {at + 1}: {problem}."));
}
