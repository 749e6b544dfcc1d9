using System.Diagnostics;
using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>A paper's model with random tokens to train on and to translate: B pairs of T + T tokens each, end-of-sentence included.</summary>
/// <param name="Preset">small, base or big.</param>
/// <param name="Config">The model.</param>
/// <param name="B">Pairs of a batch.</param>
/// <param name="T">Tokens of a side.</param>
public sealed record ModelCase(string Preset, ModelConfig Config, int B, int T)
{
    /// <summary>The three models at the sizes of the papers; in smoke size, all of them tiny.</summary>
    public static IEnumerable<ModelCase> Of(Sizes sizes)
        => from preset in (string[])["base", "small", "big"]
           from architecture in Enum.GetValues<Architecture>()
           select Create(architecture, preset, sizes);

    /// <summary>The model's name as recipes write it.</summary>
    public string Name => Config.Architecture.ToString().ToLowerInvariant();

    public override string ToString() => $"{Name} {Preset} B={B} T={T} V={Config.TargetVocabulary}";

    /// <summary>Target tokens a second of <see cref="Trainer"/>: whole updates, dropout on, label smoothing, Adam.</summary>
    /// <param name="device">Where.</param>
    /// <param name="interval">The least time of one measurement.</param>
    /// <param name="count">Measurements.</param>
    /// <param name="graphs">Whether a GPU captures forward and backward as a graph.</param>
    public Spread Train(Device device, TimeSpan interval, int count, bool graphs)
    {
        var random = new RandomSource(1);
        using var model = SequenceModel.Create(Config, device, random);
        var codec = new TextCodec(new WordTokenizer(), Vocabulary.FromCounts([]));
        var data = new TrainingData { Source = codec, Target = codec, Train = Corpus.From(Pairs(16 * B)) };
        var options = new TrainerOptions
        {
            BatchTokens = B * T,
            Graphs = graphs,

            // The first updates compile, load and allocate.
            MaxUpdates = 1_000_000,
            ValidateEvery = int.MaxValue,
            ReportEvery = interval,
            Schedule = new InverseSquareRootSchedule(5e-4f, 4000),
        };
        using var trainer = new Trainer(model, data, options, random);
        using var enough = new CancellationTokenSource();
        var rates = new List<double>();
        trainer.Run(
            new Reports(report =>
            {
                rates.Add(report.TokensPerSecond);
                if (rates.Count > count)
                    enough.Cancel();
            }),
            enough.Token);
        return Spread.Of(rates.Take(1 + count).Skip(1));
    }

    /// <summary>
    /// One eager training step from an idle device: seconds until all of it is queued, during which the host works, and seconds until it is done.
    /// </summary>
    /// <param name="device">Where.</param>
    /// <param name="count">Steps to measure.</param>
    /// <param name="synchronize">Waits for the device.</param>
    public (double Host, double Step) Step(Device device, int count, Action synchronize)
    {
        var random = new RandomSource(1);
        using var model = SequenceModel.Create(Config, device, random);
        Tensor[] parameters = [.. model.Parameters];
        using var adam = new Adam(parameters, new AdamOptions());
        var batch = Batch.Of(Corpus.From(Pairs(B)), [.. Enumerable.Range(0, B)]);
        var (hosts, steps) = (new List<double>(), new List<double>());

        // Three more, before which kernels are loaded and memory is allocated.
        for (int i = 0; i < count + 3; i++)
        {
            synchronize();
            var clock = Stopwatch.StartNew();
            using (var scope = TensorScope.Begin())
            {
                Loss(model, batch, random).Backward();
                adam.Step(1e-5f, 1f / batch.TargetTokens);
                foreach (var parameter in parameters)
                    parameter.ZeroGrad();
            }

            double host = clock.Elapsed.TotalSeconds;
            synchronize();
            if (i < 3)
                continue;
            hosts.Add(host);
            steps.Add(clock.Elapsed.TotalSeconds);
        }

        return (Spread.Of(hosts).Median, Spread.Of(steps).Median);
    }

    /// <summary>Target tokens a second of <see cref="SequenceGenerator"/>: B sources of T tokens, outputs of T / 2 tokens and end-of-sentence.</summary>
    /// <param name="device">Where.</param>
    /// <param name="beam">Hypotheses of each sentence.</param>
    /// <param name="count">Measurements.</param>
    public Spread Decode(Device device, int beam, int count)
    {
        using var model = SequenceModel.Create(Config, device, new RandomSource(1));
        var generator = new SequenceGenerator(model);
        int[][] sources = [.. Pairs(B).Select(p => p.Source)];
        int length = Math.Max(1, T / 2);
        var options = new DecodingOptions { Beam = beam, MinLength = length, MaxLengthB = length, BatchTokens = B * T };
        var rates = new List<double>();
        for (int i = 0; i <= count; i++)
        {
            var clock = Stopwatch.StartNew();
            long tokens = generator.Generate(sources, options).Sum(hypotheses => (long)hypotheses[0].TokenScores.Length);
            if (i > 0)
                rates.Add(tokens / clock.Elapsed.TotalSeconds);
        }

        return Spread.Of(rates);
    }

    private static ModelCase Create(Architecture architecture, string preset, Sizes sizes)
    {
        var config = SequenceModel.Presets(architecture)[preset == "small" ? "iwslt" : preset];
        int vocabulary = preset == "small" ? 8192 : 32768;
        var (b, t) = sizes == Sizes.Gpu ? (256, 64) : (16, 64);
        if (sizes == Sizes.Smoke)
        {
            config = config with { ModelWidth = 32, FeedForwardWidth = 48, AttentionHeads = 2, EncoderLayers = 1, DecoderLayers = 1 };
            if (architecture != Architecture.Transformer)
                config = config with { EncoderKernelWidths = [3], DecoderKernelWidths = [3] };
            (b, t, vocabulary) = (2, 6, 50);
        }

        return new(preset, config with { SourceVocabulary = vocabulary, TargetVocabulary = vocabulary }, b, t);
    }

    private static Tensor Loss(Seq2SeqModel model, Batch batch, RandomSource random)
    {
        var device = model.Device;
        return model.Loss(
            Tensor.From(device, batch.Source, [batch.B, batch.S]),
            Tensor.From(device, batch.SourceLengths, [batch.B]),
            Tensor.From(device, batch.PreviousTarget, [batch.B, batch.T]),
            Tensor.From(device, batch.Target, [batch.B * batch.T]),
            0.1f,
            LabelSmoothing.OverOthers,
            random).Loss;
    }

    private IEnumerable<SentencePair> Pairs(int count)
    {
        var random = new Random(1);
        for (int i = 0; i < count; i++)
            yield return new SentencePair(Sentence(random, Config.SourceVocabulary), Sentence(random, Config.TargetVocabulary));
    }

    private int[] Sentence(Random random, int vocabulary)
        => [.. Enumerable.Range(0, T - 1).Select(_ => random.Next(Vocabulary.SpecialCount, vocabulary)), Vocabulary.Eos];

    private sealed class Reports(Action<TrainingProgress> take) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => take(value);
    }
}
