using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace CudaSeq.Tensors;

/// <summary>What the reader and the writer of safetensors files agree on.</summary>
internal static class SafetensorsFormat
{
    public const int LengthBytes = 8;

    /// <summary>The reference implementation's limit for the header.</summary>
    public const long MaxHeaderBytes = 100_000_000;

    public const string Metadata = "__metadata__";

    /// <summary>
    /// The two entries guard each other: where the first says sha256 there must be the second, and where the second is it must be right.
    /// So no damaged bit of either can switch the check off.
    /// </summary>
    public const string Checksum = "cudaseq.checksum";

    public const string Digest = "cudaseq.sha256";

    /// <summary>What the first says.</summary>
    public const string Algorithm = "sha256";

    /// <summary>Stands in the place of the digest while the digest is computed.</summary>
    public const string NoDigest = "0000000000000000000000000000000000000000000000000000000000000000";

    /// <summary>Bits of an element; 0 for a type the format does not have.</summary>
    public static int Bits(string dtype) => dtype switch
    {
        "F64" or "I64" or "U64" or "C64" => 64,
        "F32" or "I32" or "U32" => 32,
        "F16" or "BF16" or "I16" or "U16" => 16,
        "F8_E5M2" or "F8_E4M3" or "F8_E8M0" or "I8" or "U8" or "BOOL" => 8,
        "F6_E2M3" or "F6_E3M2" => 6,
        "F4" => 4,
        _ => 0,
    };

    /// <summary>Swaps the bytes of 4-byte elements on a big-endian machine.</summary>
    public static void ToLittleEndian(Span<byte> elements)
    {
        if (!BitConverter.IsLittleEndian)
        {
            var words = MemoryMarshal.Cast<byte, int>(elements);
            BinaryPrimitives.ReverseEndianness(words, words);
        }
    }
}
