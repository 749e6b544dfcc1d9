using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;

namespace CudaSeq.Models;

/// <summary>Reads one text line by line, notes what is wrong with it, and gives of each line what pairs need: how long it is, and what stands for it.</summary>
internal sealed class TextCheck : IDisposable
{
    private const char ByteOrderMark = '\uFEFF';

    private static readonly SearchValues<char> Separators = SearchValues.Create("\r\v\f\u001C\u001D\u001E\u0085\u2028\u2029");
    private static readonly SearchValues<char> ZeroWidths = SearchValues.Create(
        "\u200B\u200C\u200D\u200E\u200F\u202A\u202B\u202C\u202D\u202E\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069");

    private static readonly SearchValues<char> Controls = SearchValues.Create(
        Enumerable.Range(1, 0x9F).Select(c => (char)c).Where(c => char.IsControl(c) && c != '\t' && !Separators.Contains(c)).ToArray());

    private readonly ByteLines _lines;
    private readonly string _path;
    private readonly CorpusCheckOptions _options;
    private readonly FindingList _findings;
    private readonly Dictionary<ulong, int> _seen = [];
    private char[] _text = new char[1024];
    private long _words;
    private long _characters;
    private long _longest;
    private long _longestCharacters;
    private long _carriageReturns;

    /// <summary>Opens a text.</summary>
    public TextCheck(string path, CorpusCheckOptions options)
    {
        (_path, _options, _findings) = (path, options, new FindingList(options.Examples));
        _lines = new ByteLines(path);
    }

    /// <summary>The line's number, from 1.</summary>
    public long Number => _lines.Number;

    /// <summary>The line's words.</summary>
    public int Words { get; private set; }

    /// <summary>The line's code points.</summary>
    public int Characters { get; private set; }

    /// <summary>Stands for the line without the white space at its ends; 0 for an empty one. Two lines of equal value are taken for the same: 64 bits of SHA-256.</summary>
    public ulong Value { get; private set; }

    /// <summary>The first line of each value.</summary>
    public IReadOnlyDictionary<ulong, int> Seen => _seen;

    /// <summary>Goes to the next line.</summary>
    public bool Next()
    {
        if (!_lines.Next())
            return false;
        var bytes = _lines.Line;
        if (_lines.Number == 1 && bytes.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
        {
            _findings.Add(CorpusFault.ByteOrderMark, new CorpusPlace(1, 0));
            bytes = bytes[3..];
        }

        if (_lines.End == LineEnd.None)
            _findings.Add(CorpusFault.NoFinalLineEnd, new CorpusPlace(Number));
        if (_lines.End == LineEnd.CarriageReturnFeed)
        {
            _carriageReturns++;
            _findings.Add(CorpusFault.MixedLineEnds, new CorpusPlace(Number));
        }

        if (_text.Length < bytes.Length)
            _text = new char[Math.Max(bytes.Length, 2 * _text.Length)];
        bool valid = Utf8.IsValid(bytes);
        var text = _text.AsSpan(0, Encoding.UTF8.GetChars(bytes, _text));
        if (!valid)
            _findings.Add(CorpusFault.InvalidUtf8, new CorpusPlace(Number, _lines.Offset + (_lines.Line.Length - bytes.Length) + FirstInvalid(bytes)));
        Look(text, valid);
        Measure(text);
        return true;
    }

    /// <summary>What was found in the lines so far.</summary>
    public TextReport Report()
    {
        if (_lines.Number == 0)
            _findings.Add(CorpusFault.NoLines);
        if (_carriageReturns == _lines.Number)
            _findings.Rename(CorpusFault.MixedLineEnds, CorpusFault.CrLf);
        return new(_path, _lines.Offset, _lines.Number, _words, _characters, _longest, _longestCharacters, _findings.ToArray());
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _lines.Dispose();

    // What a conversion left is told of valid text only: elsewhere it stands for the bytes that are told already.
    private void Look(ReadOnlySpan<char> text, bool valid)
    {
        Note(CorpusFault.Nul, text.Contains('\0'));
        Note(CorpusFault.ControlCharacters, text.ContainsAny(Controls));
        Note(CorpusFault.LineSeparators, text.ContainsAny(Separators));
        Note(CorpusFault.InnerByteOrderMark, text.Contains(ByteOrderMark));
        Note(CorpusFault.ZeroWidth, text.ContainsAny(ZeroWidths));
        Note(CorpusFault.Replacement, valid && text.Contains('\uFFFD'));
        Note(CorpusFault.NotNfc, !CanonicalComposition.Holds(text));
    }

    private void Measure(ReadOnlySpan<char> text)
    {
        (Words, Characters) = (0, 0);
        bool inWord = false;
        foreach (char c in text)
        {
            bool white = char.IsWhiteSpace(c);
            Words += !white && !inWord ? 1 : 0;
            Characters += char.IsLowSurrogate(c) ? 0 : 1;
            inWord = !white;
        }

        _words += Words;
        _characters += Characters;
        if (Characters > _longestCharacters || Number == 1)
            (_longest, _longestCharacters) = (Number, Characters);
        Note(CorpusFault.Long, Characters > _options.LongLine);
        Value = Words == 0 ? 0 : ValueOf(MemoryMarshal.AsBytes(text.Trim()));
        if (Words == 0)
            _findings.Add(CorpusFault.Empty, new CorpusPlace(Number));
        else
            _findings.AddRepeated(CorpusFault.RepeatedLine, _seen, Value, Number);
    }

    /// <summary>Stands for bytes; never 0.</summary>
    public static ulong ValueOf(ReadOnlySpan<byte> bytes)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        return Math.Max(1, MemoryMarshal.Read<ulong>(hash));
    }

    private static int FirstInvalid(ReadOnlySpan<byte> bytes)
    {
        int at = 0;
        while (Rune.DecodeFromUtf8(bytes[at..], out _, out int length) == OperationStatus.Done)
            at += length;
        return at;
    }

    private void Note(CorpusFault fault, bool found)
    {
        if (found)
            _findings.Add(fault, new CorpusPlace(Number));
    }
}
