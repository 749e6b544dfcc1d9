using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;
using static CudaSeq.Tests.TinyTraining;

namespace CudaSeq.Tests;

/// <summary>What a run remembers besides parameters and Adam's moments, and what it keeps and ends by.</summary>
public sealed class RunStateTests : IDisposable
{
    // Rates at which validations of the tiny runs go up and down.
    private static readonly Dictionary<string, Func<TrainerOptions, TrainerOptions>> Changes = new()
    {
        ["sgd"] = o => o with { Sgd = new SgdOptions { WeightDecay = 1e-4f }, Schedule = new FixedSchedule(0.1f) },
        ["momentum"] = o => o with { Sgd = new SgdOptions { Momentum = 0.9f }, Schedule = new PolynomialSchedule(0.1f, 3, 20, 0.01f, 2) },
        ["nesterov"] = o => o with { Sgd = new SgdOptions { Momentum = 0.9f, Nesterov = true, WeightDecay = 1e-4f }, Schedule = new CosineSchedule(0.1f, 3, 8, 0.01f, restarts: true, 2, 0.5f) },
        ["adadelta"] = o => o with { Adadelta = new AdadeltaOptions(), Schedule = new FixedSchedule(1) },
        ["sentences"] = o => o with { BatchSentences = 5, GradientAverage = GradientAverage.Sentences },
        ["plateau"] = o => o with { Schedule = new PlateauSchedule(0.05f, 2, 0.5f, 0, 0.05f) },
        ["average"] = o => o with { EmaDecay = 0.8f },
        ["loss"] = o => o with { KeepBest = KeepBest.Loss },
        ["patience"] = o => o with { Patience = 2, Schedule = new FixedSchedule(0.2f) },
        ["epochs"] = o => o with { KeepCheckpoints = 3, ValidateEvery = 0, Accumulate = 3 },
        ["all"] = o => o with
        {
            Sgd = new SgdOptions { Momentum = 0.9f, Nesterov = true },
            Schedule = new PlateauSchedule(0.2f, 2, 0.5f, 0, 0.01f),
            EmaDecay = 0.8f,
            Patience = 6,
            KeepBest = KeepBest.Loss,
            KeepCheckpoints = 2,
            CheckpointEvery = 4,
        },
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("cudaseq-state-").FullName;

    public static TheoryData<string> Names => [.. Changes.Keys];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Names))]
    public void StoppedAnywhereAndResumedItIsTheSameBitForBit(string change)
    {
        var options = Changes[change](Options(26) with { ValidateEvery = 3 });
        var (straight, stopped) = (Run("straight"), Run("stopped"));
        Train(Architecture.LightConv, straight, options);
        foreach (long update in (long[])[2, 6, 13, 19])
            Train(Architecture.LightConv, stopped, options, stopAt: update);
        Train(Architecture.LightConv, stopped, options, resume: true);
        string[] files = Files(straight);
        Assert.Equal(files, Files(stopped));
        foreach (string file in files.Where(f => f.EndsWith(".safetensors", StringComparison.Ordinal)))
            Assert.True(File.ReadAllBytes(Path.Combine(straight.Path, file)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(stopped.Path, file))), file);
        Assert.Equal(Validations(straight), Validations(stopped));
    }

    // The validation at the end of the shorter run is not due: the longer one knows nothing of it.
    [Theory]
    [InlineData("plateau")]
    [InlineData("patience")]
    [InlineData("all")]
    public void ARunThatIsExtendedIsAsLongFromItsStart(string change)
    {
        var options = Changes[change](Options(26) with { ValidateEvery = 3 });
        if (options.Patience is not null)
            options = options with { Patience = 100 };
        var (straight, extended) = (Run("straight"), Run("extended"));
        Train(Architecture.LightConv, straight, options);
        Train(Architecture.LightConv, extended, options with { MaxUpdates = 4 });
        foreach (int updates in (int[])[8, 13, 20, 26])
            Train(Architecture.LightConv, extended, options with { MaxUpdates = updates }, resume: true);
        Assert.True(File.ReadAllBytes(straight.Last).AsSpan().SequenceEqual(File.ReadAllBytes(extended.Last)), Checkpoint.ReadHeader(straight.Last).State + "\n" + Checkpoint.ReadHeader(extended.Last).State);
    }

    // As one that was killed after its last update was saved.
    [Fact]
    public void ARunThatIsResumedAtItsEndKeepsItsBest()
    {
        var run = Run("ended");
        var options = Options(6) with { ValidateEvery = 3, KeepBest = KeepBest.Loss, Schedule = new PlateauSchedule(0.05f, 2, 0.5f, 0, 0.05f) };
        Train(Architecture.LightConv, run, options);
        Assert.Equal(6, Checkpoint.ReadHeader(run.Best).State.Update);
        byte[] best = File.ReadAllBytes(run.Best), last = File.ReadAllBytes(run.Last);
        Train(Architecture.LightConv, run, options, resume: true);
        Assert.True(best.AsSpan().SequenceEqual(File.ReadAllBytes(run.Best)) && last.AsSpan().SequenceEqual(File.ReadAllBytes(run.Last)));
    }

    [Fact]
    public void AValidationThatIsNotDueCostsNoPatience()
    {
        var run = Run("extended");
        var options = Options(3) with { ValidateEvery = 2, Patience = 1, Schedule = new FixedSchedule(0.02f), KeepBest = KeepBest.Loss };
        var state = Train(Architecture.LightConv, run, options).State;
        double due = -(double)Events(run, "validation").First()["loss"]!;
        Assert.Equal((0, due), (state.WithoutBest, Math.Round(state.BestScore!.Value, 5)));
    }

    // What the theory above compares must be there, or it compares nothing.
    [Fact]
    public void TheTinyRunsReachWhatTheyTest()
    {
        var plateau = Run("plateau");
        Train(Architecture.LightConv, plateau, Changes["plateau"](Options(26) with { ValidateEvery = 3 }));
        var state = Checkpoint.ReadHeader(plateau.Last).State.Plateau!;
        Assert.True(state.Rate < 0.05, $"{state}");
        Assert.NotNull(state.Best);
        Assert.True(Events(plateau, "update").Select(e => (float)e["lr"]!).Distinct().Count() > 3);

        var epochs = Run("epochs");
        Train(Architecture.LightConv, epochs, Changes["epochs"](Options(26)));
        Assert.Equal(3, epochs.Checkpoints().Count);

        var names = Names(Changes["all"]);
        Assert.Contains(names, n => n.StartsWith("optimizer.velocity.", StringComparison.Ordinal));
        Assert.Contains(names, n => n.StartsWith("optimizer.moving_average.", StringComparison.Ordinal));
        Assert.Equal(2, Names(Changes["adadelta"]).Where(n => n.StartsWith("optimizer.", StringComparison.Ordinal)).Select(n => n.Split('.')[1]).Distinct().Count());
        Assert.DoesNotContain(Names(Changes["sgd"]), n => n.StartsWith("optimizer.", StringComparison.Ordinal));

        IReadOnlyCollection<string> Names(Func<TrainerOptions, TrainerOptions> change)
        {
            var run = Run($"names {Guid.NewGuid():N}");
            Train(Architecture.LightConv, run, change(Options(2)));
            using var file = SafetensorsFile.Open(run.Last);
            return [.. file.Names];
        }
    }

    [Fact]
    public void TheNewestCheckpointsAreKept()
    {
        var run = Run("kept");
        Train(Architecture.LightConv, run, Options(23) with { CheckpointEvery = 5, KeepCheckpoints = 2 });
        Assert.Equal([15, 20], run.Checkpoints().Select(c => c.Update));
        Assert.Equal([15, 20], run.Checkpoints().Select(c => Checkpoint.ReadHeader(c.Path).State.Update));

        // The parameters of a run that ended there.
        var short20 = Run("short");
        Train(Architecture.LightConv, short20, Options(20));
        Assert.Equal(Parameters(short20.Last), Parameters(run.CheckpointOf(20)));
    }

    [Fact]
    public void CheckpointsOfAFutureThatIsYetToComeAreDropped()
    {
        var run = Run("future");
        var options = Options(9) with { CheckpointEvery = 2, KeepCheckpoints = 2 };
        Train(Architecture.LightConv, run, options);
        File.Copy(run.CheckpointOf(8), run.CheckpointOf(10));
        File.Copy(run.CheckpointOf(8), Path.Combine(run.Path, "checkpoint-mine.safetensors"));
        Train(Architecture.LightConv, run, options, resume: true);
        Assert.Equal([6, 8], run.Checkpoints().Select(c => c.Update));
        Assert.True(File.Exists(Path.Combine(run.Path, "checkpoint-mine.safetensors")));
    }

    [Fact]
    public void TheMovingAverageIsValidatedAndSavedAsTheBest()
    {
        const float Decay = 0.75f;
        var run = Run("average");
        var options = Options(4) with { ValidateEvery = 4, EmaDecay = Decay, CheckpointEvery = 1, KeepCheckpoints = 4 };
        var result = Train(Architecture.LightConv, run, options);

        // From the checkpoints, update by update, in float64; the start is that of a run of no update.
        using var device = new CpuDevice(1);
        var (model, _, _) = Setup(Architecture.LightConv, device);
        var exact = model.NamedParameters().ToDictionary(p => p.Name, p => Array.ConvertAll(p.Tensor.ToArray(), v => (double)v));
        model.Dispose();
        foreach (var (_, path) in run.Checkpoints())
        {
            foreach (var (name, values) in Parameters(path))
            {
                for (int i = 0; i < values.Length; i++)
                    exact[name][i] = (Decay * exact[name][i]) + ((1 - Decay) * values[i]);
            }
        }

        var best = Parameters(run.Best);
        Assert.Equal(exact.Keys.Order(), best.Keys.Order());
        foreach (var (name, values) in best)
        {
            for (int i = 0; i < values.Length; i++)
                Assert.Equal(exact[name][i], values[i], 1e-6 * (1 + Math.Abs(exact[name][i])));
        }

        // The same updates without the average: its validation is another one.
        var plain = Run("plain");
        var without = Train(Architecture.LightConv, plain, options with { EmaDecay = 0 });
        Assert.NotEqual(without.Validation!.Loss, result.Validation!.Loss);
        var (last, other) = (Parameters(run.Last), Parameters(plain.Last));
        Assert.All(last, p => Assert.Equal(other[p.Key], p.Value));
    }

    [Fact]
    public void ARunOutOfPatienceEndsAndSaysSo()
    {
        var run = Run("patience");
        var result = Train(Architecture.LightConv, run, Options(1000) with { ValidateEvery = 2, Patience = 3, Schedule = new FixedSchedule(1e-9f) });
        var validations = Events(run, "validation").ToArray();
        int best = Array.FindLastIndex(validations, e => (bool)e["best"]!);
        Assert.Equal(best + 4, validations.Length);
        Assert.Equal(TrainingEnd.Patience, result.End);
        Assert.Equal(result.State.Update, (long)validations[^1]["update"]!);
        Assert.Equal(3, result.State.WithoutBest);
        Assert.Equal("patience", (string?)Events(run, "end").Single()["ended_by"]);

        // Resumed it has no patience left; with more it goes on.
        Assert.Equal(result.State.Update, Train(Architecture.LightConv, run, Options(1000) with { ValidateEvery = 2, Patience = 3, Schedule = new FixedSchedule(1e-9f) }, resume: true).State.Update);
        Assert.Equal(result.State.Update + 2, Train(Architecture.LightConv, run, Options(1000) with { ValidateEvery = 2, Patience = 4, Schedule = new FixedSchedule(1e-9f) }, resume: true).State.Update);
    }

    [Fact]
    public void TheBestIsTheBestByWhatIsAskedFor()
    {
        foreach (var criterion in (KeepBest[])[KeepBest.Bleu, KeepBest.Loss])
        {
            var run = Run(criterion.ToString());
            Train(Architecture.LightConv, run, Options(24) with { ValidateEvery = 2, KeepBest = criterion, Schedule = new FixedSchedule(0.02f) });
            var validations = Events(run, "validation").ToArray();
            Func<System.Text.Json.Nodes.JsonObject, double> score = criterion == KeepBest.Bleu ? e => (double)e["bleu"]! : e => -(double)e["loss"]!;
            double most = double.NegativeInfinity;
            foreach (var e in validations)
            {
                Assert.Equal(score(e) > most, (bool)e["best"]!);
                most = Math.Max(most, score(e));
            }

            var header = Checkpoint.ReadHeader(run.Best);
            Assert.Equal(most, header.Score!.Value, 1e-4);
            Assert.Equal((long)validations.Last(e => (bool)e["best"]!)["update"]!, header.State.Update);
        }
    }

    [Fact]
    public void ResumeRefusesTheStateOfAnotherOptimiser()
    {
        var run = Run("other");
        Train(Architecture.LightConv, run, Options(1));
        var error = Assert.Throws<InvalidDataException>(() => Train(Architecture.LightConv, run, Changes["momentum"](Options(2)), resume: true));
        Assert.Matches(@"^last\.safetensors: has no optimiser state \(optimizer\.velocity\.[a-z0-9._]+\), so training cannot resume from it; last\.safetensors has\.$", error.Message);
    }

    private static Dictionary<string, float[]> Parameters(string path)
    {
        using var file = SafetensorsFile.Open(path);
        return file.Names.Where(n => !n.StartsWith("optimizer.", StringComparison.Ordinal)).ToDictionary(n => n, file.ReadFloats);
    }

    private static string[] Validations(RunDirectory directory)
        => [.. Events(directory, "validation").Select(e => $"{e["update"]} {e["epoch"]} {e["loss"]} {e["bleu"]} {e["best"]}")];

    private static string[] Files(RunDirectory directory) => [.. Directory.EnumerateFiles(directory.Path).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)];

    private RunDirectory Run(string name) => new(Path.Combine(_folder, name));
}
