using System.Runtime.InteropServices;
using System.Security.Cryptography;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>A text in blocks for language models, in fairseq's sample break modes.</summary>
public sealed class TokenBlocksTests
{
    private const int Eos = Vocabulary.Eos;
    private const int Pad = Vocabulary.Pad;

    // a = 4, b = 5, c = 6, d = 7 by their counts.
    private static readonly string[] Lines = ["a b a", "", "c a", "a b b c d"];
    private static readonly TextCodec Codec = new(new WordTokenizer(), Vocabulary.Build(new WordTokenizer(), ["a a a a b b b c c d"]));
    private static readonly int[] Text = [4, 5, 4, Eos, Eos, 6, 4, Eos, 4, 5, 5, 6, 7, Eos];

    [Fact]
    public void BlocksGoOnOverTheEndsOfLines()
    {
        var blocks = TokenBlocks.Encode(Lines, Codec, SampleBreak.None, tokensPerSample: 4);
        Assert.Equal([[4, 5, 4, Eos], [Eos, 6, 4, Eos], [4, 5, 5, 6], [7, Eos]], Targets(blocks));
        Assert.Equal(14, blocks.Tokens);
        Assert.Equal(new TextMeasures(4, 14, 21), blocks.Measures);
        Assert.Equal("text: 4 lines, 14 tokens in 4 blocks", blocks.ToString());
        var batch = blocks.Batch(0, 1, 3);
        Assert.Equal((3, 0, 4, 10), (batch.B, batch.S, batch.T, batch.TargetTokens));
        Assert.Equal([Eos, 4, 5, 4, Eos, Eos, 6, 4, 6, 7, Pad, Pad], batch.PreviousTarget);
        Assert.Equal([4, 5, 4, Eos, Eos, 6, 4, Eos, 7, Eos, Pad, Pad], batch.Target);
        Assert.Equal([4, 4, 2], batch.TargetLengths);
        Assert.Empty(batch.Source);
        Assert.Equal([Eos, 4, 5, 4, Eos, Eos, 6, 4, 6, 7, Pad, Pad], blocks.Batch(0, 1, 3).PaddedTo(2).PreviousTarget);
    }

    [Fact]
    public void BlocksOfWholeLines()
    {
        Assert.Equal([[4, 5, 4, Eos, Eos], [6, 4, Eos], [4, 5, 5, 6, 7, Eos]], Targets(TokenBlocks.Encode(Lines, Codec, SampleBreak.Complete, 5)));
        Assert.Equal([[4, 5, 4, Eos, Eos, 6, 4, Eos], [4, 5, 5, 6, 7, Eos]], Targets(TokenBlocks.Encode(Lines, Codec, SampleBreak.Complete, 8)));
        Assert.Equal([Text], Targets(TokenBlocks.Encode(Lines, Codec, SampleBreak.Complete, 14)));
    }

    [Fact]
    public void EveryLineABlockAndLongOnesLeftOut()
    {
        var blocks = TokenBlocks.Encode(Lines, Codec, SampleBreak.Eos, tokensPerSample: 1);
        Assert.Equal([[4, 5, 4, Eos], [Eos], [6, 4, Eos], [4, 5, 5, 6, 7, Eos]], Targets(blocks));
        Assert.All(Enumerable.Range(0, 4), i => Assert.Equal(Eos, blocks.Batch(i).PreviousTarget[0]));
        var few = TokenBlocks.Encode(Lines, Codec, SampleBreak.Eos, tokensPerSample: 1, maxLength: 2);
        Assert.Equal([[Eos], [6, 4, Eos]], Targets(few));
        Assert.Equal("text: 2 lines, 2 left out with more pieces than data.max_length, 4 tokens in 2 blocks", few.ToString());
    }

    [Theory]
    [InlineData(SampleBreak.None, 1, 0)]
    [InlineData(SampleBreak.None, 3, 0)]
    [InlineData(SampleBreak.None, 5, 2)]
    [InlineData(SampleBreak.None, 5, 4)]
    [InlineData(SampleBreak.None, 100, 50)]
    [InlineData(SampleBreak.Complete, 3, 0)]
    [InlineData(SampleBreak.Complete, 9, 4)]
    [InlineData(SampleBreak.Eos, 1, 0)]
    public void EveryTokenIsPredictedOnceAfterWhatStandsBeforeIt(SampleBreak breaks, int size, int context)
    {
        var blocks = TokenBlocks.Encode(Lines, Codec, breaks, size, context);
        var predicted = new List<int>();
        int counted = 0;
        for (int i = 0; i < blocks.Count; i++)
        {
            var batch = blocks.Batch(i);
            int only = batch.Target.AsSpan().Count(Pad), first = predicted.Count;
            Assert.Equal(Math.Min(context, first), only);
            Assert.True(breaks != SampleBreak.None || batch.T <= size);
            predicted.AddRange(batch.Target[only..]);
            for (int t = 0; t < batch.T; t++)
            {
                int at = first - only + t;
                Assert.Equal(at == 0 ? Eos : Text[at - 1], batch.PreviousTarget[t]);
            }

            counted += batch.TargetTokens;
        }

        Assert.Equal(Text, predicted);
        Assert.Equal(Text.Length, counted);
    }

    [Fact]
    public void RefusesBlocksThatHoldNothing()
    {
        const string Message = "TokenBlocks: the context must be from 0 to tokens_per_sample - 1, and 0 where every line is a sample, got ";
        Assert.Equal(Message + "4 of 4 tokens (None).", Assert.Throws<ArgumentOutOfRangeException>(() => TokenBlocks.Encode(Lines, Codec, SampleBreak.None, 4, 4)).Message);
        Assert.Equal(Message + "1 of 9 tokens (Eos).", Assert.Throws<ArgumentOutOfRangeException>(() => TokenBlocks.Encode(Lines, Codec, SampleBreak.Eos, 9, 1)).Message);
        Assert.Equal(Message + "0 of 0 tokens (Complete).", Assert.Throws<ArgumentOutOfRangeException>(() => TokenBlocks.Encode(Lines, Codec, SampleBreak.Complete, 0)).Message);
        Assert.Equal(0, TokenBlocks.Encode([], Codec, SampleBreak.None, 4).Count);
        Assert.Equal("Batch: must hold at least one block.", Assert.Throws<ArgumentException>(() => TokenBlocks.Encode(Lines, Codec, SampleBreak.None, 4).Batch()).Message);
    }

    /// <summary>The hash of every id, where every block ends, and the context: what checkpoints of runs have.</summary>
    [Theory]
    [InlineData(SampleBreak.None, 3, 1)]
    [InlineData(SampleBreak.Complete, 30, 0)]
    [InlineData(SampleBreak.Eos, 1, 0)]
    public void TheFingerprintIsOfEveryIdAndEveryEnd(SampleBreak breaks, int size, int context)
    {
        var blocks = TokenBlocks.Encode(Enumerable.Repeat(Lines, 6000).SelectMany(l => l), Codec, breaks, size, context);
        Assert.Equal(84_000, blocks.Tokens);
        int[][] targets = Targets(blocks);
        Assert.True(targets.Length >= 3000, $"{targets.Length}");
        int end = 0;
        int[] hashed = [84_000, .. targets.SelectMany(t => t), targets.Length, .. targets.Select(t => end += t.Length), 1, context];
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<int>(hashed))), blocks.Fingerprint());
    }

    [Fact]
    public void PositionsOfLongTextsAreHashedWithEveryBit()
    {
        const long Long = 3L << 30;
        long[] ends = [5, Long];
        using var hash = new SamplesFingerprint();
        byte[] expected = [.. BitConverter.GetBytes(Long), .. BitConverter.GetBytes(7), .. BitConverter.GetBytes(2), .. MemoryMarshal.AsBytes<long>(ends)];
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(expected)), hash.Begin(Long).Append<int>([7]).Add(2, Long, i => ends[i]).Take());
        Assert.Equal(hash.Add([7, 8, 9]).Take(), hash.Begin(3).Append<int>([7]).Append<int>([8, 9]).Take());
        Assert.Equal(hash.Add([4, 5, int.MaxValue]).Take(), hash.Add(3, int.MaxValue, i => i == 2 ? int.MaxValue : i + 4).Take());
        Assert.NotEqual(hash.Add(1, int.MaxValue, _ => 4).Take(), hash.Add(1, 1L + int.MaxValue, _ => 4).Take());
    }

    [Fact]
    public void ATextThatAnArrayCannotHoldIsRefused()
    {
        using var text = new MemoryText("long.txt", mostTokens: 5);
        text.Add([4, 5], 1);
        text.Add([6], 2);
        Assert.Equal((2, 5L), (text.Lines, text.Tokens));
        Assert.Equal("long.txt: must have at most 5 tokens to be kept in memory, has more.", Assert.Throws<InvalidDataException>(() => text.Add([], 3)).Message);
        Assert.Equal([5, Eos, 6, Eos], text.Ids(1, 4).ToArray());
    }

    [Fact]
    public void AByteOrderMarkInsideAWordIsPartOfIt()
    {
        var codec = new TextCodec(new WordTokenizer(), Vocabulary.Build(new WordTokenizer(), ["\uFEFFmark mark"]));
        Assert.Equal(2, codec.Encode("\uFEFFmark mark").Distinct().Count());
    }

    /// <summary>The published count of the validation text, line ends included: 3,760 lines, blank ones among them, and 213,886 words.</summary>
    [Fact]
    public void WikiText2HasItsTokens()
    {
        string path = TestData.Require("wikitext-2/valid.txt");
        var tokenizer = new WordTokenizer();
        var codec = new TextCodec(tokenizer, Vocabulary.Build(tokenizer, TextFile.ReadLines(path)));
        foreach (var (breaks, size, context) in new[] { (SampleBreak.None, 128, 0), (SampleBreak.None, 128, 64), (SampleBreak.Complete, 512, 0), (SampleBreak.Eos, 1, 0) })
        {
            var blocks = TokenBlocks.Load(path, codec, breaks, size, context);
            Assert.Equal(217_646, blocks.Tokens);
            Assert.Equal(217_646, Enumerable.Range(0, blocks.Count).Sum(i => blocks.Batch(i).TargetTokens));
            Assert.Equal((3760, 217_646), (blocks.Measures.Lines, blocks.Measures.Words));
        }
    }

    /// <summary>
    /// The published counts of the training text, and of the types of all three parts, which it has alone: 33,278 with &lt;unk&gt;, which the text is full of, and the end of a line.
    /// Its 36 byte order marks are characters of their words.
    /// </summary>
    [Fact]
    public void WikiText2sTrainingTextHasItsTokensAndWords()
    {
        string path = TestData.Require("wikitext-2/train.txt");
        var tokenizer = new WordTokenizer();
        var codec = new TextCodec(tokenizer, Vocabulary.Build(tokenizer, TextFile.ReadLines(path)));
        Assert.Equal(33_278, codec.Vocabulary.Count - 2);
        var blocks = TokenBlocks.Load(path, codec, SampleBreak.None, 128);
        Assert.Equal(2_088_628, blocks.Tokens);
        Assert.Equal(36, TextFile.ReadLines(path).Sum(l => codec.Decode(codec.Encode(l)).Count(c => c == '\uFEFF')));
    }

    /// <summary>65 symbols, the end of a line among them: it is the end of a sentence here, so that there are as many tokens as characters.</summary>
    [Fact]
    public void TinyShakespeareHasATokenForEachCharacter()
    {
        string path = TestData.Require("tinyshakespeare/input.txt");
        var tokenizer = new CharacterTokenizer();
        var codec = new TextCodec(tokenizer, Vocabulary.Build(tokenizer, TextFile.ReadLines(path)));
        Assert.Equal(65, codec.Vocabulary.Count - Vocabulary.SpecialCount + 1);
        var blocks = TokenBlocks.Load(path, codec, SampleBreak.None, 256);
        Assert.Equal(1_115_394, blocks.Tokens);
        Assert.Equal(1_115_394, blocks.Measures.Characters);
        Assert.Equal(40_000, blocks.Measures.Lines);
    }

    private static int[][] Targets(TokenBlocks blocks) => [.. Enumerable.Range(0, blocks.Count).Select(i => blocks.Block(i).ToArray())];
}
