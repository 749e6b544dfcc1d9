using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace CudaSeq.Models;

/// <summary>SHA-256 of samples. Each part goes in behind its length, so that what stands on one side of a border cannot be taken for the other's.</summary>
internal sealed class SamplesFingerprint : IDisposable
{
    private const int PieceLength = 1 << 12;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public SamplesFingerprint Add(ReadOnlySpan<int> ids) => Begin(ids.Length).Append(ids);

    public SamplesFingerprint Add(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        return Begin(bytes.Length).Append<byte>(bytes);
    }

    /// <summary>Adds rising positions: as ids where the last is one that 32 bits hold, otherwise with 64 bits each.</summary>
    /// <param name="count">How many there are.</param>
    /// <param name="last">The last, 0 of none.</param>
    /// <param name="position">Gives each, from 0.</param>
    public SamplesFingerprint Add(int count, long last, Func<int, long> position)
    {
        Begin(count);
        return last <= int.MaxValue ? Pieces(count, i => (int)position(i)) : Pieces(count, position);
    }

    /// <summary>Begins a part of ids that follow with <see cref="Append"/>; what could also be added whole gives the same hash either way.</summary>
    /// <param name="length">How many ids they are.</param>
    public SamplesFingerprint Begin(long length)
        => length <= int.MaxValue ? Append<int>([(int)length]) : Append<long>([length]);

    /// <summary>Adds a piece of the part that was begun.</summary>
    public SamplesFingerprint Append<T>(ReadOnlySpan<T> piece)
        where T : unmanaged
    {
        _hash.AppendData(MemoryMarshal.AsBytes(piece));
        return this;
    }

    // 1 and 1.0 are one weight.
    public SamplesFingerprint Add(decimal weight) => Add(weight.ToString("G29", CultureInfo.InvariantCulture));

    /// <summary>The hash in hexadecimal digits; what is added next begins another.</summary>
    public string Take() => Convert.ToHexStringLower(_hash.GetHashAndReset());

    public void Dispose() => _hash.Dispose();

    private SamplesFingerprint Pieces<T>(int count, Func<int, T> value)
        where T : unmanaged
    {
        var piece = new T[Math.Min(count, PieceLength)];
        for (long start = 0; start < count; start += piece.Length)
        {
            int length = (int)Math.Min(piece.Length, count - start);
            for (int i = 0; i < length; i++)
                piece[i] = value((int)start + i);
            Append<T>(piece.AsSpan(0, length));
        }

        return this;
    }
}
