using System.Buffers.Binary;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Corpora in files: the same as in memory, and nothing but what was written.</summary>
public sealed class CorpusCacheTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Said _said = new();
    private readonly TextCodec _codec = Codec("a b c d e f");
    private readonly string _source;
    private readonly string _target;
    private readonly string _path;

    public CorpusCacheTests()
    {
        _source = _folder.File("a.en", "a b\n\na c x\nd d d d d d\ne\n");
        _target = _folder.File("a.de", "b\nc\nf e d c\na\nx y\n");
        _path = _folder.PathOf("train.corpus");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void AMappedCorpusIsTheOneInMemory()
    {
        var memory = Corpus.Load(_source, _target, _codec, _codec, maxLength: 5);
        using (var made = Load())
            Same(memory, made);
        using var again = Load();
        Same(memory, again);
        Assert.Equal(new LoadReport(_source, 5, 3, 1, 1, 5, 9, 10, 1, 2), again.Report);
        Assert.Equal([$"{_path}: 3 pairs in ids, made", $"{_path}: 3 pairs in ids, made before"], _said.Lines);
        Assert.Equal([1, 3, 5], Enumerable.Range(0, 3).Select(again.LineOf));
        Assert.Equal([_source, _target, _path], Files());
    }

    [Fact]
    public void BatchesFromAFileAreThoseFromMemory()
    {
        const int Seed = 17;
        var random = new Random(Seed);
        string[] words = ["a", "b", "c", "d", "e", "f", "x"];
        foreach (string path in (string[])[_source, _target])
            TextFile.WriteLines(path, Enumerable.Range(0, 3000).Select(_ => string.Join(' ', Enumerable.Range(0, random.Next(40)).Select(_ => words[random.Next(words.Length)]))));
        var memory = Corpus.Load(_source, _target, _codec, _codec);
        using var mapped = Load(int.MaxValue);
        Same(memory, mapped);
        foreach (bool shuffle in (bool[])[true, false])
        {
            var (one, other) = (new BatchIterator(memory, 300, 5, shuffle), new BatchIterator(mapped, 300, 5, shuffle));
            Assert.Equal((one.BatchesPerEpoch, one.Oversized), (other.BatchesPerEpoch, other.Oversized));
            foreach (var (a, b) in one.From(new BatchPosition(3, 7)).Zip(other.From(new BatchPosition(3, 7))).Take(2 * one.BatchesPerEpoch))
            {
                Assert.Equal((a.Position, a.Next), (b.Position, b.Next));
                Assert.Equal(a.Batch.Indices, b.Batch.Indices);
                Assert.Equal(a.Batch.Source, b.Batch.Source);
                Assert.Equal(a.Batch.Target, b.Batch.Target);
                Assert.Equal(a.Batch.PreviousTarget, b.Batch.PreviousTarget);
            }
        }
    }

    [Fact]
    public void WhatDoesNotFitIsMadeAnew()
    {
        Load().Dispose();
        Anew($"was made for at most 5 pieces on a side, not 6", () => Load(6));
        Load().Dispose();
        Anew("was made with another tokeniser or vocabulary", () => CorpusCache.Load(_path, _source, _target, Codec("a b c d e f g"), _codec, 5, _said));
        Load().Dispose();
        Anew("was made with another tokeniser or vocabulary", () => CorpusCache.Load(_path, _source, _target, new TextCodec(new CharacterTokenizer(), _codec.Vocabulary), _codec, 5, _said));
        Load().Dispose();

        // As long as before, and as old.
        var written = File.GetLastWriteTimeUtc(_target);
        _folder.File("a.de", "b\nc\nf e d c\na\ny x\n");
        File.SetLastWriteTimeUtc(_target, written);
        Anew($"was made of another text than {_target}", () => Load());
        _folder.File("a.en", "a b\n\na c x\nd d d d d d\ne");
        Anew($"was made of another text than {_source}", () => Load());

        // A file that was only touched or is elsewhere fits.
        File.SetLastWriteTimeUtc(_target, DateTime.UtcNow.AddYears(-1));
        File.Move(_source, _folder.PathOf("b.en"));
        using var corpus = CorpusCache.Load(_path, _folder.PathOf("b.en"), _target, _codec, _codec, 5, _said);
        Assert.Equal($"{_path}: 3 pairs in ids, made before", _said.Lines[^1]);
        Assert.Equal(_folder.PathOf("b.en"), corpus.Report.Name);

        void Anew(string why, Func<Corpus> load)
        {
            load().Dispose();
            Assert.EndsWith($" pairs in ids, made anew: what was there {why}", _said.Lines[^1]);
            load().Dispose();
            Assert.EndsWith(", made before", _said.Lines[^1]);
        }
    }

    [Fact]
    public void AFileCutShortAnywhereIsMadeAnew()
    {
        Load().Dispose();
        byte[] whole = File.ReadAllBytes(_path);
        Assert.Equal(256 + (19 * 4) + 4 + (3 * 16), whole.Length);
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(_path, whole[..length]);
            Load().Dispose();
            Assert.Equal($"{_path}: 3 pairs in ids, made anew: what was there must have {(length < 256 ? "at least 256" : $"{whole.Length}")} bytes{(length < 256 ? "" : " by its head")}, got {length}", _said.Lines[^1]);
            Assert.Equal(whole, File.ReadAllBytes(_path));
        }

        File.WriteAllBytes(_path, [.. whole, 0]);
        Load().Dispose();
        Assert.Equal($"{_path}: 3 pairs in ids, made anew: what was there must have {whole.Length} bytes by its head, got {whole.Length + 1}", _said.Lines[^1]);
    }

    [Fact]
    public void AnyByteThatIsNotAsItWasIsFound()
    {
        Load().Dispose();
        byte[] whole = File.ReadAllBytes(_path);
        for (int at = 0; at < whole.Length; at++)
        {
            foreach (int bit in (int[])[0, 3, 7])
            {
                byte[] damaged = [.. whole];
                damaged[at] ^= (byte)(1 << bit);
                File.WriteAllBytes(_path, damaged);
                if (at < 8)
                {
                    Assert.Throws<InvalidDataException>(() => Load());
                    continue;
                }

                Load().Dispose();
                Assert.Matches($"^{System.Text.RegularExpressions.Regex.Escape(_path)}: 3 pairs in ids, made anew: what was there is (damaged: .*|of version -?[0-9]+, this build reads 1)$", _said.Lines[^1]);
                Assert.Equal(whole, File.ReadAllBytes(_path));
            }
        }
    }

    // Files whose checksums are right: somebody meant them.
    [Theory]
    [InlineData(16, long.MaxValue, "its counts contradict each other (9223372036854775807 pairs of 5 lines)")]
    [InlineData(16, -1L, "its counts contradict each other (-1 pairs of 5 lines)")]
    [InlineData(16, 4L, "its counts contradict each other (4 pairs of 5 lines)")]
    [InlineData(40, 1L << 40, "its counts contradict each other (3 pairs of 1099511627776 lines)")]
    [InlineData(48, -1L, "its counts contradict each other (3 pairs of 5 lines)")]
    [InlineData(24, -9L, "its counts contradict each other (3 pairs of 5 lines)")]
    [InlineData(72, 11L, "its counts contradict each other (3 pairs of 5 lines)")]
    [InlineData(64, 0L, "its counts are not those of its pairs")]
    public void CountsThatCannotBeAreRefused(int at, long value, string why)
    {
        Load().Dispose();
        Change(bytes => BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at), value));
        Assert.Equal($"is damaged: {why}", Why());
    }

    [Theory]
    [InlineData(24, long.MaxValue, "must have 36893488147419103576 bytes by its head, got 384")]
    [InlineData(24, 1L << 62, "must have 18446744073709551960 bytes by its head, got 384")]
    [InlineData(32, 11L, "must have 384 bytes by its head, got 384")]
    public void CountsBeyondTheFileAreRefused(int at, long value, string why)
    {
        Load().Dispose();
        Change(bytes => BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at), value));
        Assert.Equal(at == 32 ? "is damaged: its counts are not those of its pairs" : why, Why());
    }

    [Theory]
    [InlineData(0, 0L, "the entry of pair 1 is impossible")]
    [InlineData(0, -5L, "the entry of pair 1 is impossible")]
    [InlineData(0, long.MaxValue, "the entry of pair 1 is impossible")]
    [InlineData(0, long.MinValue, "the entry of pair 1 is impossible")]
    [InlineData(16, 5L, "the entry of pair 2 is impossible")]
    [InlineData(16, 18L, "a side of pair 2 does not end in 2 (</s>)")]
    [InlineData(16, 19L, "the entry of pair 3 is impossible")]
    [InlineData(32, 20L, "the entry of pair 3 is impossible")]
    [InlineData(8, 5L + (1L << 32), "the entry of pair 1 is impossible")]
    [InlineData(8, 1L << 32, "the entry of pair 1 is impossible")]
    [InlineData(8, 0xFFFFFFFFL + (1L << 32), "the entry of pair 1 is impossible")]
    [InlineData(8, 2L + (1L << 32), "a side of pair 1 does not end in 2 (</s>)")]
    [InlineData(24, 4L + (1L << 32), "the entry of pair 2 is impossible")]
    [InlineData(24, 4L + (6L << 32), "the entry of pair 2 is impossible")]
    public void EntriesThatCannotBeAreRefused(int at, long value, string why)
    {
        Load().Dispose();
        Change(bytes => BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(336 + at), value));
        Assert.Equal($"is damaged: {why}", Why());
    }

    [Theory]
    [InlineData(0, 10)]
    [InlineData(0, -1)]
    [InlineData(0, int.MaxValue)]
    [InlineData(3, 10)]
    [InlineData(3, int.MinValue)]
    public void IdsBeyondTheVocabularyAreRefused(int at, int id)
    {
        Load().Dispose();
        Change(bytes => BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(256 + (4 * at)), id));
        Assert.Equal("is damaged: pair 1 has an id beyond the vocabulary", Why());
    }

    [Fact]
    public void AFileThatIsNoCorpusIsNotOverwritten()
    {
        _folder.File("train.corpus", "a letter to my aunt");
        var error = Assert.Throws<InvalidDataException>(() => Load());
        Assert.Equal($"{_path}: is no corpus of CudaSeq, so it is not overwritten; remove it or name another.", error.Message);
        Assert.Equal("a letter to my aunt", File.ReadAllText(_path));
    }

    [Fact]
    public void WritersOfOneFileDoNotMeet()
    {
        TextFile.WriteLines(_source, Enumerable.Range(0, 4000).Select(i => i % 3 == 0 ? "a b c" : "d"));
        TextFile.WriteLines(_target, Enumerable.Range(0, 4000).Select(i => i % 5 == 0 ? "e f" : "a a a"));
        var memory = Corpus.Load(_source, _target, _codec, _codec, 5);
        var corpora = new Corpus[6];
        for (int turn = 0; turn < 5; turn++)
        {
            var failures = new System.Collections.Concurrent.ConcurrentQueue<Exception>();
            var threads = Enumerable.Range(0, corpora.Length).Select(i => new Thread(() => Load(i))).ToList();
            threads.ForEach(t => t.Start());
            threads.ForEach(t => t.Join());
            Assert.Empty(failures);
            Assert.All(corpora, c => Same(memory, c));
            Array.ForEach(corpora, c => c.Dispose());
            Assert.Equal([_source, _target, _path], Files());
            File.Delete(_path);

            void Load(int i)
            {
                try
                {
                    corpora[i] = CorpusCache.Load(_path, _source, _target, _codec, _codec, 5);
                }
                catch (Exception e)
                {
                    failures.Enqueue(e);
                }
            }
        }
    }

    [Fact]
    public void ACorpusInUseMayBeReplacedAndDeleted()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows does not let a mapped file go");
        var memory = Corpus.Load(_source, _target, _codec, _codec, 5);
        using var first = Load();
        using var other = Load(6);
        Same(memory, first);
        Same(Corpus.Load(_source, _target, _codec, _codec, 6), other);
        File.Delete(_path);
        Same(memory, first);
    }

    [Fact]
    public void NothingHalfIsLeftByWhatFails()
    {
        using var cancelled = new CancellationTokenSource();
        var codec = new TextCodec(new WordTokenizer(), _codec.Vocabulary);
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => CorpusCache.Load(_path, _source, _target, codec, codec, cancellation: cancelled.Token));
        Assert.Equal([_source, _target], Files());
        using (var writer = new CorpusFileWriter(_path))
        {
            for (int i = 1; i < 100_000; i++)
                writer.Add([4, 5], [6], i);
            Assert.Equal(4, Files().Count());
            Assert.True(new FileInfo(writer.TemporaryPath).Length > 1_000_000);
        }

        Assert.Equal([_source, _target], Files());
        _folder.File("a.de", "b\n");
        Assert.Throws<InvalidDataException>(() => Load());
        Assert.Equal([_source, _target], Files());
        _folder.File("a.de", [(byte)'b', 0xFF]);
        Assert.Throws<InvalidDataException>(() => Load());
        Assert.Equal([_source, _target], Files());
        Assert.Throws<FileNotFoundException>(() => CorpusCache.Load(_path, _source, _folder.PathOf("none"), codec, codec));
        Assert.Equal("Corpus: maxLength must be at least 1, got 0.", Assert.Throws<ArgumentOutOfRangeException>(() => Load(0)).Message);
        Assert.Equal([_source, _target], Files());
    }

    [Fact]
    public void WhatKilledRunsLeftIsSweptButNotWhatIsBeingWritten()
    {
        string left = _folder.File("train.corpus.0123.tmp", "half"), locked = _folder.PathOf("train.corpus.4567.tmp"), young = _folder.File("train.corpus.89.tmp", "new");
        using var writing = new FileStream(locked, FileMode.Create, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
        foreach (string path in (string[])[left, locked])
            File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddMinutes(-2));
        Load().Dispose();
        Assert.Equal([_source, _target, _path, locked, young], Files());
    }

    [Fact]
    public void ADisposedCorpusSaysSo()
    {
        var corpus = Load();
        corpus.Dispose();
        corpus.Dispose();
        Assert.Equal("Corpus: its file is no longer mapped, it was disposed.", Assert.Throws<ObjectDisposedException>(() => corpus.Lengths(0)).Message);
        Assert.Throws<ObjectDisposedException>(() => corpus[0]);
        Assert.Throws<ObjectDisposedException>(() => corpus.LineOf(0));
        Assert.Equal("Corpus: pairs must be in 0 .. 2, got 3.", Assert.Throws<ArgumentOutOfRangeException>(() => corpus.LineOf(3)).Message);
        Assert.Equal("Corpus: pairs must be in 0 .. 2, got -1.", Assert.Throws<ArgumentOutOfRangeException>(() => corpus[-1]).Message);
    }

    [Fact]
    public void ATokeniserThatCannotBeRecognisedAgainIsRefused()
    {
        string vocabulary = _folder.File("v.txt", "a 3\n");
        var limited = SubwordNmt.Learn(["a b", "a b"], 2).WithVocabulary(vocabulary);
        var error = Assert.Throws<ArgumentException>(() => CorpusCache.Load(_path, _source, _target, new TextCodec(limited, _codec.Vocabulary), _codec));
        Assert.Equal("CorpusCache: tokenisers must be such as TokenizerFile writes, without a vocabulary of their own, got SubwordNmt.", error.Message);
    }

    // Nothing but holes: 2^31 + 2^30 ids in a file that takes no room.
    [Fact]
    public void MoreTokensThanAnIntCanCountAreReached()
    {
        const long Ids = 3L << 30;
        const int Last = 7;
        Load().Dispose();
        var head = CorpusFile.Read(File.ReadAllBytes(_path).AsSpan(0, CorpusFile.HeadBytes), 384, out _)!;
        CorpusFileEntry[] entries = [new((Ids / 2) - 1, 1 << 29, 1), new(Ids - Last, 1 << 30, 2), new(Ids, 3, 3)];
        head = head with { Report = head.Report with { SourceTokens = Ids - 100, TargetTokens = 100, SourceUnknown = 0, TargetUnknown = 0 } };
        using (var file = new FileStream(_path, FileMode.Create))
        {
            file.Write(head.Write());
            file.Position = CorpusFile.HeadBytes + ((Ids - Last) * 4);
            file.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes<int>([4, 5, 2, 6, 7, 8, 2]));
            file.Position = head.EntriesAt;
            file.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes<CorpusFileEntry>(entries));
        }

        using var mapped = MappedCorpus.Open(_path, out string why);
        Assert.True(mapped is not null, why);
        Assert.Equal((1 << 29, (1 << 30) - 1), mapped.Lengths(0));
        Assert.Equal((1 << 30, (1 << 29) - Last + 1), mapped.Lengths(1));
        Assert.Equal([4, 5, 2], mapped.Source(2));
        Assert.Equal([6, 7, 8, 2], mapped.Target(2));
        Assert.Equal((3, 4), mapped.Lengths(2));
    }

    private static TextCodec Codec(string words) => new(new WordTokenizer(), Vocabulary.Build(new WordTokenizer(), [words]));

    private static void Same(Corpus expected, Corpus actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        Assert.Equal(expected.Report, actual.Report);
        for (int i = 0; i < expected.Count; i++)
        {
            Assert.Equal(expected[i].Source, actual[i].Source);
            Assert.Equal(expected[i].Target, actual[i].Target);
            Assert.Equal((expected.LineOf(i), expected.Lengths(i)), (actual.LineOf(i), actual.Lengths(i)));
        }
    }

    private Corpus Load(int maxLength = 5) => CorpusCache.Load(_path, _source, _target, _codec, _codec, maxLength, _said);

    private IEnumerable<string> Files() => Directory.EnumerateFiles(_folder.PathOf(".")).Select(Path.GetFullPath).Order(StringComparer.Ordinal).OrderBy(f => f != _source).ThenBy(f => f != _target);

    /// <summary>Changes the file and puts its checksums right.</summary>
    private void Change(Action<byte[]> change)
    {
        byte[] bytes = File.ReadAllBytes(_path);
        change(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(92), CorpusFile.Checksum(0, bytes.AsSpan(256, 76)));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(96), CorpusFile.Checksum(0, bytes.AsSpan(336)));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(252), CorpusFile.Checksum(0, bytes.AsSpan(0, 252)));
        File.WriteAllBytes(_path, bytes);
    }

    /// <summary>What is wrong with the file, which is then made anew.</summary>
    private string Why()
    {
        byte[] before = File.ReadAllBytes(_path);
        using var corpus = Load();
        Assert.NotEqual(before, File.ReadAllBytes(_path));
        string start = $"{_path}: 3 pairs in ids, made anew: what was there ";
        Assert.StartsWith(start, _said.Lines[^1]);
        return _said.Lines[^1][start.Length..];
    }

    private sealed class Said : IProgress<string>
    {
        public List<string> Lines { get; } = [];

        public void Report(string value) => Lines.Add(value);
    }
}
