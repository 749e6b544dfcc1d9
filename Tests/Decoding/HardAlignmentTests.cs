using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class HardAlignmentTests
{
    /// <summary>Probabilities of the last layer's attention: rows over the real source sum to 1, and the features they lead to are the decoder's.</summary>
    [Theory, Devices]
    public void SourceAttentionIsADistributionOverTheSource(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var config in TinyModels.On(name))
        {
            using var model = TinyModels.Create(config, device);
            using var scope = TensorScope.Begin();
            int[][] sources = [[4, 5, 6, 2], [7, 2]], previous = [[2, 4, 5], [2, 6, 7]];
            var attention = model.SourceAttention(TinyModels.Pad(device, previous), TinyModels.Encode(model, sources));
            Assert.Equal([2, 2, 3, 4], attention.Shape.ToArray());
            float[] values = attention.ToArray();
            for (int row = 0; row < 2 * 2 * 3; row++)
            {
                Assert.Equal(1, values.Skip(row * 4).Take(4).Sum(), 1e-5f);
                if (row >= 2 * 3)
                    Assert.Equal([0, 0], values.Skip((row * 4) + 2).Take(2));
            }

            // What else is in the batch changes nothing.
            var alone = model.SourceAttention(TinyModels.Pad(device, [previous[1]]), TinyModels.Encode(model, [sources[1]])).ToArray();
            for (int row = 0; row < 2 * 3; row++)
                Assert.Equal(alone[row * 2], values[(2 * 3 * 4) + (row * 4)], 1e-5f);
        }
    }

    [Theory, Devices]
    public void TokensAreAlignedToTheSourceTokenWithTheMostAttention(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var config in TinyModels.On(name))
        {
            using var model = TinyModels.Create(config, device);
            int[][] sources = TinyModels.Sentences(new Random(4), config.SourceVocabulary, 7, 2, 7, 12, 1, 4, 9);
            var options = new DecodingOptions { Beam = 3, NBest = 3, MaxLengthB = 6, MinLength = 2, BatchTokens = 20 };
            var plain = new SequenceGenerator(model).Generate(sources, options);
            var aligned = new SequenceGenerator(model).Generate(sources, options with { Alignments = true });
            for (int i = 0; i < sources.Length; i++)
            {
                Assert.Equal(plain[i].Select(h => h.Tokens), aligned[i].Select(h => h.Tokens));
                Assert.Equal(plain[i].Select(h => h.Score), aligned[i].Select(h => h.Score));
                foreach (var hypothesis in aligned[i])
                {
                    Assert.Equal(hypothesis.Tokens.Length, hypothesis.Alignment.Length);
                    using var scope = TensorScope.Begin();
                    int[] previous = [Vocabulary.Eos, .. hypothesis.Tokens];
                    float[] p = model.SourceAttention(Tensor.From(device, previous, [1, previous.Length]), TinyModels.Encode(model, [sources[i]])).ToArray();
                    int width = sources[i].Length;
                    for (int t = 0; t < hypothesis.Tokens.Length; t++)
                    {
                        double[] mean = [.. Enumerable.Range(0, width).Select(s => Enumerable.Range(0, 2).Average(h => (double)p[(((h * previous.Length) + t) * width) + s]))];
                        double most = mean.Take(Math.Max(1, width - 1)).Max();
                        Assert.InRange(hypothesis.Alignment[t], 0, Math.Max(0, width - 2));
                        Assert.Equal(most, mean[hypothesis.Alignment[t]], 1e-5);
                    }
                }

                Assert.All(plain[i], h => Assert.Empty(h.Alignment));
            }
        }
    }

    /// <summary>No head alone comes to the host, however many there are.</summary>
    [Theory, Devices]
    public void HeadsAreAveragedWhereTheyAre(string name)
    {
        using var device = TestDevices.Open(name);
        const int Heads = 1500, Width = 33, Longest = 8;
        float[] values = new float[2 * Heads * Longest * Width];
        new RandomSource(3).Uniform(values, 0, 1);
        using var attention = Tensor.From(device, values, [2, Heads, Longest, Width]);
        using var model = new ManyHeadedModel(attention);
        model.Initialize(device, new RandomSource(0));
        int[][] sources = TinyModels.Sentences(new Random(4), 11, Width, 19);
        IReadOnlyList<Hypothesis>[] found = [[new Hypothesis([4, 5, 6], 0, [])], [new Hypothesis([4, 5, 6, 7, 4, 5, 6], 0, [])]];
        HardAlignment.Of(model, sources, found);
        long before = GC.GetAllocatedBytesForCurrentThread();
        var aligned = HardAlignment.Of(model, sources, found);
        if (name != TestDevices.Emulated)
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, Heads * Longest * Width);
        for (int m = 0; m < 2; m++)
        {
            for (int t = 0; t < found[m][0].Tokens.Length; t++)
            {
                double[] mean = [.. Enumerable.Range(0, sources[m].Length - 1).Select(s => Enumerable.Range(0, Heads).Average(h => (double)values[(((((m * Heads) + h) * Longest) + t) * Width) + s]))];
                Assert.Equal(mean.Max(), mean[aligned[m][0].Alignment[t]], 1e-6);
            }
        }
    }

    [Theory, Devices]
    public void AModelWithoutSourceAttentionSaysSo(string name)
    {
        using var device = TestDevices.Open(name);
        using var model = new PeepingModel(TinyModels.Transformer);
        model.Initialize(device, new RandomSource(0));
        var error = Assert.Throws<NotSupportedException>(() => new SequenceGenerator(model).Generate([[4, 2]], new DecodingOptions { MaxLengthB = 3, Alignments = true }));
        Assert.Equal("SourceAttention: the model must attend to its source, got PeepingModel.", error.Message);
    }

    /// <summary>A translator writes the source's pieces for unknown ones, and none but those.</summary>
    [Theory, Devices]
    public void UnknownPiecesAreReplaced(string name)
    {
        using var device = TestDevices.Open(name);
        string[] words = ["a", "b", "c", "d", "e", "f", "g"];
        var codec = new TextCodec(new WordTokenizer(), Vocabulary.Build(new WordTokenizer(), words));
        using var translator = new Translator(TinyModels.Create(TinyModels.Transformer, device), codec, codec);
        var options = new DecodingOptions { Beam = 2, NBest = 2, MinLength = 4, MaxLengthB = 6, Alignments = true };
        string[] lines = ["a b zebra d", "", "xylophone c"], prefixes = ["e \u2047 f", "", "nowhere nothing"];
        var plain = translator.Translate(lines, options, default, prefixes);
        var replaced = translator.Translate(lines, options, default, prefixes, replaceUnknown: true);
        foreach (var (line, before, after) in lines.Zip(plain, replaced))
        {
            foreach (var (b, a) in before.Zip(after))
            {
                string[] source = line.Split(' '), expected = b.Text.Split(' ');
                Assert.Equal(b.Text.Length == 0 ? 0 : expected.Length, b.Alignment.Count);
                Assert.Equal(b.Text.Length == 0 ? 0 : expected.Length + 1, b.TokenScores.Count);
                for (int t = 0; t < b.Alignment.Count; t++)
                    expected[t] = expected[t] == TextCodec.UnknownText ? source[b.Alignment[t]] : expected[t];
                Assert.Equal(string.Join(' ', expected), a.Text);
            }
        }

        Assert.All(plain[2], t => Assert.StartsWith("\u2047 \u2047", t.Text));
        Assert.All(replaced[2], t => Assert.Matches("^(xylophone|c) (xylophone|c)", t.Text));
        Assert.Empty(translator.Translate(lines, options with { Alignments = false }, default, prefixes)[0][0].Alignment);
        var error = Assert.Throws<ArgumentException>(() => translator.Translate(lines, options, default, ["a"]));
        Assert.Equal("Translator: prefixes must be as many as lines, got 1 and 3.", error.Message);
    }

    private sealed class ManyHeadedModel : Seq2SeqModel
    {
        private readonly Transformer2017 _inner;
        private readonly Tensor _attention;

        public ManyHeadedModel(Tensor attention)
            : base(TinyModels.Transformer)
        {
            _inner = Add(string.Empty, new Transformer2017(TinyModels.Transformer));
            _attention = attention;
        }

        protected override OutputHead Head => _inner.Decoder.Head;

        public override EncoderOutput Encode(Tensor source, Tensor lengths, RandomSource? random = null) => _inner.Encode(source, lengths, random);

        public override Tensor Decode(Tensor previous, EncoderOutput encoded, RandomSource? random = null) => _inner.Decode(previous, encoded, random);

        public override Tensor SourceAttention(Tensor previous, EncoderOutput encoded) => Ops.Scale(_attention, 1);

        protected override void Fill(IncrementalState state, EncoderOutput encoded) => _inner.Decoder.Begin(state, encoded);

        protected override Tensor Step(Tensor tokens, IncrementalState state) => _inner.Decoder.Step(tokens, state);
    }
}
