using System.Text;

namespace CudaSeq.Models;

/// <summary>
/// Pieces are single characters (Unicode scalar values, so a pair of surrogates is one piece), a space shown as U+2581. Reversible for any text.
/// </summary>
public sealed class CharacterTokenizer : ITokenizer
{
    /// <inheritdoc/>
    public string Name => "character";

    /// <inheritdoc/>
    public IReadOnlyList<string> Pieces => [];

    /// <inheritdoc/>
    public string[] Encode(string line)
    {
        string text = SpaceMark.Exchange(line);
        var pieces = new List<string>(text.Length);
        for (int i = 0, length; i < text.Length; i += length)
        {
            _ = Rune.DecodeFromUtf16(text.AsSpan(i), out _, out length);
            pieces.Add(text.Substring(i, length));
        }

        return [.. pieces];
    }

    /// <inheritdoc/>
    public string Decode(params ReadOnlySpan<string> pieces) => SpaceMark.Exchange(string.Concat(pieces));
}
