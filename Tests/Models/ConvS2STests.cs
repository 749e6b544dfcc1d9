using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Gehring et al.'s model. That it is its equations, scaled gradients included, and decodes what they say, is among the tests of whole models.</summary>
public sealed class ConvS2STests
{
    /// <summary>fairseq's registered architectures (models/fconv.py), as they count (width, taps) of each block.</summary>
    [Theory]
    [InlineData("iwslt", 256, 256, "256x3*4", "256x3*3", 0.1f)]
    [InlineData("wmt_en_ro", 512, 512, "512x3*20", "512x3*20", 0.1f)]
    [InlineData("wmt_en_de", 768, 512, "512x3*9 1024x3*4 2048x1*2", "512x3*9 1024x3*4 2048x1*2", 0.2f)]
    [InlineData("wmt_en_fr", 768, 512, "512x3*6 768x3*4 1024x3*3 2048x1*1 4096x1*1", "512x3*6 768x3*4 1024x3*3 2048x1*1 4096x1*1", 0.1f)]
    public void PresetsAreFairseqs(string preset, int width, int output, string encoder, string decoder, float dropout)
    {
        var config = SequenceModel.Presets(Architecture.ConvS2S)[preset] with { SourceVocabulary = 8848, TargetVocabulary = 6632 };
        (int C, int K)[] encoderBlocks = Blocks(encoder), decoderBlocks = Blocks(decoder);
        Assert.Equal((width, output, dropout, 1022, EmbeddingSharing.None), (config.ModelWidth, config.WidthOfOutput, config.Dropout, config.MaxPositions, config.ShareEmbeddings));
        Assert.Equal(encoderBlocks, Enumerable.Range(0, config.EncoderLayers).Select(i => (config.EncoderChannelsOf(i), config.EncoderKernelWidth(i))));
        Assert.Equal(decoderBlocks, Enumerable.Range(0, config.DecoderLayers).Select(i => (config.DecoderChannelsOf(i), config.DecoderKernelWidth(i))));

        // A weight of O outputs over I inputs has I O directions, O lengths and O biases; a table of positions 1024 rows.
        long expected = ((8848 + 6632 + (2 * 1024L)) * width) + Side(encoderBlocks, width, attends: false) + Side(decoderBlocks, output, attends: true) + Weight(output, 6632);
        using var model = SequenceModel.Declare(config);
        Assert.Equal(expected, model.ParameterCount);

        static (int, int)[] Blocks(string text) => [.. text.Split(' ').SelectMany(part =>
        {
            int[] numbers = [.. part.Split('x', '*').Select(int.Parse)];
            return Enumerable.Repeat((numbers[0], numbers[1]), numbers[2]);
        })];

        static long Weight(long inputs, long outputs) => (inputs * outputs) + outputs + outputs;

        long Side((int C, int K)[] blocks, int last, bool attends)
        {
            long sum = Weight(width, blocks[0].C) + Weight(blocks[^1].C, last), before = blocks[0].C;
            foreach (var (c, k) in blocks)
            {
                sum += Weight(k * before, 2 * c) + (before == c ? 0 : Weight(before, c)) + (attends ? Weight(c, width) + Weight(width, c) : 0);
                before = c;
            }

            return sum;
        }
    }

    // Dropped: both embeddings (the values and the attention's queries read what is left of them), what each convolution reads but not what goes around it, and what the words are predicted from.
    [Theory, Devices]
    public void TrainingDropsWhereThePaperAndFairseqDo(string name)
    {
        const float Half = 0.5f;
        int[] source = [4, 5, 6, 7, Vocabulary.Eos], previous = [2, 4, 9, 6];
        using var device = TestDevices.Open(name);
        var config = TinyModels.ConvS2S with { Dropout = Half };
        using var model = TinyModels.Create(config, device);
        using var scope = TensorScope.Begin();
        var random = new RandomSource(3);
        var reference = new ConvS2SReference(model.Config, model.NamedParameters().ToDictionary(p => p.Name, p => Array.ConvertAll(p.Tensor.ToArray(), v => (double)v)))
        {
            Masks = count => Array.ConvertAll(Ops.Dropout(Tensor.Full(device, [count], 1), Half, random).ToArray(), v => (double)v),
        };
        double[] expected = [.. reference.Logits(source, previous).SelectMany(row => row)];
        var drawn = new RandomSource(3);
        var encoded = model.Encode(TinyModels.Pad(device, [source]), TinyModels.Lengths(device, [source]), drawn);
        FiniteDifference.Near(expected, model.Logits(model.Decode(TinyModels.Pad(device, [previous]), encoded, drawn)).ToArray());
    }

    /// <summary>The state dictionary of fairseq's FConvModel.</summary>
    [Fact]
    public void ParametersHaveFairseqsNamesAndShapes()
    {
        using var model = SequenceModel.Declare(TinyModels.ConvS2S with { EncoderLayers = 2, EncoderChannels = [8, 6], EncoderKernelWidths = [3, 1], DecoderLayers = 1, DecoderChannels = [4], DecoderKernelWidths = [3] });
        Assert.Equal(
            [
                "encoder.embed_tokens.weight [11, 8]", "encoder.embed_positions.weight [66, 8]",
                .. Linear("encoder.fc1", 8, 8), .. Convolution("encoder.convolutions.0", 3, 8, 16), .. Linear("encoder.projections.1", 8, 6), .. Convolution("encoder.convolutions.1", 1, 8, 12),
                .. Linear("encoder.fc2", 6, 8),
                "decoder.embed_tokens.weight [10, 8]", "decoder.embed_positions.weight [66, 8]",
                .. Linear("decoder.fc1", 8, 4), .. Convolution("decoder.convolutions.0", 3, 4, 8),
                .. Linear("decoder.attention.0.in_projection", 4, 8), .. Linear("decoder.attention.0.out_projection", 8, 4),
                .. Linear("decoder.fc2", 4, 6), .. Linear("decoder.fc3", 6, 10),
            ],
            model.ParameterShapes().Select(p => $"{p.Name} {p.Shape}"));

        static string[] Linear(string name, int inputs, int outputs) => [$"{name}.weight_v [{outputs}, {inputs}]", $"{name}.weight_g [{outputs}, 1]", $"{name}.bias [{outputs}]"];

        static string[] Convolution(string name, int taps, int inputs, int outputs) => [$"{name}.weight_v [{taps}, {inputs}, {outputs}]", $"{name}.weight_g [1, 1, {outputs}]", $"{name}.bias [{outputs}]"];
    }

    /// <summary>Embeddings with deviation 0.1; linear layers sqrt(keep / I), convolutions sqrt(4 keep / (K I)), where keep counts behind a dropout alone; lengths are those of the directions.</summary>
    [Fact]
    public void ParametersStartAsInFairseq()
    {
        using var device = new CpuDevice(1);
        var config = TinyModels.ConvS2S with { ModelWidth = 40, EncoderChannels = [40, 48, 48], DecoderChannels = [40, 48], OutputWidth = 44, SourceVocabulary = 60, TargetVocabulary = 60, Dropout = 0.36f };
        using var model = SequenceModel.Create(config, device, new RandomSource(4));
        var all = model.NamedParameters().ToDictionary(p => p.Name, p => p.Tensor);
        foreach (var (name, tensor) in all)
        {
            float[] values = tensor.ToArray();
            if (name.EndsWith("bias", StringComparison.Ordinal))
            {
                Assert.All(values, v => Assert.Equal(0, v));
            }
            else if (name.Contains("embed", StringComparison.Ordinal))
            {
                Assert.Equal(0.1, Math.Sqrt(values.Average(v => (double)v * v)), 0.01);
                Assert.All(values[40..80], v => Assert.Equal(0, v));
            }
            else if (name.EndsWith("weight_v", StringComparison.Ordinal))
            {
                bool convolves = tensor.Shape.Rank == 3, dropped = convolves || name.Contains("fc1", StringComparison.Ordinal) || name.Contains("fc3", StringComparison.Ordinal);
                double keep = dropped ? 0.64 : 1, expected = convolves ? Math.Sqrt(4 * keep / (tensor.Shape[0] * tensor.Shape[1])) : Math.Sqrt(keep / tensor.Shape[1]);
                Assert.Equal(expected, Math.Sqrt(values.Average(v => (double)v * v)), 0.07 * expected);
                float[] lengths = all[name.Replace("weight_v", "weight_g", StringComparison.Ordinal)].ToArray();
                for (int o = 0; o < lengths.Length; o++)
                {
                    int inner = values.Length / lengths.Length;
                    double length = Math.Sqrt(Enumerable.Range(0, inner).Sum(i => Math.Pow(values[convolves ? (i * lengths.Length) + o : (o * inner) + i], 2)));
                    Assert.Equal(length, lengths[o], 1e-5);
                }
            }
        }
    }

    /// <summary>With one block of three taps a position sees itself and two before it: not the third, as one more of padding would have it, and none behind it.</summary>
    [Fact]
    public void ADecoderOfThreeTapsSeesTwoPositionsBack()
    {
        using var device = new CpuDevice(1);
        using var scope = TensorScope.Begin();
        using var model = TinyModels.Create(TinyModels.ConvS2S with { DecoderLayers = 1, DecoderChannels = [4], DecoderKernelWidths = [3] }, device);
        var encoded = TinyModels.Encode(model, [[4, 5, 6, 2]]);
        float[][] plain = Features(4);
        float[][] changed = Features(8);
        int[] moved = [.. Enumerable.Range(0, 6).Where(t => !plain[t].SequenceEqual(changed[t]))];
        Assert.Equal([1, 2, 3], moved);

        float[][] Features(int token) => [.. model.Decode(Tensor.From(device, [2, token, 5, 6, 7, 3], [1, 6]), encoded).ToArray().Chunk(6)];
    }

    [Fact]
    public void ContextsAreMultipliedByTheRootOfTheLengthOfTheSource()
    {
        using var device = new CpuDevice(1);
        using var scope = TensorScope.Begin();
        var encoded = new EncoderOutput(Tensor.Zeros(device, [3, 5, 2]), Tensor.From(device, [5, 1, 4])) { Values = Tensor.Zeros(device, [3, 5, 2]) };
        var source = AttendedSource.Of(encoded);
        Assert.All(source.Roots.ToArray().Zip([Math.Sqrt(5), 1, 2]), p => Assert.Equal(p.Second, p.First, 1e-6));
        Assert.Equal([0, -1e30f, -1e30f, -1e30f, -1e30f], source.Mask.ToArray()[5..10]);
    }

    /// <summary>The mean over the layers, as it is used to replace unknown words.</summary>
    [Fact]
    public void AttentionIsADistributionOverTheSource()
    {
        using var device = new CpuDevice(1);
        using var scope = TensorScope.Begin();
        using var model = TinyModels.Create(TinyModels.ConvS2S, device);
        var attention = model.SourceAttention(Tensor.From(device, [2, 4, 5, 2, 6, 7], [2, 3]), TinyModels.Encode(model, [[4, 5, 6, 2], [7, 2]]));
        Assert.Equal([2, 1, 3, 4], attention.Shape.ToArray());
        float[][] rows = [.. attention.ToArray().Chunk(4)];
        Assert.All(rows, row => Assert.Equal(1, row.Sum(), 1e-5f));
        Assert.All(rows[3..], row => Assert.Equal([0, 0], row[2..]));
        float[] alone = model.SourceAttention(Tensor.From(device, [2, 6, 7], [1, 3]), TinyModels.Encode(model, [[7, 2]])).ToArray();
        Assert.All(rows[3..].SelectMany(r => r[..2]).Zip(alone), p => Assert.Equal(p.Second, p.First, 1e-6f));

        // The mean of the blocks', which are not alike.
        float[][] blocks = [.. model.SourceAttentions(Tensor.From(device, [2, 6, 7], [1, 3]), TinyModels.Encode(model, [[7, 2]])).Select(a => a.ToArray())];
        Assert.Equal(model.Config.DecoderLayers, blocks.Length);
        Assert.True(blocks.Length > 1 && Enumerable.Range(0, alone.Length).Any(i => Math.Abs(blocks[0][i] - blocks[^1][i]) > 1e-3f));
        Assert.All(alone.Index(), p => Assert.Equal(blocks.Average(b => (double)b[p.Index]), p.Item, 1e-6));
    }

    [Fact]
    public void PositionsEndAndOutputsWithThem()
    {
        using var device = new CpuDevice(1);
        using var scope = TensorScope.Begin();
        using var model = TinyModels.Create(TinyModels.ConvS2S with { MaxPositions = 5 }, device);
        var refusal = Assert.Throws<ArgumentException>(() => TinyModels.Encode(model, [[4, 5, 6, 7, 8, 2]]));
        Assert.Equal("LearnedPositions: a batch must be at most max_positions, 5, tokens wide, got 6.", refusal.Message);
        var found = new SequenceGenerator(model).Generate([[4, 5, 2]], new DecodingOptions { Beam = 2, MinLength = 4, MaxLength = 50 });
        Assert.Equal(4, found[0][0].Tokens.Length);
    }

    /// <summary>Of 25 tokens a GPU would make a width of 32, of which the model with 30 positions has no more than 30; and batches of 6 are padded to 8 in training.</summary>
    [Fact]
    public void WidthsAreNotRoundedBeyondThePositions()
    {
        using var device = new CpuDevice(1);
        using var model = TinyModels.Create(TinyModels.ConvS2S with { MaxPositions = 30 }, device);
        int[][] sources = TinyModels.Sentences(new Random(4), model.Config.SourceVocabulary, 25, 3, 30);
        foreach (var texts in (int[][][])[sources, sources[..2]])
            Assert.All(Features(texts, DecodingSizes.Rounded).Zip(Features(texts, DecodingSizes.Exact)), p => Assert.Equal(p.Second, p.First, 1e-4f));

        var config = TinyTraining.Of(Architecture.ConvS2S) with { MaxPositions = 6 };
        var options = TinyTraining.Options(5) with { LengthMultiple = 8, ValidateEvery = 5 };
        Assert.True(double.IsFinite(TinyTraining.Train(config, options).Validation!.Perplexity));

        float[] Features(int[][] texts, DecodingSizes sizes)
        {
            using var scope = TensorScope.Begin();
            using var pause = new NoGrad();
            using var state = model.Begin(texts, 1, 5, sizes, null, null);
            return model.DecodeStep(Tensor.From(device, [.. texts.Select(_ => Vocabulary.Eos)]), state).ToArray();
        }
    }

    [Fact]
    public void BatchesArePaddedToTheMostAtMost()
    {
        var corpus = Corpus.From([new SentencePair([4, 4, 4, 4, 4, 4, 4, 4, 4, 2], [5, 5, 2])]);
        var batch = Batch.Of(corpus, 0);
        Assert.Equal((16, 8), Widths(batch.PaddedTo(8)));
        Assert.Equal((12, 8), Widths(batch.PaddedTo(8, most: 12)));
        Assert.Equal((10, 6), Widths(batch.PaddedTo(8, most: 6)));
        Assert.Same(batch, batch.PaddedTo(8, most: 2));

        static (int, int) Widths(Batch b) => (b.S, b.T);
    }

    [Fact]
    public void WhatHasNoMeaningIsRefused()
    {
        Assert.Equal(["share_embeddings must be none or decoder for convs2s, got all."], (TinyModels.ConvS2S with { ShareEmbeddings = EmbeddingSharing.All, TargetVocabulary = 11 }).Validate());
        Assert.Equal(["share_embeddings \"decoder\" wants output_width to be model_width, got 6 and 8."], (TinyModels.ConvS2S with { ShareEmbeddings = EmbeddingSharing.Decoder }).Validate());
        Assert.Equal(["encoder_channels must name one number, or one for each of the 3 layers, got 2."], (TinyModels.ConvS2S with { EncoderChannels = [8, 6] }).Validate());
        Assert.Equal(["encoder_kernel_widths must name one width, or one for each of the 3 layers, got 0."], (TinyModels.ConvS2S with { EncoderKernelWidths = [] }).Validate());
        Assert.Equal(["attention_heads has no meaning for convs2s; leave it out.", "input_dropout has no meaning for convs2s; leave it out."], (TinyModels.ConvS2S with { AttentionHeads = 2, InputDropout = 0.1f }).Validate());
        Assert.Equal(["max_positions has no meaning for a transformer; leave it out."], (TinyModels.Transformer with { MaxPositions = 5 }).Validate());
    }

    [Fact]
    public void LearnsToReverse()
    {
        var result = TinyTraining.Train(TinyTraining.Of(Architecture.ConvS2S), TinyTraining.Options(150) with { ValidateEvery = 150 });
        Assert.True(result.Validation!.Perplexity < 3, $"perplexity {result.Validation.Perplexity}");
    }
}
