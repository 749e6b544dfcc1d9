using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>What a predictor of exits learns from, and what it reads when it is asked: against sums of doubles.</summary>
public sealed class ExitTrainingTests
{
    private const float Alpha = 0.7f, Sigma = 2, Lambda = 0.05f;

    private static readonly int[][] Sources = [[4, 5, 6, Vocabulary.Eos], [7, Vocabulary.Eos], [9, 8, 10, Vocabulary.Eos]], Targets = [[8, 9, Vocabulary.Eos], [10, Vocabulary.Eos], [4, 6, 5, 7, Vocabulary.Eos]];

    private static IEnumerable<ulong> Seeds => Enumerable.Range(1, 60).Select(seed => (ulong)seed);

    public static TheoryData<bool, ExitPredictor, ExitOracle> Kinds
    {
        get
        {
            var kinds = new TheoryData<bool, ExitPredictor, ExitOracle>();
            foreach (bool separate in (bool[])[false, true])
            {
                foreach (var kind in (ExitPredictor[])[ExitPredictor.Sequence, ExitPredictor.Multinomial, ExitPredictor.Geometric])
                {
                    foreach (var oracle in Enum.GetValues<ExitOracle>())
                        kinds.Add(separate, kind, oracle);
                }
            }

            return kinds;
        }
    }

    /// <summary>The mean of the depths' losses, and alpha times the cross-entropy with the depths that the oracle chose by each depth's own probabilities.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public void TheLossIsThatOfTheTokensAndThatOfTheirDepths(bool separate, ExitPredictor kind, ExitOracle oracle)
        => Assert.True(Seeds.Any(seed => IsTheLoss(separate, kind, oracle, seed)), "Of one of the models the oracle must choose several depths, or nothing is tested.");

    private static bool IsTheLoss(bool separate, ExitPredictor kind, ExitOracle oracle, ulong seed)
    {
        using var device = new CpuDevice(1);
        using var scope = TensorScope.Begin();
        using var model = Model(device, separate, kind, oracle, seed);
        using var batch = Batch(device);
        var encoded = model.Encode(batch.Source!, batch.SourceLengths!);
        var (exits, states) = model.Decoder.ForwardExits(batch.PreviousTarget, encoded, null);
        int[] targets = batch.Target.ToIntArray();
        int length = batch.PreviousTarget.Shape[1], depths = exits.Count;
        double tokens = 0;
        var values = new float[depths][];
        for (int n = 0; n < depths; n++)
        {
            double[][] logs = [.. Rows(model.Decoder.Classifiers.Head(n + 1).Logits(exits[n]), targets.Length).Select(LogSoftmax)];
            tokens -= targets.Index().Where(t => t.Item != Vocabulary.Pad).Sum(t => logs[t.Index][t.Item]) / depths;
            values[n] = [.. targets.Select((t, i) => (float)(oracle == ExitOracle.Likelihood ? logs[i][t] : Array.IndexOf(logs[i], logs[i].Max()) == t ? 1 : 0))];
        }

        int[] wanted = kind == ExitPredictor.Sequence ? ExitOracles.OfSequences(values, targets, length, Lambda) : ExitOracles.OfTokens(values, targets, length, Sigma, Lambda);
        if (wanted.Where(w => w > 0).Distinct().Count() < 2)
            return false;
        double[][][] read = kind == ExitPredictor.Sequence ? [Means(encoded)] : [.. states.Select(s => Rows(s, targets.Length))];
        double predictor = 0;
        for (int i = 0; i < wanted.Length; i++)
        {
            if (wanted[i] > 0)
                predictor -= Math.Log(Probability(model, kind, [.. read.Select(s => s[i])], wanted[i]));
        }

        Assert.Equal(tokens + (Alpha * predictor), model.Loss(batch, 0, LabelSmoothing.OverOthers, null).Loss.Item(), 1e-3);
        return true;
    }

    /// <summary>At the first step no state was passed on: what a predictor is asked about is what the layers give there.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void DecodingAsksAboutTheStatesThatTrainingTaught(bool separate)
    {
        using var device = new CpuDevice(1);
        using var scope = TensorScope.Begin();
        foreach (var kind in (ExitPredictor[])[ExitPredictor.Sequence, ExitPredictor.Multinomial, ExitPredictor.Geometric])
        {
            using var model = Model(device, separate, kind, ExitOracle.Likelihood);
            using var batch = Batch(device);
            var encoded = model.Encode(batch.Source!, batch.SourceLengths!);
            var states = model.Decoder.ForwardExits(batch.PreviousTarget, encoded, null).States;
            int length = batch.PreviousTarget.Shape[1];
            var asked = new Asked();
            using var state = model.Begin(Sources, beam: 2, maxLength: 4, DecodingSizes.Exact, memory: null, asked);
            model.DecodeStep(Tensor.From(device, Enumerable.Repeat(Vocabulary.Eos, 6).ToArray()), state);
            Assert.Equal(model.Config.DecoderDepth - 1, asked.Found.Count);
            for (int n = 0; n < asked.Found.Count; n++)
            {
                for (int row = 0; row < 6; row++)
                {
                    double[] x = kind == ExitPredictor.Sequence ? Means(encoded)[row / 2] : Rows(states[kind == ExitPredictor.Geometric ? n : 0], 3 * length)[row / 2 * length];
                    double[] logits = Logits(model, x);
                    double expected = kind == ExitPredictor.Geometric ? 1 / (1 + Math.Exp(-logits[0])) : 1 + Array.IndexOf(logits, logits.Max());
                    Assert.Equal(expected, asked.Found[n][row], 1e-5);
                }
            }
        }
    }

    /// <summary>Each sentence leaves where its own source says, whatever else is in the batch.</summary>
    [Fact]
    public void SentencesOfABatchLeaveAtDepthsOfTheirOwn()
        => Assert.True(Seeds.Any(LeaveAtTheirOwn), "One of the models must predict several depths, or nothing is tested.");

    private static bool LeaveAtTheirOwn(ulong seed)
    {
        using var device = new CpuDevice(1);
        using var model = Model(device, separate: false, ExitPredictor.Sequence, ExitOracle.Likelihood, seed);
        int[] depths;
        using (TensorScope.Begin())
        {
            using var batch = Batch(device);
            depths = model.Decoder.Exits!.Depths(ExitHead.Mean(model.Encode(batch.Source!, batch.SourceLengths!)));
        }

        if (depths.Distinct().Count() < 2)
            return false;
        var options = new DecodingOptions { Beam = 2, NBest = 2, MaxLengthB = 6 };
        var generator = new SequenceGenerator(model);
        var together = generator.Generate(Sources, options with { Exit = ExitRule.Predicted() });
        for (int i = 0; i < Sources.Length; i++)
            PlainSearch.Same(generator.Generate([Sources[i]], options with { Exit = ExitRule.AtDepth(depths[i]) })[0], together[i]);
        return true;
    }

    /// <summary>Where a whole output leaves after a layer nothing is computed above, not even keys and values: what would be needed for them is gone.</summary>
    [Fact]
    public void NothingIsComputedWhereNobodyWillCome()
    {
        using var device = new CpuDevice(1);
        foreach (var kind in (ExitPredictor[])[ExitPredictor.None, ExitPredictor.Sequence])
        {
            using var model = Model(device, separate: false, ExitPredictor.Sequence, ExitOracle.Likelihood);
            model.NamedParameters().Single(p => p.Name == "decoder.exits.bias").Tensor.CopyFrom([0f, 100, 0]);
            var rule = kind == ExitPredictor.None ? ExitRule.AtDepth(2) : ExitRule.Predicted();
            var options = new DecodingOptions { Beam = 2, NBest = 2, MaxLengthB = 6, Exit = rule };
            var expected = new SequenceGenerator(model).Generate(Sources, options);
            foreach (var (name, tensor) in model.NamedParameters().ToArray())
            {
                if (name.StartsWith("decoder.layers.2.", StringComparison.Ordinal))
                    tensor.Dispose();
            }

            foreach (var (e, g) in expected.Zip(new SequenceGenerator(model).Generate(Sources, options)))
                PlainSearch.Same(e, g);
            Assert.Throws<ObjectDisposedException>(() => new SequenceGenerator(model).Generate(Sources, options with { Exit = ExitRule.Within(20, ExitRule.AtDepth(2)) }));
        }
    }

    [Fact]
    public void APositionLeavesAboveTheThresholdOfItsLayer()
    {
        float[] probabilities = [0.2f, 0.4f, 0.6f];
        var evidence = new ExitEvidence(ExitPredictor.Geometric, null!, () => probabilities, null!, null!, null!, 3);
        Assert.Equal([false, false, true], ExitRule.Predicted().Leaves(1, [0, 1, 2], evidence));
        Assert.Equal([false, true, true], ExitRule.Predicted(0.3f).Leaves(2, [0, 1, 2], evidence));
        var rule = ExitRule.Predicted(0.5f, 0.1f);
        Assert.Equal([false, false, true], rule.Leaves(1, [0, 1, 2], evidence));
        Assert.Equal([true, true, true], rule.Leaves(2, [0, 1, 2], evidence));
        Assert.Equal("ExitRule: a threshold must be in 0 .. 1, got 1.5.", Assert.Throws<ArgumentOutOfRangeException>(() => ExitRule.Predicted(0.5f, 1.5f)).Message);
        var geometric = DepthAdaptive2020.Aligned(TinyModels.Transformer with { DecoderLayers = 3 }) with { ExitPredictor = ExitPredictor.Geometric };
        Assert.Null(rule.Problem(geometric));
        Assert.Equal("exit thresholds must be one, or one for each of the 2 layers before the last, got 3.", ExitRule.Predicted(0.1f, 0.2f, 0.3f).Problem(geometric));
        Assert.Equal("exit thresholds are of a geometric exit_predictor, this model's is multinomial.", rule.Problem(geometric with { ExitPredictor = ExitPredictor.Multinomial }));
    }

    /// <summary>The source of a layer costs 4 |x| of both widths.</summary>
    [Fact]
    public void OperationsKnowBothWidths()
    {
        var config = DepthAdaptive2020.Aligned(TinyModels.Transformer with { DecoderLayers = 3, ShareEmbeddings = EmbeddingSharing.Decoder });
        Assert.Equal(3 * 4 * 5 * 8 * (12 - 8), DepthAdaptive2020.Operations(config with { EncoderWidth = 12 }, 5, [1, 3]) - DepthAdaptive2020.Operations(config, 5, [1, 3]), 1e-9);
    }

    private static EncoderDecoderModel Model(Device device, bool separate, ExitPredictor kind, ExitOracle oracle, ulong seed = 5)
    {
        var config = DepthAdaptive2020.Aligned(TinyModels.Transformer with { DecoderLayers = 3, PreNorm = separate }) with
        {
            ExitPredictor = kind,
            ExitOracle = oracle,
            ExitLossWeight = Alpha,
            OracleSigma = kind == ExitPredictor.Sequence ? 0 : Sigma,
            OracleLambda = Lambda,
        };
        if (separate)
            config = config with { ShareEmbeddings = EmbeddingSharing.None, ExitClassifiers = ExitClassifierKind.Separate };
        return (EncoderDecoderModel)TinyModels.Create(config, device, seed);
    }

    private static double Probability(EncoderDecoderModel model, ExitPredictor kind, double[][] states, int depth)
    {
        if (kind != ExitPredictor.Geometric)
        {
            double[] logs = LogSoftmax(Logits(model, states[0]));
            return Math.Exp(logs[depth - 1]);
        }

        double stays = 1;
        for (int n = 1; n < depth; n++)
            stays *= 1 - Leaves(n);
        return depth == model.Config.DecoderDepth ? stays : stays * Leaves(depth);

        double Leaves(int n) => 1 / (1 + Math.Exp(-Logits(model, states[n - 1])[0]));
    }

    private static double[] Logits(EncoderDecoderModel model, double[] x)
    {
        var parameters = model.NamedParameters().ToDictionary(p => p.Name, p => p.Tensor);
        float[] weight = parameters["decoder.exits.weight"].ToArray(), bias = parameters["decoder.exits.bias"].ToArray();
        return [.. bias.Select((b, o) => b + x.Select((v, c) => v * weight[(o * x.Length) + c]).Sum())];
    }

    private static double[] LogSoftmax(double[] x)
    {
        double most = x.Max(), total = Math.Log(x.Sum(v => Math.Exp(v - most))) + most;
        return [.. x.Select(v => v - total)];
    }

    // Of each source the mean over its own places.
    private static double[][] Means(EncoderOutput encoded)
    {
        int[] lengths = encoded.Lengths.ToIntArray();
        int longest = encoded.States.Shape[1], width = encoded.States.Shape[2];
        double[][] rows = Rows(encoded.States, lengths.Length * longest);
        return [.. lengths.Select((length, b) => Enumerable.Range(0, width).Select(c => rows.Skip(b * longest).Take(length).Average(r => r[c])).ToArray())];
    }

    private static double[][] Rows(Tensor x, int count) => [.. x.ToArray().Select(v => (double)v).Chunk((int)(x.Shape.Count / count))];

    private static BatchTensors Batch(Device device)
        => new(device, CudaSeq.Models.Batch.Of(Corpus.From(Sources.Zip(Targets, (s, t) => new SentencePair(s, t))), [0, 1, 2]));

    // Nobody leaves; what the predictor says is kept.
    private sealed class Asked : ExitRule
    {
        public List<double[]> Found { get; } = [];

        internal override bool[] Leaves(int depth, IReadOnlyList<int> rows, ExitEvidence evidence)
        {
            Found.Add(evidence.Predictor == ExitPredictor.Geometric ? [.. evidence.Halting().Select(p => (double)p)] : [.. evidence.Predicted().Select(n => (double)n)]);
            return new bool[rows.Count];
        }
    }
}
