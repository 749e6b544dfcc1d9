using System.Buffers.Binary;
using System.Runtime.InteropServices;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Corpus files of real text, and such as somebody made up.</summary>
public sealed class CorpusFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("multi30k/val.en", "multi30k/val.de")]
    [InlineData("enja/dev.en", "enja/dev.ja")]
    [InlineData("jfleg/dev.src", "jfleg/dev.ref0")]
    public void RealTextIsTheSameFromAFile(string source, string target)
    {
        var (sourcePath, targetPath) = (TestData.Require(source), TestData.Require(target));
        var (sourceCodec, targetCodec) = (Codec(sourcePath), Codec(targetPath));
        var memory = Corpus.Load(sourcePath, targetPath, sourceCodec, targetCodec, 40);
        Assert.InRange(memory.Count, 400, 1100);
        for (int turn = 0; turn < 2; turn++)
        {
            using var mapped = CorpusCache.Load(_folder.PathOf("real.corpus"), sourcePath, targetPath, sourceCodec, targetCodec, 40);
            Assert.Equal(memory.Report, mapped.Report);
            for (int i = 0; i < memory.Count; i++)
            {
                Assert.True(memory.Source(i).SequenceEqual(mapped.Source(i)) && memory.Target(i).SequenceEqual(mapped.Target(i)), $"pair {i}");
                Assert.Equal(memory.LineOf(i), mapped.LineOf(i));
            }
        }

        static TextCodec Codec(string path)
        {
            var encoding = BytePairEncoding.Learn(TextFile.ReadLines(path), 500);
            return new TextCodec(encoding, Vocabulary.Build(encoding, TextFile.ReadLines(path)));
        }
    }

    [Theory]
    [InlineData(SampleBreak.None, 128, 64)]
    [InlineData(SampleBreak.Complete, 128, 0)]
    [InlineData(SampleBreak.Eos, 1, 0)]
    public void ARealTextIsTheSameFromAFile(SampleBreak breaks, int size, int context)
    {
        string path = TestData.Require("wikitext-2/valid.txt");
        var codec = new TextCodec(new WordTokenizer(), Vocabulary.Build(new WordTokenizer(), TextFile.ReadLines(path), 5000));
        var memory = TokenBlocks.Load(path, codec, breaks, size, context, 200);
        Assert.InRange(memory.Tokens, 100_000, 217_646);
        for (int turn = 0; turn < 2; turn++)
        {
            using var mapped = CorpusCache.LoadText(_folder.PathOf("real.corpus"), path, codec, breaks, size, context, 200);
            Assert.Equal((memory.ToString(), memory.Measures, memory.Fingerprint()), (mapped.ToString(), mapped.Measures, mapped.Fingerprint()));
            for (int i = 0; i < memory.Count; i++)
                Assert.True(memory.Block(i).SequenceEqual(mapped.Block(i)) && memory.Lengths(i) == mapped.Lengths(i), $"block {i}");
        }
    }

    // The checksums are always right, so that only the rules stand between the file and whoever reads it. The file is followed by nothing: reading beyond it ends the process.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WhateverTheNumbersSayNothingBeyondTheFileIsRead(bool isText)
    {
        const int Seed = 41, Turns = 4000;
        var random = new Random(Seed);
        string path = _folder.PathOf("fuzz.corpus");
        byte[] whole = Make(path, isText);
        var good = CorpusFile.Read(whole, whole.Length, out _)!;
        int entries = (int)good.EntriesAt, refused = 0, accepted = 0;
        for (int turn = 0; turn < Turns; turn++)
        {
            byte[] bytes = [.. whole];
            for (int changes = random.Next(1, 4); changes > 0; changes--)
                Change(bytes);
            Seal(bytes);
            File.WriteAllBytes(path, bytes);
            using var corpus = MappedCorpus.Open(path, out string why);
            if (corpus is null || corpus.Damage(default) is not null)
            {
                Assert.True(corpus is not null || why.Length > 0);
                refused++;
                continue;
            }

            accepted++;
            long ids = 0;
            for (int i = 0; i < corpus.Count; i++)
            {
                var (source, target) = (corpus.Source(i).ToArray(), corpus.Target(i).ToArray());
                Assert.True((corpus.Head.IsText ? source.Length == 0 : source[^1] == Vocabulary.Eos) && target[^1] == Vocabulary.Eos, $"seed {Seed}, turn {turn}");
                Assert.All(source, id => Assert.InRange(id, 0, corpus.Head.SourceVocabulary - 1));
                Assert.All(target, id => Assert.InRange(id, 0, corpus.Head.TargetVocabulary - 1));
                Assert.Equal((source.Length, target.Length), corpus.Lengths(i));
                ids += source.Length + target.Length;
                Assert.Equal(ids, corpus.EndOf(i));
            }

            Assert.Equal(corpus.Head.Ids, ids);
        }

        BinaryPrimitives.WriteInt32LittleEndian(whole.AsSpan(88), int.MinValue);
        Seal(whole);
        File.WriteAllBytes(path, whole);
        Assert.Null(MappedCorpus.Open(path, out string wrong));
        Assert.Equal(isText ? "must have no source vocabulary and one of at least 4 ids, got 0 and -2147483648" : "must have vocabularies of at least 4 ids, got 10 and -2147483648", wrong);

        // An id of the vocabulary for another, a line between two others: such changes nobody can see.
        Assert.True(refused > Turns / 2 && accepted > Turns / 100, $"{refused} refused, {accepted} accepted");

        void Change(byte[] bytes)
        {
            int at = random.Next(3) switch
            {
                0 => 16 + (4 * random.Next(22)),
                1 => 256 + (4 * random.Next((entries - 256) / 4)),
                _ => entries + (4 * random.Next((bytes.Length - entries) / 4)),
            };
            var place = bytes.AsSpan(at, 4);
            int before = BinaryPrimitives.ReadInt32LittleEndian(place);
            int[] values = [0, -1, 1, 2, 3, before + 1, before - 1, int.MaxValue, int.MinValue, random.Next(20), random.Next()];
            BinaryPrimitives.WriteInt32LittleEndian(place, values[random.Next(values.Length)]);
        }

        void Seal(byte[] bytes)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(92), CorpusFile.Checksum(0, bytes.AsSpan(256, (int)good.Ids * 4)));
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(96), CorpusFile.Checksum(0, bytes.AsSpan(entries)));
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(252), CorpusFile.Checksum(0, bytes.AsSpan(0, 252)));
        }
    }

    // CRC-32C's own test value, in one piece and in pieces of any length.
    [Fact]
    public void TheChecksumIsCrc32C()
    {
        Assert.Equal(0xE3069283, CorpusFile.Checksum(0, "123456789"u8));
        byte[] bytes = new byte[100];
        var random = new Random(2);
        random.NextBytes(bytes);
        for (int cut = 0; cut <= bytes.Length; cut++)
            Assert.Equal(CorpusFile.Checksum(0, bytes), CorpusFile.Checksum(CorpusFile.Checksum(0, bytes.AsSpan(..cut)), bytes.AsSpan(cut..)));
        int[] ids = [.. Enumerable.Range(0, 150_001).Select(_ => random.Next())];
        Assert.Equal(CorpusFile.Checksum(7, MemoryMarshal.AsBytes(ids.AsSpan())), CorpusFile.Checksum(7, ids));
    }

    /// <summary>A corpus of 40 short pairs, or a text of 50 lines.</summary>
    private byte[] Make(string path, bool isText)
    {
        string[] words = ["a", "b", "c", "d", "e", "f", "unknown"];
        var random = new Random(6);
        var codec = new TextCodec(new WordTokenizer(), Vocabulary.Build(new WordTokenizer(), ["a b c d e f"]));
        string[] texts = [_folder.PathOf("a.txt"), _folder.PathOf("b.txt")];
        foreach (string text in texts)
            TextFile.WriteLines(text, Enumerable.Range(0, 50).Select(i => string.Join(' ', Enumerable.Range(0, i % 5 == 4 ? 0 : random.Next(1, 6)).Select(_ => words[random.Next(words.Length)]))));
        if (isText)
            CorpusCache.LoadText(path, texts[0], codec, SampleBreak.None, 8).Dispose();
        else
            CorpusCache.Load(path, texts[0], texts[1], codec, codec, 10).Dispose();
        return File.ReadAllBytes(path);
    }
}
