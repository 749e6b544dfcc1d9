using System.Buffers.Binary;
using System.Runtime.InteropServices;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Texts of language models in files: the same blocks as in memory, and nothing but what was written.</summary>
public sealed class TextCacheTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Said _said = new();
    private readonly TextCodec _codec = Codec("a b c d e f");
    private readonly string _text;
    private readonly string _path;

    public TextCacheTests()
    {
        _text = _folder.File("a.txt", "a b\n\na c x\nd d d d d d\ne");
        _path = _folder.PathOf("train.corpus");
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(SampleBreak.None, 1, 0, 5)]
    [InlineData(SampleBreak.None, 4, 0, 5)]
    [InlineData(SampleBreak.None, 5, 2, 5)]
    [InlineData(SampleBreak.None, 100, 50, 5)]
    [InlineData(SampleBreak.Complete, 4, 0, 5)]
    [InlineData(SampleBreak.Complete, 9, 4, 5)]
    [InlineData(SampleBreak.Eos, 1, 0, 5)]
    [InlineData(SampleBreak.Eos, 1, 0, int.MaxValue)]
    public void AMappedTextIsTheOneInMemory(SampleBreak breaks, int size, int context, int maxLength)
    {
        var memory = TokenBlocks.Load(_text, _codec, breaks, size, context, maxLength);
        bool allLines = breaks != SampleBreak.Eos || maxLength > 5;
        Assert.Equal((allLines ? new TextMeasures(5, 17, 25) : new TextMeasures(4, 10, 13), allLines ? 0 : 1, 1), (memory.Measures, memory.TooLong, memory.Unknown));
        for (int turn = 0; turn < 2; turn++)
        {
            using var mapped = Load(breaks, size, context, maxLength);
            Same(memory, mapped);
        }

        int lines = allLines ? 5 : 4;
        Assert.Equal([$"{_path}: {lines} lines in ids, made", $"{_path}: {lines} lines in ids, made before"], _said.Lines);
        Assert.Equal([_text, _path], Files());
    }

    [Theory]
    [InlineData(SampleBreak.None, 30, 0)]
    [InlineData(SampleBreak.None, 30, 7)]
    [InlineData(SampleBreak.Complete, 50, 0)]
    [InlineData(SampleBreak.Eos, 1, 0)]
    public void BatchesFromAFileAreThoseFromMemoryAndTakeNoRoom(SampleBreak breaks, int size, int context)
    {
        const int Spare = 1024;
        WriteText(lines: 3000, longest: 40);
        var memory = TokenBlocks.Load(_text, _codec, breaks, size, context, maxLength: 30);
        using var mapped = Load(breaks, size, context, maxLength: 30);
        Same(memory, mapped);
        Assert.True(mapped.Count > 500);
        foreach (bool shuffle in (bool[])[true, false])
        {
            var (one, other) = (new BatchIterator(memory, 300, 5, shuffle), new BatchIterator(mapped, 300, 5, shuffle));
            Assert.Equal((one.BatchesPerEpoch, one.Oversized), (other.BatchesPerEpoch, other.Oversized));
            foreach (var (a, b) in one.From(new BatchPosition(3, 7)).Zip(other.From(new BatchPosition(3, 7))).Take(2 * one.BatchesPerEpoch))
            {
                Assert.Equal((a.Position, a.Next), (b.Position, b.Next));
                Assert.Equal(a.Batch.Indices, b.Batch.Indices);
                Assert.Equal(a.Batch.Target, b.Batch.Target);
                Assert.Equal(a.Batch.PreviousTarget, b.Batch.PreviousTarget);
            }
        }

        using var text = MappedCorpus.Open(_path, out _)!;
        long before = GC.GetAllocatedBytesForCurrentThread();
        var blocks = new TokenBlocks("text", text, text.Head.Report, text.Head.Measures!.Value, breaks, size, context);
        long taken = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.InRange(taken, 1, (breaks == SampleBreak.Complete ? 8 * blocks.Count : 0) + Spare);
    }

    [Fact]
    public void WhatDoesNotFitIsMadeAnew()
    {
        Load().Dispose();
        Anew("was made with another tokeniser or vocabulary", Codec("a b c d e f g"));
        Anew("was made with another tokeniser or vocabulary", new TextCodec(new CharacterTokenizer(), _codec.Vocabulary));
        Load().Dispose();

        // How it is cut is not in the file.
        foreach (var (breaks, size, context) in new[] { (SampleBreak.None, 7, 3), (SampleBreak.Complete, 5, 0), (SampleBreak.Eos, 1, 0) })
        {
            Load(breaks, size, context).Dispose();
            Assert.EndsWith(": 5 lines in ids, made before", _said.Lines[^1]);
        }

        Load(SampleBreak.Eos, 1, 0, 5).Dispose();
        Assert.EndsWith(": 4 lines in ids, made anew: what was there was made for lines of any length, not of at most 5 pieces", _said.Lines[^1]);
        Load(SampleBreak.Eos, 1, 0, 6).Dispose();
        Assert.EndsWith(": 5 lines in ids, made anew: what was there was made for lines of at most 5 pieces, not of at most 6 pieces", _said.Lines[^1]);
        Load(SampleBreak.Complete, 9, 0, 6).Dispose();
        Assert.EndsWith(": 5 lines in ids, made anew: what was there was made for lines of at most 6 pieces, not of any length", _said.Lines[^1]);

        // As long as before, and as old.
        var written = File.GetLastWriteTimeUtc(_text);
        _folder.File("a.txt", "a b\n\na x c\nd d d d d d\ne");
        File.SetLastWriteTimeUtc(_text, written);
        Anew($"was made of another text than {_text}", _codec);
        _folder.File("a.txt", "a b\n\na x c\nd d d d d d\ne\n");
        Anew($"was made of another text than {_text}", _codec);

        // A file that was only touched or is elsewhere fits.
        string elsewhere = _folder.PathOf("b.txt");
        File.Move(_text, elsewhere);
        File.SetLastWriteTimeUtc(elsewhere, DateTime.UtcNow.AddYears(-1));
        using var blocks = CorpusCache.LoadText(_path, elsewhere, _codec, SampleBreak.None, 4, status: _said);
        Assert.Equal(($"{_path}: 5 lines in ids, made before", elsewhere), (_said.Lines[^1], blocks.Name));

        void Anew(string why, TextCodec codec)
        {
            for (int turn = 0; turn < 2; turn++)
                CorpusCache.LoadText(_path, _text, codec, SampleBreak.None, 4, status: _said).Dispose();
            Assert.Equal($"{_path}: 5 lines in ids, made anew: what was there {why}", _said.Lines[^2]);
            Assert.Equal($"{_path}: 5 lines in ids, made before", _said.Lines[^1]);
        }
    }

    [Fact]
    public void PairsAreNoTextAndATextIsNoPairs()
    {
        Pairs();
        Load().Dispose();
        Assert.Equal($"{_path}: 5 lines in ids, made anew: what was there was made of pairs, not of one text", _said.Lines[^1]);
        Pairs();
        Assert.Equal($"{_path}: 4 pairs in ids, made anew: what was there was made of one text, not of pairs", _said.Lines[^1]);

        void Pairs() => CorpusCache.Load(_path, _text, _text, _codec, _codec, status: _said).Dispose();
    }

    [Fact]
    public void AFileCutShortOrChangedInAnyByteIsMadeAnew()
    {
        Load().Dispose();
        byte[] whole = File.ReadAllBytes(_path);
        Assert.Equal(256 + (17 * 4) + 4 + (5 * 16), whole.Length);
        for (int at = 0; at < whole.Length; at++)
        {
            byte[] damaged = [.. whole];
            damaged[at] ^= (byte)(1 << (at % 8));
            File.WriteAllBytes(_path, damaged);
            if (at < 8)
            {
                Assert.Throws<InvalidDataException>(() => Load());
                continue;
            }

            Assert.Matches("^is (damaged: .*|of version -?[0-9]+, this build reads 1)$", Why());
            Assert.Equal(whole, File.ReadAllBytes(_path));
        }

        foreach (int length in (int[])[0, 7, 255, 256, 323, 328, 407])
        {
            File.WriteAllBytes(_path, whole[..length]);
            Assert.Equal($"must have {(length < 256 ? "at least 256 bytes" : "408 bytes by its head")}, got {length}", Why());
            Assert.Equal(whole, File.ReadAllBytes(_path));
        }
    }

    // Files whose checksums are right: somebody meant them.
    [Theory]
    [InlineData(100, 4, 2L, "must be of pairs (0) or of a text (1), got 2")]
    [InlineData(100, 4, -1L, "must be of pairs (0) or of a text (1), got -1")]
    [InlineData(100, 4, 0L, "must have vocabularies of at least 4 ids, got 0 and 10")]
    [InlineData(84, 4, 4L, "must have no source vocabulary and one of at least 4 ids, got 4 and 10")]
    [InlineData(88, 4, 3L, "must have no source vocabulary and one of at least 4 ids, got 0 and 3")]
    [InlineData(16, 8, 6L, "is damaged: its counts contradict each other (6 kept of 5 lines)")]
    [InlineData(24, 8, 1L, "is damaged: its counts contradict each other (5 kept of 5 lines)")]
    [InlineData(48, 8, 1L, "is damaged: its counts contradict each other (5 kept of 5 lines)")]
    [InlineData(72, 8, 18L, "is damaged: its counts contradict each other (5 kept of 5 lines)")]
    [InlineData(216, 8, 4L, "is damaged: its counts contradict each other (5 kept of 5 lines)")]
    [InlineData(224, 8, 16L, "is damaged: its counts contradict each other (5 kept of 5 lines)")]
    [InlineData(32, 8, 16L, "must have 400 bytes by its head, got 408")]
    [InlineData(32, 8, 1L << 62, "must have 18446744073709551952 bytes by its head, got 408")]
    [InlineData(32, 8, 18L, "is damaged: its counts are not those of its lines")]
    [InlineData(72, 8, 0L, "is damaged: its counts are not those of its lines")]
    [InlineData(328, 8, 0L, "is damaged: the entry of line 1 is impossible")]
    [InlineData(328, 8, -5L, "is damaged: the entry of line 1 is impossible")]
    [InlineData(328, 8, 18L, "is damaged: the entry of line 1 is impossible")]
    [InlineData(328, 8, long.MaxValue, "is damaged: the entry of line 1 is impossible")]
    [InlineData(328, 8, 2L, "is damaged: line 1 does not end in 2 (</s>)")]
    [InlineData(328, 8, 4L, "is damaged: the entry of line 2 is impossible")]
    [InlineData(336, 4, 1L, "is damaged: the entry of line 1 is impossible")]
    [InlineData(336, 4, -1L, "is damaged: the entry of line 1 is impossible")]
    [InlineData(340, 4, 0L, "is damaged: the entry of line 1 is impossible")]
    [InlineData(340, 4, 2L, "is damaged: the entry of line 2 is impossible")]
    [InlineData(404, 4, 6L, "is damaged: the entry of line 5 is impossible")]
    [InlineData(256, 4, 10L, "is damaged: line 1 has an id beyond the vocabulary")]
    [InlineData(268, 4, -1L, "is damaged: line 2 has an id beyond the vocabulary")]
    public void NumbersThatCannotBeAreRefused(int at, int length, long value, string why)
    {
        Load().Dispose();
        byte[] bytes = File.ReadAllBytes(_path);
        if (length == 4)
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at), (int)value);
        else
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at), value);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(92), CorpusFile.Checksum(0, bytes.AsSpan(256, 68)));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(96), CorpusFile.Checksum(0, bytes.AsSpan(328)));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(252), CorpusFile.Checksum(0, bytes.AsSpan(0, 252)));
        File.WriteAllBytes(_path, bytes);
        Assert.Equal(why, Why());
    }

    [Fact]
    public void NothingIsOverwrittenOrLeftThatShouldNot()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => CorpusCache.LoadText(_path, _text, _codec, SampleBreak.None, 4, cancellation: cancelled.Token));
        Assert.Throws<FileNotFoundException>(() => CorpusCache.LoadText(_path, _folder.PathOf("none"), _codec, SampleBreak.None, 4));
        Assert.Equal(
            "TokenBlocks: the context must be from 0 to tokens_per_sample - 1, and 0 where every line is a sample, got 4 of 4 tokens (None).",
            Assert.Throws<ArgumentOutOfRangeException>(() => Load(SampleBreak.None, 4, 4)).Message);
        _folder.File("a.txt", [(byte)'b', 0xFF]);
        Assert.Throws<InvalidDataException>(() => Load());
        Assert.Equal([_text], Files());
        _folder.File("a.txt", "");
        using (var nothing = Load())
            Assert.Equal((0, 0L, new TextMeasures(0, 0, 0)), (nothing.Count, nothing.Tokens, nothing.Measures));
        _folder.File("train.corpus", "a letter to my aunt");
        Assert.Equal($"{_path}: is no corpus of CudaSeq, so it is not overwritten; remove it or name another.", Assert.Throws<InvalidDataException>(() => Load()).Message);
        Assert.Equal("a letter to my aunt", File.ReadAllText(_path));
    }

    [Theory]
    [InlineData(SampleBreak.None)]
    [InlineData(SampleBreak.Complete)]
    [InlineData(SampleBreak.Eos)]
    public void ADisposedTextSaysSo(SampleBreak breaks)
    {
        var blocks = Load(breaks, 4, 0);
        Assert.Equal($"TokenBlocks: blocks must be in 0 .. {blocks.Count - 1}, got {blocks.Count}.", Assert.Throws<ArgumentOutOfRangeException>(() => blocks.Lengths(blocks.Count)).Message);
        Assert.Equal($"TokenBlocks: blocks must be in 0 .. {blocks.Count - 1}, got -1.", Assert.Throws<ArgumentOutOfRangeException>(() => blocks.Block(-1).Length).Message);
        blocks.Dispose();
        blocks.Dispose();
        Assert.Equal("Corpus: its file is no longer mapped, it was disposed.", Assert.Throws<ObjectDisposedException>(() => blocks.Block(0).Length).Message);
        Assert.Throws<ObjectDisposedException>(() => blocks.Batch(1));
        Assert.Throws<ObjectDisposedException>(() => blocks.Fingerprint());
    }

    // Nothing but holes: 2^31 + 2^30 ids in a file that takes no room.
    [Fact]
    public void MoreTokensThanAnIntCanCountAreReached()
    {
        const long Ids = 3L << 30;
        int[] last = [4, 5, 6, 7, 8, 9, 2];
        Load().Dispose();
        var head = CorpusFile.Read(File.ReadAllBytes(_path).AsSpan(0, CorpusFile.HeadBytes), 408, out _)!;
        CorpusFileEntry[] entries = [new((Ids / 2) - 1, 0, 1), new(Ids - last.Length, 0, 2), new(Ids, 0, 3)];
        head = head with { Report = head.Report with { Lines = 3, Kept = 3, TargetTokens = Ids, TargetUnknown = 0 }, Measures = new TextMeasures(3, Ids, Ids) };
        using (var file = new FileStream(_path, FileMode.Create))
        {
            file.Write(head.Write());
            file.Position = CorpusFile.HeadBytes + ((Ids - last.Length) * 4);
            file.Write(MemoryMarshal.AsBytes<int>(last));
            file.Position = head.EntriesAt;
            file.Write(MemoryMarshal.AsBytes<CorpusFileEntry>(entries));
        }

        using var mapped = MappedCorpus.Open(_path, out string why);
        Assert.True(mapped is not null, why);
        var blocks = Blocks(SampleBreak.None, 1 << 20);
        Assert.Equal((3072, Ids, "3072 blocks of 3221225472 tokens"), (blocks.Count, blocks.Tokens, blocks.Size));
        Assert.Equal((0, 1 << 20), blocks.Lengths(3071));
        Assert.Equal(last, blocks.Block(3071)[^7..].ToArray());

        // They are 3,221,225 blocks of 1000 and 472 more.
        blocks = Blocks(SampleBreak.None, 1600, 600);
        Assert.Equal((3_221_226, 472), (blocks.Count, blocks.Block(3_221_225).Length));
        var batch = blocks.Batch(3_221_225, 2_999_999);
        Assert.Equal((1600, 1472, 600), (batch.T, batch.TargetTokens, batch.Target.AsSpan(0, 1600).IndexOfAnyExcept(Vocabulary.Pad)));
        Assert.Equal(last, batch.Target[(1072 - 7)..1072]);
        Assert.Equal(last[..6], batch.PreviousTarget[(1072 - 6)..1072]);
        Assert.Equal([1072, 1600], batch.TargetLengths);
        Assert.Equal(
            "big: must have at most 2147483591 blocks, got 3221225472; longer blocks are fewer.", Assert.Throws<InvalidDataException>(() => Blocks(SampleBreak.None, 1)).Message);

        blocks = Blocks(SampleBreak.Complete, 1 << 20);
        Assert.Equal([(0, 1_610_612_735), (0, 1_610_612_730), (0, 7)], Enumerable.Range(0, blocks.Count).Select(blocks.Lengths));
        Assert.Equal(last, blocks.Block(2).ToArray());
        blocks = Blocks(SampleBreak.Complete, int.MaxValue);
        Assert.Equal([(0, 1_610_612_735), (0, 1_610_612_737)], Enumerable.Range(0, blocks.Count).Select(blocks.Lengths));
        Assert.Equal(last, blocks.Block(1)[^7..].ToArray());
        blocks = Blocks(SampleBreak.Eos, 1);
        Assert.Equal([(0, 1_610_612_735), (0, 1_610_612_730), (0, 7)], Enumerable.Range(0, blocks.Count).Select(blocks.Lengths));
        Assert.Equal(last, blocks.Batch(2).Target);
        Assert.Equal([0, .. last[..6]], blocks.Batch(2).PreviousTarget);

        TokenBlocks Blocks(SampleBreak breaks, int size, int context = 0) => new("big", mapped, mapped.Head.Report, mapped.Head.Measures!.Value, breaks, size, context);
    }

    private static TextCodec Codec(string words) => new(new WordTokenizer(), Vocabulary.Build(new WordTokenizer(), [words]));

    private static void Same(TokenBlocks expected, TokenBlocks actual)
    {
        Assert.Equal((expected.Name, expected.Count, expected.Size, expected.ToString()), (actual.Name, actual.Count, actual.Size, actual.ToString()));
        Assert.Equal((expected.Tokens, expected.Measures, expected.TooLong, expected.Unknown), (actual.Tokens, actual.Measures, actual.TooLong, actual.Unknown));
        Assert.Equal(expected.Fingerprint(), actual.Fingerprint());
        Assert.Equal(expected.Parts, actual.Parts);
        for (int i = 0; i < expected.Count; i++)
        {
            Assert.True(expected.Block(i).SequenceEqual(actual.Block(i)), $"block {i}");
            Assert.Equal(expected.Lengths(i), actual.Lengths(i));
        }
    }

    private TokenBlocks Load(SampleBreak breaks = SampleBreak.None, int size = 4, int context = 0, int maxLength = int.MaxValue)
        => CorpusCache.LoadText(_path, _text, _codec, breaks, size, context, maxLength, _said);

    private void WriteText(int lines, int longest)
    {
        const int Seed = 23;
        var random = new Random(Seed);
        string[] words = ["a", "b", "c", "d", "e", "f", "x"];
        TextFile.WriteLines(_text, Enumerable.Range(0, lines).Select(_ => string.Join(' ', Enumerable.Range(0, random.Next(longest)).Select(_ => words[random.Next(words.Length)]))));
    }

    private IEnumerable<string> Files() => Directory.EnumerateFiles(_folder.PathOf(".")).Select(Path.GetFullPath).Order(StringComparer.Ordinal);

    /// <summary>What is wrong with the file, which is then made anew.</summary>
    private string Why()
    {
        Load().Dispose();
        string start = $"{_path}: 5 lines in ids, made anew: what was there ";
        Assert.StartsWith(start, _said.Lines[^1]);
        return _said.Lines[^1][start.Length..];
    }

    private sealed class Said : IProgress<string>
    {
        public List<string> Lines { get; } = [];

        public void Report(string value) => Lines.Add(value);
    }
}
