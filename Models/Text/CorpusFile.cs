using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace CudaSeq.Models;

/// <summary>
/// The head of a corpus file. The file is little-endian: 256 bytes of head; the ids, 32 bits each, of every pair its source and then its target, each ending in
/// <see cref="Vocabulary.Eos"/>; zeros up to a multiple of 8; a <see cref="CorpusFileEntry"/> for each pair; nothing more.
/// </summary>
internal sealed record CorpusFile
{
    public const int HeadBytes = 256;

    // To be raised also when a tokeniser comes to cut text in another way: what is cached would no longer be what it makes.
    private const int CurrentVersion = 1;
    private const int IdBits = 32;
    private const int HashBytes = 32;
    private const int ChecksumAt = HeadBytes - sizeof(uint);

    /// <summary>What the lines became; its name is not in the file.</summary>
    public required LoadReport Report { get; init; }

    /// <summary>Source ids are below it.</summary>
    public required int SourceVocabulary { get; init; }

    /// <summary>Target ids are below it.</summary>
    public required int TargetVocabulary { get; init; }

    /// <summary>CRC-32C of the ids.</summary>
    public required uint IdsChecksum { get; init; }

    /// <summary>CRC-32C of the entries.</summary>
    public required uint EntriesChecksum { get; init; }

    /// <summary>The source text.</summary>
    public required TextFingerprint SourceText { get; init; }

    /// <summary>The target text.</summary>
    public required TextFingerprint TargetText { get; init; }

    /// <summary>SHA-256 of what turned text into ids.</summary>
    public required byte[] Codecs { get; init; }

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
        else if (Math.Min(Whole(head, 84), Whole(head, 88)) < Vocabulary.SpecialCount)
            why = $"must have vocabularies of at least {Vocabulary.SpecialCount} ids, got {Whole(head, 84)} and {Whole(head, 88)}";
        if (why.Length > 0)
            return null;
        long pairs = Long(head, 16), sourceIds = Long(head, 24), targetIds = Long(head, 32), lines = Long(head, 40);
        long empty = Long(head, 48), tooLong = Long(head, 56), sourceUnknown = Long(head, 64), targetUnknown = Long(head, 72);
        bool counted = pairs is >= 0 and <= int.MaxValue && lines is >= 0 and <= int.MaxValue && empty >= 0 && tooLong >= 0
            && (Int128)pairs + empty + tooLong == lines && sourceUnknown >= 0 && sourceUnknown <= sourceIds && targetUnknown >= 0 && targetUnknown <= targetIds;
        Int128 ids = (Int128)sourceIds + targetIds, bytes = ((HeadBytes + (ids * sizeof(int)) + 7) / 8 * 8) + ((Int128)pairs * CorpusFileEntry.Bytes);
        if (!counted)
            why = $"is damaged: its counts contradict each other ({pairs} pairs of {lines} lines)";
        else if (bytes != length)
            why = $"must have {bytes} bytes by its head, got {length}";
        if (why.Length > 0)
            return null;
        return new CorpusFile
        {
            Report = new LoadReport("", lines, pairs, empty, tooLong, Whole(head, 80), sourceIds, targetIds, sourceUnknown, targetUnknown),
            SourceVocabulary = Whole(head, 84),
            TargetVocabulary = Whole(head, 88),
            IdsChecksum = (uint)Whole(head, 92),
            EntriesChecksum = (uint)Whole(head, 96),
            SourceText = Text(head, 104),
            TargetText = Text(head, 144),
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
        ];
        long[] counts = [Report.Kept, Report.SourceTokens, Report.TargetTokens, Report.Lines, Report.Empty, Report.TooLong, Report.SourceUnknown, Report.TargetUnknown];
        foreach (var (at, value) in wholes)
            BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(at), value);
        for (int i = 0; i < counts.Length; i++)
            BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(16 + (i * sizeof(long))), counts[i]);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(104), SourceText.Length);
        SourceText.Hash.CopyTo(head, 112);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(144), TargetText.Length);
        TargetText.Hash.CopyTo(head, 152);
        Codecs.CopyTo(head, 184);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(ChecksumAt), Checksum(0, head.AsSpan(..ChecksumAt)));
        return head;
    }

    private static int Whole(ReadOnlySpan<byte> head, int at) => BinaryPrimitives.ReadInt32LittleEndian(head[at..]);

    private static long Long(ReadOnlySpan<byte> head, int at) => BinaryPrimitives.ReadInt64LittleEndian(head[at..]);

    private static TextFingerprint Text(ReadOnlySpan<byte> head, int at) => new(Long(head, at), head.Slice(at + sizeof(long), HashBytes).ToArray());
}

/// <summary>Where a pair of a corpus file is and where it came from, as it stands in the file.</summary>
/// <param name="End">Where, in ids, its target ends and the next pair begins.</param>
/// <param name="Source">Ids of its source, end included.</param>
/// <param name="Line">The line, from 1, on which it stood.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct CorpusFileEntry(long End, int Source, int Line)
{
    public const int Bytes = 16;
}
