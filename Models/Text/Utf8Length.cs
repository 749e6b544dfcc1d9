namespace CudaSeq.Models;

/// <summary>How many bytes a character of UTF-8 has.</summary>
internal static class Utf8Length
{
    /// <summary>The bytes of the character that begins with this one; 1 where none begins with it.</summary>
    public static int Of(byte first) => first switch
    {
        < 0xC0 => 1,
        < 0xE0 => 2,
        < 0xF0 => 3,
        _ => 4,
    };
}
