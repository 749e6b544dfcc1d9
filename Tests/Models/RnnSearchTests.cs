using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Bahdanau, Cho and Bengio's model. That it is its equations, and decodes what they say, is among the tests of whole models.</summary>
public sealed class RnnSearchTests
{
    [Fact]
    public void ThePapersModelHasItsParameters()
    {
        using var model = SequenceModel.Declare(SequenceModel.Presets(Architecture.RnnSearch)["wmt_en_fr"] with { SourceVocabulary = 30_000, TargetVocabulary = 30_000 });
        const long N = 1000, M = 620, L = 500, V = 30_000;
        const long Gru = 3 * ((N * M) + (N * N) + N), Context = 3 * N * 2 * N, Alignment = (N * N) + (N * 2 * N) + N + N;
        const long Maxout = (2 * L * (N + M + (2 * N))) + (2 * L), Start = (N * N) + N, Output = (V * L) + V;
        Assert.Equal((2 * V * M) + (3 * Gru) + Context + Alignment + Maxout + Start + Output, model.ParameterCount);
    }

    /// <summary>Orthogonal recurrences, 0.001 for the alignment, zeros for v and biases, 0.01 for all else.</summary>
    [Fact]
    public void ParametersStartAsInThePaper()
    {
        using var device = new CpuDevice(1);
        var config = TinyModels.RnnSearch with { ModelWidth = 24, EmbeddingWidth = 40, AlignmentWidth = 48, OutputWidth = 20, SourceVocabulary = 40, TargetVocabulary = 40 };
        using var model = SequenceModel.Create(config, device, new RandomSource(4));
        foreach (var (name, tensor) in model.NamedParameters())
        {
            float[] values = tensor.ToArray();
            if (name.EndsWith("bias", StringComparison.Ordinal) || name == "decoder.attention.value.weight")
            {
                Assert.All(values, v => Assert.Equal(0, v));
            }
            else if (name.Contains(".gates.", StringComparison.Ordinal) || name.Contains(".candidate.", StringComparison.Ordinal))
            {
                foreach (float[] matrix in values.Chunk(24 * 24))
                {
                    for (int i = 0; i < 24; i++)
                    {
                        for (int j = 0; j < 24; j++)
                            Assert.Equal(i == j ? 1 : 0, Enumerable.Range(0, 24).Sum(c => (double)matrix[(i * 24) + c] * matrix[(j * 24) + c]), 1e-6);
                    }
                }
            }
            else
            {
                double deviation = name.Contains(".attention.", StringComparison.Ordinal) ? 0.001 : 0.01;
                Assert.Equal(deviation, Math.Sqrt(values.Average(v => (double)v * v)), 0.1 * deviation);
            }
        }
    }

    /// <summary>z is the share of the new state, and r closes the way of the old one into it: both otherwise than in PyTorch's unit.</summary>
    [Theory, Devices]
    public void TheUpdateGateTakesTheNewStateAndTheResetGateComesFirst(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        using var cell = new GruCell(2, 3);
        cell.Initialize(device, new RandomSource(6));
        var parameters = cell.NamedParameters().ToDictionary(p => p.Name, p => p.Tensor);
        float[] input = FiniteDifference.Normals(1, 3 * 3 * 2), candidate = FiniteDifference.Normals(2, 9);
        parameters["input.weight"].CopyFrom(input);
        parameters["candidate.weight"].CopyFrom(candidate);
        float[] x = [0.3f, -0.7f], h = [0.9f, -0.4f, 0.2f];
        double[] alone = [.. Enumerable.Range(0, 3).Select(k => (input[((6 + k) * 2) + 0] * x[0]) + (input[((6 + k) * 2) + 1] * x[1]))];
        double[] seen = [.. Enumerable.Range(0, 3).Select(k => alone[k] + Enumerable.Range(0, 3).Sum(j => candidate[(k * 3) + j] * h[j]))];

        Near([.. h.Select(v => (double)v)], Step(z: -60, r: 60));
        Near([.. seen.Select(Math.Tanh)], Step(z: 60, r: 60));
        Near([.. alone.Select(Math.Tanh)], Step(z: 60, r: -60));

        float[] Step(float z, float r)
        {
            parameters["input.bias"].CopyFrom([z, z, z, r, r, r, 0, 0, 0]);
            return cell.Step(cell.FromInputs(Tensor.From(device, x, [1, 2])), Tensor.From(device, h, [1, 3])).ToArray();
        }

        static void Near(double[] expected, float[] got) => Assert.All(expected.Zip(got), p => Assert.Equal(p.First, p.Second, 1e-6));
    }

    /// <summary>Attention asks with the state before the word: what is paid at a position does not depend on the token that is read there, and at the next it does.</summary>
    [Fact]
    public void AttentionAsksWithThePreviousState()
    {
        using var device = new CpuDevice(1);
        using var scope = TensorScope.Begin();
        using var model = TinyModels.Create(TinyModels.RnnSearch, device);
        var encoded = TinyModels.Encode(model, [[4, 5, 6, 2], [7, 2]]);
        var (one, other) = (model.SourceAttention(Tensor.From(device, [2, 4, 5, 2, 6, 7], [2, 3]), encoded), model.SourceAttention(Tensor.From(device, [2, 8, 5, 2, 6, 7], [2, 3]), encoded));
        Assert.Equal([2, 1, 3, 4], one.Shape.ToArray());
        float[][] a = [.. one.ToArray().Chunk(4)], b = [.. other.ToArray().Chunk(4)];
        Assert.All(a, row => Assert.Equal(1, row.Sum(), 1e-5f));
        Assert.All(a[3..], row => Assert.Equal([0, 0], row[2..]));
        Assert.Equal(a[..2], b[..2]);
        Assert.NotEqual(a[2], b[2]);
        Assert.Equal(a[3..], b[3..]);
    }

    [Fact]
    public void WhatHasNoMeaningIsRefused()
    {
        Assert.Equal(["encoder_layers must be 1 for rnnsearch, got 2."], (TinyModels.RnnSearch with { EncoderLayers = 2 }).Validate());
        Assert.Equal(["decoder_layers must be 1 for rnnsearch, got 2."], (TinyModels.RnnSearch with { DecoderLayers = 2 }).Validate());
        Assert.Equal(["share_embeddings must be none for rnnsearch, got decoder."], (TinyModels.RnnSearch with { ShareEmbeddings = EmbeddingSharing.Decoder }).Validate());
        Assert.Equal(
            ["pre_norm has no meaning for rnnsearch; leave it out.", "reverse_source has no meaning for rnnsearch; leave it out."],
            (TinyModels.RnnSearch with { PreNorm = true, ReverseSource = false }).Validate());
        Assert.Equal(["embedding_width has no meaning for lstm; leave it out."], (TinyModels.Lstm with { EmbeddingWidth = 4 }).Validate());

        using var device = new CpuDevice(1);
        using var scope = TensorScope.Begin();
        Refuses<ArgumentOutOfRangeException>("GruCell: inputs and hidden must be at least 1 and context at least 0, got 0, 2 and 0.", () => new GruCell(0, 2));
        using var cell = new GruCell(2, 3, context: 1);
        cell.Initialize(device, new RandomSource(1));
        var state = Tensor.Zeros(device, [4, 3]);
        Refuses<ArgumentException>("GruCell: the state must be [N, 3] and its inputs [N, 9], got [4, 3] and [4, 8].", () => cell.Step(Tensor.Zeros(device, [4, 8]), state));
        Refuses<ArgumentException>("GruCell: a context must be given, got none.", () => cell.Step(Tensor.Zeros(device, [4, 9]), state));
        Refuses<ArgumentException>("GruCell: x must be [B, T, I] with T at least 1, got [4, 0, 2].", () => cell.Forward(Tensor.Zeros(device, [4, 0, 2]), Tensor.From(device, [0, 0, 0, 0])));
        Assert.Empty(TimeSteps.Of(Tensor.Zeros(device, [4, 0, 2])));
        using var model = TinyModels.Create(TinyModels.RnnSearch, device);
        var encoded = TinyModels.Encode(model, [[4, 5, 2], [7, 2]]);
        var nothing = Tensor.Zeros(device, [2, 0], DType.Int32);
        Refuses<ArgumentException>("RnnSearch2015: previous must be [B, T] with T at least 1, got [2, 0].", () => model.Decode(nothing, encoded));
        Refuses<ArgumentException>("RnnSearch2015: previous must be [B, T] with T at least 1, got [2, 0].", () => model.SourceAttention(nothing, encoded));

        static void Refuses<TException>(string message, Action call)
            where TException : Exception
            => Assert.Equal(message, Assert.Throws<TException>(call).Message);
    }

    [Fact]
    public void LearnsToReverse()
    {
        var result = TinyTraining.Train(TinyTraining.Of(Architecture.RnnSearch), TinyTraining.Options(250) with { ValidateEvery = 250, Schedule = new InverseSquareRootSchedule(2e-2f, 30) });
        Assert.True(result.Validation!.Perplexity < 3, $"perplexity {result.Validation.Perplexity}");
    }
}
