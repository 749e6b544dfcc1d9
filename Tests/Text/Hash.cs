using System.Security.Cryptography;
using System.Text;

namespace CudaSeq.Tests;

/// <summary>Results of another program, too long to be written down.</summary>
internal static class Hash
{
    /// <summary>The beginning of the SHA-256 of lines, each ended by LF.</summary>
    public static string Of(IEnumerable<string> lines)
        => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(lines.Select(l => l + "\n")))))[..16];
}
