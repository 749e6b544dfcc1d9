using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace CudaSeq.Models;

/// <summary>
/// The head of a corpus file. The file is little-endian: 256 bytes of head; the ids, 32 bits each, of every pair its source and then its target, or of every line of a text, each
/// ending in <see cref="Vocabulary.Eos"/>; zeros up to a multiple of 8; a <see cref="CorpusFileEntry"/> for each pair or line; nothing more. A line is a pair without a source.
/// </summary>
internal sealed record CorpusFile
{
    public const int HeadBytes = 256;

    // To be raised also when a tokeniser comes to cut text in another way: what is cached would no longer be what it makes.
    private const int CurrentVersion = 1;
    private const int IdBits = 32;
    private const int OfPairs = 0;
    private const int OfText = 1;
    private const int HashBytes = 32;
    private const int PieceIds = 1 << 16;
    private const int ChecksumAt = HeadBytes - sizeof(uint);

    /// <summary>What the lines became; its name is not in the file. Of a text, its source is nothing.</summary>
    public required LoadReport Report { get; init; }

    /// <summary>How long the lines are that were kept of a text; null in a file of pairs.</summary>
    public TextMeasures? Measures { get; init; }

    /// <summary>Source ids are below it; 0 in a file of a text.</summary>
    public required int SourceVocabulary { get; init; }

    /// <summary>Target ids are below it.</summary>
    public required int TargetVocabulary { get; init; }

    /// <summary>CRC-32C of the ids.</summary>
    public required uint IdsChecksum { get; init; }

    /// <summary>CRC-32C of the entries.</summary>
    public required uint EntriesChecksum { get; init; }

    /// <summary>The source text and the target text, or the one text.</summary>
    public required IReadOnlyList<TextFingerprint> Texts { get; init; }

    /// <summary>SHA-256 of what turned text into ids.</summary>
    public required byte[] Codecs { get; init; }

    /// <summary>Whether its entries are lines of a text, not pairs.</summary>
    public bool IsText => Measures is not null;

    /// <summary>What an entry is called.</summary>
    public string Unit => IsText ? "line" : "pair";

    /// <summary>Ids of both sides.</summary>
    public long Ids => Report.SourceTokens + Report.TargetTokens;

    /// <summary>Where the entries begin.</summary>
    public long EntriesAt => EntriesStart(Ids);

    private static ReadOnlySpan<byte> Magic => "CudaSeqC"u8;

    /// <summary>Where the entries begin behind so many ids.</summary>
    public static long EntriesStart(long ids) => (HeadBytes + (ids * sizeof(int)) + 7) / 8 * 8;

    /// <summary>Whether a file that begins with these bytes, however few, may be a corpus file.</summary>
    public static bool IsOwn(ReadOnlySpan<byte> start) => Magic.StartsWith(start[..Math.Min(start.Length, Magic.Length)]);

    /// <summary>Continues a CRC-32C, of 0 at first.</summary>
    public static uint Checksum(uint checksum, ReadOnlySpan<byte> bytes)
    {
        uint state = ~checksum;
        foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(bytes))
            state = BitOperations.Crc32C(state, word);
        foreach (byte rest in bytes[(bytes.Length / sizeof(ulong) * sizeof(ulong))..])
            state = BitOperations.Crc32C(state, rest);
        return ~state;
    }

    /// <summary>Continues a CRC-32C with ids.</summary>
    public static uint Checksum(uint checksum, ReadOnlySpan<int> ids)
    {
        // In parts: the bytes of a long line's ids may be more than a span can have.
        for (; ids.Length > PieceIds; ids = ids[PieceIds..])
            checksum = Checksum(checksum, MemoryMarshal.AsBytes(ids[..PieceIds]));
        return Checksum(checksum, MemoryMarshal.AsBytes(ids));
    }

    /// <summary>Reads a head; null where it cannot be one of a file of that length, and then why.</summary>
    /// <param name="head">The first <see cref="HeadBytes"/> bytes, or all where there are fewer.</param>
    /// <param name="length">Bytes of the whole file.</param>
    /// <param name="why">Completes "FILE ...".</param>
    public static CorpusFile? Read(ReadOnlySpan<byte> head, long length, out string why)
    {
        why = "";
        if (!IsOwn(head))
            why = "is no corpus of CudaSeq";
        else if (head.Length < HeadBytes)
            why = $"must have at least {HeadBytes} bytes, got {head.Length}";
        else if (Whole(head, 8) is not CurrentVersion and var version)
            why = $"is of version {version}, this build reads {CurrentVersion}";
        else if (Checksum(0, head[..ChecksumAt]) != (uint)Whole(head, ChecksumAt))
            why = "is damaged: the checksum of its head is wrong";
        else if (Whole(head, 12) is not IdBits and var bits)
            why = $"must have ids of {IdBits} bits, got {bits}";
        else if (Whole(head, 100) is not (OfPairs or OfText) and var kind)
            why = $"must be of pairs ({OfPairs}) or of a text ({OfText}), got {kind}";
        if (why.Length > 0)
            return null;
        bool isText = Whole(head, 100) == OfText;
        if (isText ? Whole(head, 84) != 0 || Whole(head, 88) < Vocabulary.SpecialCount : Math.Min(Whole(head, 84), Whole(head, 88)) < Vocabulary.SpecialCount)
        {
            why = isText
                ? $"must have no source vocabulary and one of at least {Vocabulary.SpecialCount} ids, got {Whole(head, 84)} and {Whole(head, 88)}"
                : $"must have vocabularies of at least {Vocabulary.SpecialCount} ids, got {Whole(head, 84)} and {Whole(head, 88)}";
            return null;
        }

        long pairs = Long(head, 16), sourceIds = Long(head, 24), targetIds = Long(head, 32), lines = Long(head, 40);
        long empty = Long(head, 48), tooLong = Long(head, 56), sourceUnknown = Long(head, 64), targetUnknown = Long(head, 72);
        long words = Long(head, 216), characters = Long(head, 224);
        bool counted = pairs is >= 0 and <= int.MaxValue && lines is >= 0 and <= int.MaxValue && empty >= 0 && tooLong >= 0
            && (Int128)pairs + empty + tooLong == lines && sourceUnknown >= 0 && sourceUnknown <= sourceIds && targetUnknown >= 0 && targetUnknown <= targetIds
            && (!isText || (sourceIds == 0 && empty == 0 && words >= pairs && characters >= words));
        Int128 ids = (Int128)sourceIds + targetIds, bytes = ((HeadBytes + (ids * sizeof(int)) + 7) / 8 * 8) + ((Int128)pairs * CorpusFileEntry.Bytes);
        if (!counted)
            why = $"is damaged: its counts contradict each other ({pairs} {(isText ? "kept" : "pairs")} of {lines} lines)";
        else if (bytes != length)
            why = $"must have {bytes} bytes by its head, got {length}";
        if (why.Length > 0)
            return null;
        return new CorpusFile
        {
            Report = new LoadReport("", lines, pairs, empty, tooLong, Whole(head, 80), sourceIds, targetIds, sourceUnknown, targetUnknown),
            Measures = isText ? new TextMeasures(pairs, words, characters) : null,
            SourceVocabulary = Whole(head, 84),
            TargetVocabulary = Whole(head, 88),
            IdsChecksum = (uint)Whole(head, 92),
            EntriesChecksum = (uint)Whole(head, 96),
            Texts = isText ? [Text(head, 144)] : [Text(head, 104), Text(head, 144)],
            Codecs = head.Slice(184, HashBytes).ToArray(),
        };
    }

    /// <summary>The head as it stands in the file.</summary>
    public byte[] Write()
    {
        byte[] head = new byte[HeadBytes];
        Magic.CopyTo(head);
        (int At, int Value)[] wholes =
        [
            (8, CurrentVersion), (12, IdBits), (80, Report.MaxLength), (84, SourceVocabulary), (88, TargetVocabulary), (92, (int)IdsChecksum), (96, (int)EntriesChecksum),
            (100, IsText ? OfText : OfPairs),
        ];
        long[] counts = [Report.Kept, Report.SourceTokens, Report.TargetTokens, Report.Lines, Report.Empty, Report.TooLong, Report.SourceUnknown, Report.TargetUnknown];
        foreach (var (at, value) in wholes)
            BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(at), value);
        for (int i = 0; i < counts.Length; i++)
            BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(16 + (i * sizeof(long))), counts[i]);
        for (int i = 1; i <= Texts.Count; i++)
        {
            int at = 184 - (i * (sizeof(long) + HashBytes));
            BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(at), Texts[^i].Length);
            Texts[^i].Hash.CopyTo(head, at + sizeof(long));
        }

        Codecs.CopyTo(head, 184);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(216), Measures?.Words ?? 0);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(224), Measures?.Characters ?? 0);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(ChecksumAt), Checksum(0, head.AsSpan(..ChecksumAt)));
        return head;
    }

    private static int Whole(ReadOnlySpan<byte> head, int at) => BinaryPrimitives.ReadInt32LittleEndian(head[at..]);

    private static long Long(ReadOnlySpan<byte> head, int at) => BinaryPrimitives.ReadInt64LittleEndian(head[at..]);

    private static TextFingerprint Text(ReadOnlySpan<byte> head, int at) => new(Long(head, at), head.Slice(at + sizeof(long), HashBytes).ToArray());
}

/// <summary>Where a pair of a corpus file, or a line of a text, is and where it came from, as it stands in the file.</summary>
/// <param name="End">Where, in ids, its target ends and the next pair begins.</param>
/// <param name="Source">Ids of its source, end included; 0 for a line of a text.</param>
/// <param name="Line">The line, from 1, on which it stood.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct CorpusFileEntry(long End, int Source, int Line)
{
    public const int Bytes = 16;
}
