using CudaSeq.Models;

namespace CudaSeq.Tests;

public sealed class SentencePieceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("google_test_model", "multi30k/val.en", "truth/sentencepiece/val.en.google_test_model")]
    [InlineData("m30_unigram8k", "truth/sentencepiece/val.fr", "truth/sentencepiece/val.fr.m30_unigram8k")]
    public void PiecesAndIdsAreTheToolsOwn(string name, string text, string truth)
    {
        var model = SentencePieceModel.Load(TestData.Require($"truth/sentencepiece/{name}.model"));
        string[] lines = [.. TextFile.ReadLines(TestData.Require(text))];
        Assert.Equal(TextFile.ReadLines(TestData.Require($"{truth}.piece")), lines.Select(l => string.Join(' ', model.Encode(l))));
        Assert.Equal(TextFile.ReadLines(TestData.Require($"{truth}.id")), lines.Select(l => string.Join(' ', model.EncodeAsIds(l))));
    }

    [Fact]
    public void PiecesAndScoresAreThoseOfTheVocabularyFile()
    {
        var model = SentencePieceModel.Load(TestData.Require("truth/sentencepiece/m30_unigram8k.model"));
        string[] pieces = [.. TextFile.ReadLines(TestData.Require("truth/sentencepiece/m30_unigram8k.vocab")).Select(l => l.Split('\t')[0])];
        Assert.Equal(pieces, Enumerable.Range(0, model.Count).Select(id => model[id]));
        Assert.Equal(Enumerable.Range(0, model.Count), pieces.Select(model.IndexOf));
        Assert.Equal(0, model.UnknownId);
        Assert.Equal(0, model.IndexOf("xyzzy"));
    }

    // Made by SentencePiece 0.1.97 from the lines that RandomText.Line makes, 1500 of seed 7.
    [Theory]
    [InlineData("google_test_model", "af5d7318d9fb6be4")]
    [InlineData("m30_unigram8k", "5054fd124a0e4e4e")]
    public void HostileTextGivesTheToolsOwnBytes(string name, string hash)
    {
        var random = new Random(7);
        string[] lines = [.. Enumerable.Range(0, 1500).Select(_ => RandomText.Line(random, 30))];
        Assert.Equal(hash, HashOf(SentencePieceModel.Load(TestData.Require($"truth/sentencepiece/{name}.model")), lines));
    }

    // Made by SentencePiece 0.1.97 from the models and lines that RandomSentencePiece makes: unigram and BPE, symbols of the user's, unused pieces, byte fallback, every
    // way to treat spaces, scores of which many are equal.
    [Theory]
    [InlineData(0, "5a1600fb33572b0f")]
    [InlineData(1, "6223d955dc768e60")]
    [InlineData(2, "1e750b3e5b48f22b")]
    [InlineData(3, "9a39118d3a20ea50")]
    [InlineData(4, "1671d191163a6b80")]
    [InlineData(5, "5e9791981bd2204e")]
    [InlineData(6, "8bd9980fc801c7b2")]
    [InlineData(7, "d2378dfd8e02821e")]
    [InlineData(8, "40fbf10bea11ad5d")]
    [InlineData(9, "f59f9a5f5d438039")]
    [InlineData(10, "4e0c64d6e64ab30a")]
    [InlineData(11, "6a17f3638b2afeca")]
    [InlineData(12, "cdce5455250c5a79")]
    [InlineData(13, "76a8f9c9ffdbedd3")]
    [InlineData(14, "d916e248fa1d8f0a")]
    [InlineData(15, "62fce72106bd2067")]
    public void SmallModelsGiveTheToolsOwnBytes(int seed, string hash)
        => Assert.Equal(hash, HashOf(SentencePieceModel.Parse(RandomSentencePiece.Model(seed), "model"), RandomSentencePiece.Lines(seed, 300)));

    [Fact]
    public void TextComesBack()
    {
        var model = SentencePieceModel.Load(TestData.Require("truth/sentencepiece/google_test_model.model"));
        foreach (string line in TextFile.ReadLines(TestData.Require("multi30k/val.en")))
        {
            string text = string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
            Assert.Equal(text, model.Decode(model.Encode(line)));
            if (!model.EncodeAsIds(line).Contains(model.UnknownId))
                Assert.Equal(text, model.DecodeIds(model.EncodeAsIds(line)));
        }
    }

    [Fact]
    public void DecodesWhatEncodingNeverGives()
    {
        var model = Small(trainer: new WireWriter().Number(35, 1), bytes: true);
        Assert.Equal("\u00E9\uFFFDa \u2047 xy", model.Decode("<s>", "<0xC3>", "<0xA9>", "<0xE2>", "a", "<unk>", "xy", "</s>"));
        Assert.Equal("a a", model.Decode("\u2581a", "\u2581a"));
        Assert.Equal("", model.Decode());
        Assert.Equal("SentencePieceModel: ids must be in 0 .. 260, got 261 at 1.", Assert.Throws<ArgumentOutOfRangeException>(() => model.DecodeIds([0, 261])).Message);
        Assert.Equal("SentencePieceModel: ids must be in 0 .. 260, got -1.", Assert.Throws<ArgumentOutOfRangeException>(() => model[-1]).Message);
    }

    [Fact]
    public void WhatIsUnknownIsOnePieceOrItsBytes()
    {
        Assert.Equal(["\u2581a", "\u4E2D\u6587", "a"], Small().Encode("a\u4E2D\u6587a"));
        Assert.Equal(["\u2581a", "<0xE4>", "<0xB8>", "<0xAD>", "a"], Small(trainer: new WireWriter().Number(35, 1), bytes: true).Encode("a\u4E2Da"));
        Assert.Empty(Small().Encode("   "));
        Assert.Empty(Small().EncodeAsIds(""));
    }

    [Fact]
    public void ALongTextIsCutInTime()
    {
        string text = string.Concat(Enumerable.Repeat("ab ", 100_000)).TrimEnd();
        foreach (int seed in (int[])[4, 5])
            Assert.NotEmpty(SentencePieceModel.Parse(RandomSentencePiece.Model(seed), "model").EncodeAsIds(text));
    }

    [Fact]
    public void WhateverTheFileItIsReadOrRefused()
    {
        byte[] whole = File.ReadAllBytes(TestData.Require("truth/sentencepiece/google_test_model.model"));
        int refused = 0;
        for (int seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            byte[] bytes = seed % 2 == 0 ? RandomSentencePiece.Model(seed) : (byte[])whole.Clone();
            for (int n = 1 + random.Next(4); n > 0; n--)
                bytes[random.Next(seed % 4 == 3 ? 300 : bytes.Length)] = (byte)random.Next(256);
            if (random.Next(3) == 0)
                bytes = bytes[..random.Next(bytes.Length)];
            try
            {
                var model = SentencePieceModel.Parse(bytes, "model");
                foreach (string line in RandomSentencePiece.Lines(seed, 5).Append(RandomText.Line(random, 40)))
                    _ = model.Decode(model.Encode(line));
            }
            catch (InvalidDataException e)
            {
                refused++;
                Assert.StartsWith("model: ", e.Message, StringComparison.Ordinal);
                Assert.DoesNotContain('\n', e.Message);
            }
        }

        Assert.InRange(refused, 100, 399);
    }

    [Fact]
    public void DamagedFilesAreRefused()
    {
        Check("there must be one unknown piece, got none in 0 pieces.", new WireWriter());
        Check("is no SentencePiece model: byte 1: a whole number must end within its message and 10 bytes.", new WireWriter().Raw(0xFF));
        Check("is no SentencePiece model: byte 1: a whole number must end within its message and 10 bytes.", new WireWriter().Raw([.. Enumerable.Repeat((byte)0x80, 11)]));
        Check("is no SentencePiece model: byte 1: a field must have a number of 1 .. 536870911, got 0.", new WireWriter().Raw(2, 0));
        Check("is no SentencePiece model: byte 1: field 1 must have wire type 0, 1, 2 or 5, got 3.", new WireWriter().Raw(0x0B));
        Check("is no SentencePiece model: byte 2: field 1 must have wire type 2, got 0.", new WireWriter().Number(1, 5));
        Check("is no SentencePiece model: byte 3: field 1 must end within its message, got 9 bytes where 1 are left.", new WireWriter().Raw(0x0A, 9, 0));
        Check("is no SentencePiece model: byte 5: field 1 must end within its message, got 127 bytes where 1 are left.", new WireWriter().Bytes(1, 0x0A, 0x7F, 0x41));
        Check("is no SentencePiece model: byte 4: field 9 must end within its message, got 8 bytes where 1 are left.", new WireWriter().Bytes(1, 0x49, 0x00));
        Check("piece 0 must not be empty.", new WireWriter().Message(1, new WireWriter().Float(2, 1)));
        Check("piece 0 must be UTF-8.", new WireWriter().Message(1, new WireWriter().Bytes(1, 0xC3)));
        Check("piece 0 must have a finite score, got NaN.", new WireWriter().Message(1, RandomSentencePiece.Piece("a", float.NaN, 1)));
        Check("piece 0 must have a finite score, got an infinite one.", new WireWriter().Message(1, RandomSentencePiece.Piece("a", float.NegativeInfinity, 1)));
        Check("piece 0 must have a type of 1 .. 6, got 7.", new WireWriter().Message(1, RandomSentencePiece.Piece("a", 0, 7)));
        Check("piece 1 must not be that of 0 again, got 'a'.", new WireWriter().Message(1, RandomSentencePiece.Piece("a", 0, 1)).Message(1, RandomSentencePiece.Piece("a", 0, 4)));
        Check("there must be one unknown piece, got 0 and 1.", new WireWriter().Message(1, RandomSentencePiece.Piece("a", 0, 2)).Message(1, RandomSentencePiece.Piece("b", 0, 2)));
        Check("there must be one unknown piece, got none in 1 pieces.", new WireWriter().Message(1, RandomSentencePiece.Piece("a", 0, 1)));
        Check("piece 0 must not be a byte where trainer_spec.byte_fallback is false.", new WireWriter().Message(1, RandomSentencePiece.Piece("<0x00>", 0, 6)));
        Check("trainer_spec.model_type must be 1 (unigram) or 2 (BPE), got 3.", new WireWriter().Message(2, new WireWriter().Number(3, 3)));
        Check("trainer_spec.unk_surface must be UTF-8.", new WireWriter().Message(2, new WireWriter().Bytes(44, 0xFF)));
        var bytes = new WireWriter().Message(2, new WireWriter().Number(35, 1)).Message(1, RandomSentencePiece.Piece("?", 0, 2));
        Check("there must be 256 byte pieces where trainer_spec.byte_fallback is true, got 0.", bytes);
        Check("piece 1 must be a byte such as <0x0A>, got '<0x0a>'.", bytes.Message(1, RandomSentencePiece.Piece("<0x0a>", 0, 6)));
    }

    // A trie of one block: its root, and what a case has put into it.
    [Theory]
    [InlineData("must begin with the bytes of its trie, a multiple of 4 below 0, got 0.", "01")]
    [InlineData("must begin with the bytes of its trie, a multiple of 4 below 1, got 4.", "0400000000")]
    [InlineData("must begin with the bytes of its trie, a multiple of 4 below 5, got 3.", "030000000000000000")]
    [InlineData("must end in texts of UTF-8, each ended by a zero byte.", "040000000000000041")]
    [InlineData("must end in texts of UTF-8, each ended by a zero byte.", "0400000000000000FF00")]
    [InlineData("unit 0 of the trie must have its children below 1, got 255.", "040000000000000000")]
    public void ADamagedTableIsRefused(string message, string hex)
        => Assert.Equal($"model: normalizer_spec.precompiled_charsmap: {message}", Assert.Throws<InvalidDataException>(() => Small(map: Convert.FromHexString(hex))).Message);

    [Fact]
    public void ATableWhoseValuesLeadNowhereIsRefused()
    {
        // Under the root, at distance 1: for a, unit 0x60, a value at unit 0x60 ^ 2 = 98.
        Assert.Equal(["\u2581", "b", "b", "\u2581", "b"], Small(map: Map(0)).Encode("a b"));
        Assert.Equal(["\u2581", "b", "\u2581", "b"], Small(map: Map(1)).Encode("a b"));
        Assert.Equal("model: normalizer_spec.precompiled_charsmap: unit 98 of the trie must be the place of a text, got 3 of 3.", Assert.Throws<InvalidDataException>(() => Small(map: Map(3))).Message);
    }

    private static byte[] Map(uint place)
    {
        var units = new uint[256];
        units[0] = 1u << 10;
        units['a' ^ 1] = 'a' | (1u << 8) | (2u << 10);
        units['a' ^ 1 ^ 2] = (1u << 31) | place;
        return [.. BitConverter.GetBytes(4 * units.Length), .. units.SelectMany(BitConverter.GetBytes), (byte)'b', (byte)'b', 0];
    }

    private static void Check(string message, WireWriter model)
        => Assert.Equal($"model: {message}", Assert.Throws<InvalidDataException>(() => SentencePieceModel.Parse(model.Done, "model")).Message);

    private static string HashOf(SentencePieceModel model, string[] lines)
    {
        string[] pieces = [.. lines.Select(l => string.Join(' ', model.Encode(l)))];
        return Hash.Of(
        [
            .. pieces, .. lines.Select(l => string.Join(' ', model.EncodeAsIds(l))), .. pieces.Select(l => model.Decode(l.Split(' ', StringSplitOptions.RemoveEmptyEntries))),
        ]);
    }

    /// <summary>A unigram model of the pieces a, ▁a and b.</summary>
    private static SentencePieceModel Small(WireWriter? trainer = null, bool bytes = false, byte[]? map = null)
    {
        var model = new WireWriter();
        foreach (var (piece, type) in ((string, int)[])[("<unk>", 2), ("<s>", 3), ("</s>", 3), ("a", 1), ("\u2581a", 1)])
            model.Message(1, RandomSentencePiece.Piece(piece, -1, type));
        for (int b = 0; bytes && b < 256; b++)
            model.Message(1, RandomSentencePiece.Piece($"<0x{b:X2}>", 0, 6));
        if (map is not null)
            model.Message(1, RandomSentencePiece.Piece("b", -1, 1)).Message(3, new WireWriter().Bytes(2, map));
        return SentencePieceModel.Parse(model.Message(2, trainer ?? new WireWriter()).Done, "model");
    }
}
