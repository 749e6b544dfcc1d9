using System.Diagnostics;
using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>A model on a device, to be measured in several ways: drawing the parameters of a big one takes seconds.</summary>
internal sealed class OpenModel : IDisposable
{
    private readonly ModelCase _case;
    private readonly Device _device;
    private readonly RandomSource _random = new(1);
    private readonly Seq2SeqModel _model;

    /// <summary>Draws the parameters.</summary>
    public OpenModel(ModelCase c, Device device)
    {
        _case = c;
        _device = device;
        _model = SequenceModel.Create(c.Config, device, _random);
    }

    /// <summary>Target tokens a second of <see cref="Trainer"/>: whole updates, dropout on, label smoothing, Adam.</summary>
    /// <param name="interval">The least time of one measurement.</param>
    /// <param name="count">Measurements.</param>
    /// <param name="graphs">Whether a GPU captures forward and backward as a graph.</param>
    /// <param name="precision">The type of the activations.</param>
    public Spread Train(TimeSpan interval, int count, bool graphs, DType precision = DType.Float32)
    {
        var codec = new TextCodec(new WordTokenizer(), Vocabulary.FromCounts([]));
        var data = new TrainingData { Source = codec, Target = codec, Train = Corpus.From(_case.Pairs(16 * _case.B)) };
        var options = new TrainerOptions
        {
            BatchTokens = _case.B * _case.T,
            Graphs = graphs,
            Precision = precision,
            LengthMultiple = 1,
            MaxUpdates = 1_000_000,
            ValidateEvery = int.MaxValue,
            ReportEvery = interval,
            Schedule = new InverseSquareRootSchedule(5e-4f, 4000),
        };
        using var trainer = new Trainer(_model, data, options, _random);
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

        // The first updates compile, load, allocate and capture.
        return Spread.Of(rates.Skip(1).Take(count));
    }

    /// <summary>
    /// One eager training step from an idle device: seconds until all of it is queued, during which the host works, and seconds until it is done.
    /// </summary>
    /// <param name="count">Steps to measure.</param>
    /// <param name="synchronize">Waits for the device.</param>
    /// <param name="precision">The type of the activations.</param>
    public (double Host, double Step) Step(int count, Action synchronize, DType precision = DType.Float32)
    {
        _model.ComputeIn(precision);

        // Before these are over, kernels are loaded and memory is allocated.
        const int First = 3;
        Tensor[] parameters = [.. _model.Parameters];
        using var adam = new Adam(parameters, new AdamOptions());
        var batch = Batch.Of(Corpus.From(_case.Pairs(_case.B)), [.. Enumerable.Range(0, _case.B)]);
        var (hosts, steps) = (new List<double>(), new List<double>());
        for (int i = 0; i < First + count; i++)
        {
            synchronize();
            var clock = Stopwatch.StartNew();
            using (var scope = TensorScope.Begin())
            {
                Loss(batch).Backward();
                adam.Step(1e-5f, 1f / batch.TargetTokens);
                foreach (var parameter in parameters)
                    parameter.ZeroGrad();
            }

            double host = clock.Elapsed.TotalSeconds;
            synchronize();
            if (i < First)
                continue;
            hosts.Add(host);
            steps.Add(clock.Elapsed.TotalSeconds);
        }

        return (Spread.Of(hosts).Median, Spread.Of(steps).Median);
    }

    /// <summary>Target tokens a second of <see cref="SequenceGenerator"/>: B sources of T tokens, outputs of T / 2 tokens and end-of-sentence.</summary>
    /// <param name="beam">Hypotheses of each sentence.</param>
    /// <param name="count">Measurements.</param>
    /// <param name="graphs">Whether steps are captured, anew in each call.</param>
    /// <param name="precision">The type of the activations.</param>
    public Spread Decode(int beam, int count, bool graphs, DType precision = DType.Float32)
    {
        _model.ComputeIn(precision);
        var generator = new SequenceGenerator(_model);
        int[][] sources = [.. _case.Pairs(_case.B).Select(p => p.Source)];
        int length = Math.Max(1, _case.T / 2);
        var options = new DecodingOptions { Beam = beam, MinLength = length, MaxLengthB = length, BatchTokens = _case.B * _case.T, Graphs = graphs };
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

    /// <inheritdoc/>
    public void Dispose() => _model.Dispose();

    private Tensor Loss(Batch batch) => _model.Loss(
        Tensor.From(_device, batch.Source, [batch.B, batch.S]),
        Tensor.From(_device, batch.SourceLengths, [batch.B]),
        Tensor.From(_device, batch.PreviousTarget, [batch.B, batch.T]),
        Tensor.From(_device, batch.Target, [batch.B * batch.T]),
        0.1f,
        LabelSmoothing.OverOthers,
        _random).Loss;

    private sealed class Reports(Action<TrainingProgress> take) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => take(value);
    }
}
