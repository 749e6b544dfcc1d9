using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace CudaSeq.Models;

/// <summary>SHA-256 of samples. Each part goes in behind its length, so that what stands on one side of a border cannot be taken for the other's.</summary>
internal sealed class SamplesFingerprint : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public SamplesFingerprint Add(ReadOnlySpan<int> ids)
    {
        int length = ids.Length;
        _hash.AppendData(MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in length)));
        _hash.AppendData(MemoryMarshal.AsBytes(ids));
        return this;
    }

    public SamplesFingerprint Add(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        int length = bytes.Length;
        _hash.AppendData(MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in length)));
        _hash.AppendData(bytes);
        return this;
    }

    // 1 and 1.0 are one weight.
    public SamplesFingerprint Add(decimal weight) => Add(weight.ToString("G29", CultureInfo.InvariantCulture));

    /// <summary>The hash in hexadecimal digits; what is added next begins another.</summary>
    public string Take() => Convert.ToHexStringLower(_hash.GetHashAndReset());

    public void Dispose() => _hash.Dispose();
}
