using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace CudaSeq.Models;

/// <summary>
/// SentencePiece's normalisation: the longest rule of the model's table that fits is applied again and again, then spaces are reduced, escaped and one is set before
/// the text, each as the model says.
/// </summary>
/// <remarks>
/// The table is a double array trie (Aoe, "An efficient digital search algorithm by using a double-array structure", IEEE TSE 1989) of 32-bit units as darts-clone
/// writes it, then the texts to put in, each ended by a zero byte. A unit has its label in bits 0 .. 7, in bit 8 whether a value hangs below it, in bits 10 .. 31 the
/// distance to its children, shifted by 8 if bit 9 is set; the unit with a value has bit 31 set and the place of the text in the others.
/// All that a text can reach in it is checked once, when it is loaded.
/// </remarks>
internal sealed class SentencePieceNormalizer
{
    private const uint HasValue = 1u << 8;
    private const uint ValueUnit = 1u << 31;

    // What the builder of the tables keeps to, and what the reader of SentencePiece looks at.
    private const int MostRulesAtAPlace = 32;

    private static readonly byte[] SpaceMarkUtf8 = Encoding.UTF8.GetBytes([SpaceMark.Mark]);

    private readonly SentencePieceSpec _spec;
    private readonly bool _spaceIsSuffix;
    private readonly PieceTrie _userDefined;
    private readonly uint[] _units = [];
    private readonly byte[] _texts = [];

    /// <summary>A normaliser.</summary>
    /// <param name="spec">What the model says.</param>
    /// <param name="spaceIsSuffix">Whether the space before the text is set behind it instead.</param>
    /// <param name="userDefined">Texts that stay as they are.</param>
    /// <param name="name">What errors call it.</param>
    /// <exception cref="InvalidDataException">The table is damaged.</exception>
    public SentencePieceNormalizer(SentencePieceSpec spec, bool spaceIsSuffix, PieceTrie userDefined, string name)
    {
        _spec = spec;
        _spaceIsSuffix = spaceIsSuffix;
        _userDefined = userDefined;
        if (spec.CharsMap.Length == 0)
            return;
        var map = spec.CharsMap.AsSpan();
        uint size = map.Length > sizeof(uint) ? BinaryPrimitives.ReadUInt32LittleEndian(map) : 0;
        if (size < sizeof(uint) || size % sizeof(uint) != 0 || size >= map.Length - sizeof(uint))
            throw new InvalidDataException($"{name}: must begin with the bytes of its trie, a multiple of 4 below {Math.Max(0, map.Length - sizeof(uint))}, got {size}.");
        _units = new uint[size / sizeof(uint)];
        for (int i = 0; i < _units.Length; i++)
            _units[i] = BinaryPrimitives.ReadUInt32LittleEndian(map[(sizeof(uint) * (i + 1))..]);
        _texts = map[(sizeof(uint) + (int)size)..].ToArray();
        Check(name);
    }

    /// <summary>Normalises a text.</summary>
    /// <param name="text">UTF-8.</param>
    public byte[] Normalize(ReadOnlySpan<byte> text)
    {
        while (_spec.RemoveExtraSpaces && !text.IsEmpty && Next(text, out int length) is [(byte)' '])
            text = text[length..];
        if (text.IsEmpty)
            return [];
        var result = new ArrayBufferWriter<byte>(text.Length + 16);
        ReadOnlySpan<byte> space = _spec.EscapeSpaces ? SpaceMarkUtf8 : " "u8;
        if (_spec.AddDummyPrefix && !_spaceIsSuffix)
            result.Write(space);
        bool afterSpace = _spec.RemoveExtraSpaces;
        while (!text.IsEmpty)
        {
            var part = Next(text, out int length);
            text = text[length..];
            if (afterSpace)
                part = part.TrimStart((byte)' ');
            if (part.IsEmpty)
                continue;
            afterSpace = _spec.RemoveExtraSpaces && part[^1] == ' ';
            for (int blank; (blank = part.IndexOf((byte)' ')) >= 0; part = part[(blank + 1)..])
            {
                result.Write(part[..blank]);
                result.Write(space);
            }

            result.Write(part);
        }

        var whole = result.WrittenSpan;
        while (_spec.RemoveExtraSpaces && whole.EndsWith(space))
            whole = whole[..^space.Length];
        return _spec.AddDummyPrefix && _spaceIsSuffix ? [.. whole, .. space] : whole.ToArray();
    }

    /// <summary>What the beginning of a text becomes: what is defined by the user, else by the longest rule, else one character, stays or becomes what the rule says.</summary>
    /// <param name="text">What is left of the text; it is not empty.</param>
    /// <param name="length">The bytes of the text that it stands for.</param>
    private ReadOnlySpan<byte> Next(ReadOnlySpan<byte> text, out int length)
    {
        length = _userDefined.LongestPrefix(text);
        if (length > 0)
            return text[..length];
        int value = LongestRule(text, out length);
        if (length > 0)
            return TextAt(value);
        bool valid = Rune.DecodeFromUtf8(text, out _, out length) == OperationStatus.Done;
        length = valid ? length : 1;
        return valid ? text[..length] : "\uFFFD"u8;
    }

    private int LongestRule(ReadOnlySpan<byte> text, out int length)
    {
        int value = 0, found = 0;
        length = 0;
        if (_units.Length == 0)
            return value;
        uint at = Offset(_units[0]);
        for (int i = 0; i < text.Length && found < MostRulesAtAPlace; i++)
        {
            at ^= text[i];
            uint unit = _units[at];
            if (Label(unit) != text[i])
                break;
            at ^= Offset(unit);
            if ((unit & HasValue) == 0)
                continue;
            value = (int)(_units[at] & ~ValueUnit);
            length = i + 1;
            found++;
        }

        return value;
    }

    private ReadOnlySpan<byte> TextAt(int place)
    {
        var rest = _texts.AsSpan(place);
        return rest[..rest.IndexOf((byte)0)];
    }

    /// <summary>Walks all of the trie that a text can come to: every child must be inside of it, and every value the place of a text.</summary>
    private void Check(string name)
    {
        // Were the last text without an end, or one cut within a character, what it is put into would be no text.
        if (!Utf8.IsValid(_texts) || _texts[^1] != 0)
            throw new InvalidDataException($"{name}: must end in texts of UTF-8, each ended by a zero byte.");
        var seen = new bool[_units.Length];
        var waiting = new Stack<uint>([0]);
        while (waiting.TryPop(out uint at))
        {
            uint unit = _units[at], children = at ^ Offset(unit);
            if ((children | 0xFF) >= _units.Length)
                throw new InvalidDataException($"{name}: unit {at} of the trie must have its children below {_units.Length}, got {children | 0xFF}.");
            if ((unit & HasValue) != 0 && ((_units[children] & ~ValueUnit) is var place) && (place >= _texts.Length || (_texts[place] & 0xC0) == 0x80))
                throw new InvalidDataException($"{name}: unit {children} of the trie must be the place of a text, got {place} of {_texts.Length}.");
            for (uint label = 0; label <= 0xFF; label++)
            {
                uint child = children ^ label;
                if (Label(_units[child]) != label || seen[child])
                    continue;
                seen[child] = true;
                waiting.Push(child);
            }
        }
    }

    private static uint Label(uint unit) => unit & (ValueUnit | 0xFF);

    private static uint Offset(uint unit) => (unit >> 10) << (int)((unit & (1u << 9)) >> 6);
}
