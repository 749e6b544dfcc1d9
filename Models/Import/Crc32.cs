using System.Buffers.Binary;

namespace CudaSeq.Models;

/// <summary>The CRC-32 that zip archives carry (the reflected polynomial 0xEDB88320), eight bytes at a time.</summary>
internal static class Crc32
{
    private const int Slices = 8;
    private const int Values = 256;

    // Row s, value b: what b becomes when s more zero bytes follow it.
    private static readonly uint[] Table = MakeTable();

    /// <summary>Continues a checksum, of 0 at first.</summary>
    public static uint Append(uint checksum, ReadOnlySpan<byte> bytes)
    {
        uint state = ~checksum;
        for (; bytes.Length >= Slices; bytes = bytes[Slices..])
        {
            ulong word = BinaryPrimitives.ReadUInt64LittleEndian(bytes) ^ state;
            state = 0;
            for (int slice = Slices - 1; slice >= 0; slice--, word >>= 8)
                state ^= Table[(slice * Values) + (byte)word];
        }

        foreach (byte value in bytes)
            state = (state >> 8) ^ Table[(byte)(state ^ value)];
        return ~state;
    }

    private static uint[] MakeTable()
    {
        var table = new uint[Slices * Values];
        for (uint value = 0; value < Values; value++)
        {
            uint state = value;
            for (int bit = 0; bit < 8; bit++)
                state = (state >> 1) ^ ((state & 1) * 0xEDB88320);
            table[value] = state;
        }

        for (int i = Values; i < table.Length; i++)
            table[i] = (table[i - Values] >> 8) ^ table[(byte)table[i - Values]];
        return table;
    }
}
