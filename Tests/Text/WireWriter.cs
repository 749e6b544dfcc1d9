using System.Buffers.Binary;
using System.Text;

namespace CudaSeq.Tests;

/// <summary>Writes messages of the protocol buffers' wire format.</summary>
internal sealed class WireWriter
{
    private readonly List<byte> _bytes = [];

    public byte[] Done => [.. _bytes];

    public WireWriter Number(int field, ulong value) => Varint((ulong)field << 3).Varint(value);

    public WireWriter Float(int field, float value)
    {
        Varint(((ulong)field << 3) | 5);
        var bytes = new byte[sizeof(float)];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        _bytes.AddRange(bytes);
        return this;
    }

    public WireWriter Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    public WireWriter Message(int field, WireWriter value) => Bytes(field, value.Done);

    public WireWriter Bytes(int field, params byte[] value)
    {
        Varint(((ulong)field << 3) | 2).Varint((ulong)value.Length);
        _bytes.AddRange(value);
        return this;
    }

    public WireWriter Raw(params byte[] value)
    {
        _bytes.AddRange(value);
        return this;
    }

    private WireWriter Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            _bytes.Add((byte)(value | 0x80));
        _bytes.Add((byte)value);
        return this;
    }
}
