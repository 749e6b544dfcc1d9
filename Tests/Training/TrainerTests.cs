using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;
using static CudaSeq.Tests.TinyTraining;

namespace CudaSeq.Tests;

public sealed class TrainerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cudaseq-trainer-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(Architecture.Transformer)]
    [InlineData(Architecture.LightConv)]
    [InlineData(Architecture.DynamicConv)]
    public void TenUpdatesStoppedAndResumedEqualTwentyBitForBit(Architecture architecture)
    {
        var straight = new RunDirectory(Path.Combine(_folder, "straight"));
        var resumed = new RunDirectory(Path.Combine(_folder, "resumed"));
        Train(architecture, straight, 20);
        Train(architecture, resumed, 10);
        Train(architecture, resumed, 20, resume: true);
        Assert.Equal(File.ReadAllBytes(straight.Last), File.ReadAllBytes(resumed.Last));
    }

    [Fact]
    public void TheFirstUpdateHasTheInitialRateAsInFairseq()
    {
        var directory = new RunDirectory(Path.Combine(_folder, "rate"));
        Train(Architecture.LightConv, directory, 31);
        float[] rates = [.. Events(directory, "update").Select(e => (float)e["lr"]!)];
        Assert.Equal(1e-7f, rates[0]);
        Assert.Equal(5e-3f, rates[30]);
    }

    [Fact]
    public void InterruptedAnywhereItValidatesAtTheSameEpochsAndKeepsTheSameBest()
    {
        // Three batches an update, so that updates reach over the ends of epochs.
        var options = Options(24) with { ValidateEvery = 0, Accumulate = 3 };
        var straight = new RunDirectory(Path.Combine(_folder, "straight"));
        var stopped = new RunDirectory(Path.Combine(_folder, "stopped"));
        Train(Architecture.DynamicConv, straight, options);
        foreach (long update in (long[])[1, 2, 5, 8, 9, 15, 16])
            Train(Architecture.DynamicConv, stopped, options, stopAt: update);
        Train(Architecture.DynamicConv, stopped, options, resume: true);
        Assert.Equal(File.ReadAllBytes(straight.Last), File.ReadAllBytes(stopped.Last));
        Assert.Equal(File.ReadAllBytes(straight.Best), File.ReadAllBytes(stopped.Best));
        Assert.Equal(Validations(straight), Validations(stopped));
        Assert.True(Validations(straight).Length > 3);

        static string[] Validations(RunDirectory directory)
            => [.. Events(directory, "validation").Select(e => $"{e["update"]} {e["epoch"]} {e["loss"]} {e["bleu"]} {e["best"]}")];
    }

    [Fact]
    public void TheEndOfAnEpochBelongsToIt()
    {
        var directory = new RunDirectory(Path.Combine(_folder, "epochs"));
        Train(Architecture.LightConv, directory, Options(24) with { ValidateEvery = 0 });
        int[] epochs = [.. Events(directory, "validation").Select(e => (int)e["epoch"]!)];
        Assert.Equal(Enumerable.Range(1, epochs.Length), epochs);
    }

    [Fact]
    public void AValidationThatWasTheBestIsSoAgainAfterAKillBeforeTheCheckpoint()
    {
        var straight = new RunDirectory(Path.Combine(_folder, "straight"));
        var killed = new RunDirectory(Path.Combine(_folder, "killed"));
        Train(Architecture.LightConv, straight, 7);
        Train(Architecture.LightConv, killed, Options(7), stopAt: 6);
        File.Copy(straight.Best, killed.Best);
        Train(Architecture.LightConv, killed, 7, resume: true);
        Assert.True((bool)Events(killed, "validation").Single()["best"]!);
        Assert.Equal(File.ReadAllBytes(straight.Best), File.ReadAllBytes(killed.Best));
    }

    // One step of plain descent: what the gradients are divided by is a factor of the rate, and of the norm that is shown.
    [Fact]
    public void GradientsAreDividedByTokensOrBySentences()
    {
        var options = Options(1) with { Sgd = new SgdOptions(), ClipNorm = 0, Accumulate = 2, BatchSentences = 9, ValidateEvery = 1000, ValidationDecoding = null };
        const float Rate = 0.25f;
        var (tokens, norm, _) = Learn(options with { Schedule = new FixedSchedule(Rate) });
        var (sentences, other, batches) = Learn(options with { Schedule = new FixedSchedule(Rate), GradientAverage = GradientAverage.Sentences });
        double ratio = (double)batches.Sum(b => b.TargetTokens) / batches.Sum(b => b.B);
        Assert.All(batches, b => Assert.Equal(9, b.B));
        Assert.InRange(ratio, 2, 7);
        Assert.Equal(norm * ratio, other, norm * ratio * 1e-5);
        var (scaled, _, _) = Learn(options with { Schedule = new FixedSchedule((float)(Rate / ratio)), GradientAverage = GradientAverage.Sentences });
        Assert.True(Distance(tokens, scaled) < 1e-6, $"{Distance(tokens, scaled)}");
        Assert.True(Distance(tokens, sentences) > 1e-3, $"{Distance(tokens, sentences)}");

        static (float[] Parameters, double Norm, Batch[] Batches) Learn(TrainerOptions options)
        {
            using var device = new CpuDevice(1);
            var (model, data, random) = Setup(Architecture.LightConv, device);
            using var _ = model;
            using var trainer = new Trainer(model, data, options, random);
            double norm = 0;
            trainer.Run(new Sink(p => norm = Math.Max(norm, p.GradientNorm)));
            Batch[] batches = [.. new BatchIterator(data.Train, options.BatchTokens, options.Seed, batchSentences: options.BatchSentences).From(default).Take(options.Accumulate).Select(b => b.Batch)];
            return ([.. model.Parameters.SelectMany(p => p.ToArray())], norm, batches);
        }

        static double Distance(float[] one, float[] other) => one.Zip(other).Max(p => Math.Abs(p.First - p.Second));
    }

    [Fact]
    public void ThreadsDoNotChangeWhatIsLearned()
    {
        var one = new RunDirectory(Path.Combine(_folder, "one"));
        var three = new RunDirectory(Path.Combine(_folder, "three"));
        Train(Architecture.DynamicConv, one, 5, threads: 1);
        Train(Architecture.DynamicConv, three, 5, threads: 3);
        Assert.Equal(File.ReadAllBytes(one.Last), File.ReadAllBytes(three.Last));
    }

    [Theory]
    [InlineData(Architecture.Transformer)]
    [InlineData(Architecture.LightConv)]
    [InlineData(Architecture.DynamicConv)]
    public void LearnsToReverse(Architecture architecture)
    {
        var result = Train(architecture, null, 150);
        Assert.True(result.Validation!.Perplexity < 3, $"perplexity {result.Validation.Perplexity}");
    }

    [Theory]
    [InlineData(Architecture.Transformer)]
    [InlineData(Architecture.LightConv)]
    [InlineData(Architecture.DynamicConv)]
    public void SteadyTrainingAllocatesNoBuffer(Architecture architecture)
    {
        using var device = new CpuDevice(2);
        var (model, data, random) = Setup(architecture, device);
        using var _ = model;
        using var trainer = new Trainer(model, data, Options(400), random);
        var allocations = new List<long>();
        trainer.Run(new Sink(p => allocations.Add(device.Allocations)));
        Assert.Equal(allocations[^1], allocations[allocations.Count / 2]);
    }

    /// <summary>The same masks and the same sums in another order: losses as near as rounding allows, and the same words.</summary>
    [Theory]
    [InlineData(Architecture.Transformer)]
    [InlineData(Architecture.LightConv)]
    [InlineData(Architecture.DynamicConv)]
    public void CudaLearnsAndTranslatesLikeTheProcessor(Architecture architecture)
    {
        using var cuda = TestDevices.OpenCuda();
        using var cpu = new CpuDevice(2);
        var options = Options(5) with { LengthMultiple = 8, BatchTokens = 100, ValidateEvery = 1000 };
        var (expectedLosses, expectedWords, _) = LearnAndTranslate(Of(architecture), cpu, options);
        var (losses, words, _) = LearnAndTranslate(Of(architecture), cuda, options);
        Assert.Equal(5, losses.Length);
        for (int i = 0; i < losses.Length; i++)
            Assert.Equal(expectedLosses[i], losses[i], 1e-4);
        Assert.Equal(expectedWords, words);
    }

    [Theory]
    [InlineData(Architecture.Transformer)]
    [InlineData(Architecture.LightConv)]
    [InlineData(Architecture.DynamicConv)]
    [InlineData(Architecture.ConvS2S)]
    [InlineData(Architecture.ConvS2S, DType.BFloat16)]
    public void GraphsLearnTheSameBitForBit(Architecture architecture, DType precision = DType.Float32)
    {
        using var cuda = TestDevices.OpenCuda();
        var options = Options(10) with { LengthMultiple = 8, BatchTokens = 36, ValidateEvery = 1000, Precision = precision };
        var (expectedLosses, expectedWords, none) = LearnAndTranslate(Of(architecture), cuda, options with { Graphs = false });
        var (losses, words, captured) = LearnAndTranslate(Of(architecture), cuda, options);
        Assert.Equal(expectedLosses, losses);
        Assert.Equal(expectedWords, words);
        Assert.Equal(0, none);
        Assert.True(captured > 0);
    }

    /// <summary>Also where steps are graphs.</summary>
    [Theory, Devices]
    public void CheckpointingGradientsLearnsTheSameBitForBit(string name)
    {
        using var device = TestDevices.Open(name);
        var options = Options(6) with { LengthMultiple = 8, BatchTokens = 36, ValidateEvery = 1000 };
        var (expectedLosses, expectedWords, _) = LearnAndTranslate(Of(Architecture.DynamicConv), device, options);
        var (losses, words, captured) = LearnAndTranslate(Of(Architecture.DynamicConv), device, options with { GradientCheckpointing = true });
        Assert.Equal(expectedLosses, losses);
        Assert.Equal(expectedWords, words);
        Assert.Equal(device is CudaDevice, captured > 0);
    }

    [Theory]
    [InlineData(Architecture.Lstm, "LstmSeq2Seq2014")]
    [InlineData(Architecture.RnnSearch, "RnnSearch2015")]
    [InlineData(Architecture.ConvS2S, "ConvS2S2017")]
    public void CheckpointingGradientsIsRefusedWithoutLayers(Architecture architecture, string model)
    {
        var options = Options(1) with { GradientCheckpointing = true };
        Assert.Equal($"Training: gradient checkpointing needs a model of layers, got {model}.", Assert.Throws<ArgumentException>(() => Train(Of(architecture), options)).Message);
    }

    /// <summary>The same masks, and losses that differ by a few roundings.</summary>
    [Theory]
    [InlineData(Architecture.Transformer)]
    [InlineData(Architecture.LightConv)]
    [InlineData(Architecture.DynamicConv)]
    public void CudaLearnsInBFloat16AsInFloat32(Architecture architecture)
    {
        using var cuda = TestDevices.OpenCuda();
        var options = Options(5) with { LengthMultiple = 8, BatchTokens = 100 };
        double[] expected = Losses(DType.Float32), got = Losses(DType.BFloat16);
        Assert.Equal(5, got.Length);
        for (int i = 0; i < got.Length; i++)
            Assert.Equal(expected[i], got[i], 8 * Narrow.Epsilon);
        Assert.NotEqual(expected, got);

        double[] Losses(DType precision)
        {
            var (model, data, random) = Setup(architecture, cuda);
            using var _ = model;
            using var trainer = new Trainer(model, data with { Valid = null }, options with { Precision = precision }, random);
            var losses = new List<double>();
            trainer.Run(new Sink(p => losses.Add(p.Loss)));
            return [.. losses];
        }
    }

    [Fact]
    public void WhatCannotBeCapturedIsSaidOnceWhenItHappens()
    {
        using var device = TestDevices.OpenCuda();
        var (model, data, _) = Setup(Architecture.Transformer, device);
        using var peeping = new PeepingModel(model.Config);
        model.Dispose();
        var random = new RandomSource(1);
        peeping.Initialize(device, random);
        var directory = new RunDirectory(Path.Combine(_folder, "peeping"));
        using (var trainer = new Trainer(peeping, data, Options(6) with { LengthMultiple = 8, BatchTokens = 36, ValidateEvery = 5 }, random, directory))
            trainer.Run();
        var log = TrainingLog.Read(directory.Log).ToArray();
        const string Reason = "cuda:0: a capture must hold kernels, fills and copies on the device only, got a copy to the host.";
        var warnings = log.Where(e => (string?)e["event"] == "warning").ToArray();
        Assert.Equal(["training.graphs", "decoding.graphs"], warnings.Select(e => (string?)e["key"]));
        Assert.All(warnings, w => Assert.Equal(Reason, (string?)w["not_captured"]));
        Assert.True((int?)warnings[0]["update"] < 5);
        Assert.Equal(5, (int?)warnings[1]["update"]);
        Assert.Equal(Reason, (string?)log[^1]["graphs_not_captured"]);
    }

    [Fact]
    public void UpdatesOnCudaAreQueuedWithoutWaiting()
    {
        using var device = TestDevices.OpenCuda();
        var (model, data, random) = Setup(Architecture.DynamicConv, device);
        using var _ = model;
        using var trainer = new Trainer(model, data with { Valid = null }, Options(20) with { BatchTokens = 36, ReportEvery = TimeSpan.FromDays(1), SaveEvery = TimeSpan.FromDays(1), ValidateEvery = 1000 }, random);
        long before = device.HostReads;
        trainer.Run();
        Assert.Equal(20, trainer.State.Update);
        Assert.Equal(1, device.HostReads - before);
        Assert.True(trainer.CapturedShapes > 0);
    }

    [Theory, Devices]
    public void NonFiniteParameterIsNamedAndTheCheckpointKept(string name)
    {
        var directory = new RunDirectory(Path.Combine(_folder, "nan"));
        Train(Architecture.DynamicConv, directory, 3);
        byte[] before = File.ReadAllBytes(directory.Last);
        using var device = TestDevices.Open(name);
        var (model, data, random) = Setup(Architecture.DynamicConv, device);
        using var _ = model;
        using var trainer = new Trainer(model, data, Options(10) with { ReportEvery = TimeSpan.FromDays(1) }, random, directory);
        trainer.Resume();
        var (parameter, weight) = model.NamedParameters().First(p => p.Name.EndsWith("fc1.weight", StringComparison.Ordinal));
        var values = weight.ToArray();
        values[0] = float.NaN;
        weight.CopyFrom(values);
        var error = Assert.Throws<NonFiniteLossException>(() => trainer.Run());
        Assert.Equal(
            $"Training: the loss must stay finite; first non-finite tensor: parameter {parameter} {weight.Shape}, at update 4, epoch {trainer.State.Epoch + 1}, batch {trainer.State.Batch}. The last good checkpoint is kept.",
            error.Message);
        Assert.Equal(before, File.ReadAllBytes(directory.Last));
        Assert.Equal(values, weight.ToArray());
    }

    [Theory, Devices]
    public void NonFiniteActivationIsNamedWithItsParameter(string name)
    {
        using var device = TestDevices.Open(name);
        var (model, data, random) = Setup(Architecture.DynamicConv, device);
        using var _ = model;
        using var trainer = new Trainer(model, data, Options(10), random);
        var weight = model.NamedParameters().First(p => p.Name == "encoder.layers.0.fc1.weight").Tensor;
        weight.CopyFrom([.. Enumerable.Repeat(float.MaxValue, (int)weight.Shape.Count)]);
        var error = Assert.Throws<NonFiniteLossException>(() => trainer.Run());
        Assert.Contains("of Linear with encoder.layers.0.fc1.weight, op ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ResumingDropsLogLinesThatWillHappenAgain()
    {
        var directory = new RunDirectory(Path.Combine(_folder, "log"));
        Train(Architecture.LightConv, directory, 4);
        File.AppendAllText(directory.Log, "{\"event\":\"update\",\"update\":5,\"seconds\":1}\n{\"event\":\"upd");
        Train(Architecture.LightConv, directory, 8, resume: true);
        var updates = TrainingLog.Read(directory.Log).Where(e => (string?)e["event"] == "update").Select(e => (long)e["update"]!).ToList();
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], updates);
    }

    [Fact]
    public void ResumeRefusesAnotherVocabulary()
    {
        var directory = new RunDirectory(Path.Combine(_folder, "vocabulary"));
        Train(Architecture.LightConv, directory, 1);
        using var device = new CpuDevice(1);
        var (model, data, random) = Setup(Architecture.LightConv, device);
        using var _ = model;
        var other = new TextCodec(new WordTokenizer(), Vocabulary.Build(new WordTokenizer(), ["one two three four five six seven 8"]));
        using var trainer = new Trainer(model, data with { Target = other }, Options(2), random, directory);
        Assert.Equal(
            "last.safetensors: was trained with another target vocabulary than this run's.",
            Assert.Throws<InvalidDataException>(trainer.Resume).Message);
    }

    [Fact]
    public void ResumeRefusesOtherData()
    {
        var directory = new RunDirectory(Path.Combine(_folder, "data"));
        Train(Architecture.LightConv, directory, 1);
        using var device = new CpuDevice(1);
        var (model, data, random) = Setup(Architecture.LightConv, device);
        using var _ = model;
        using var trainer = new Trainer(model, data with { Train = data.Valid! }, Options(2), random, directory);
        string all = Size((Corpus)data.Train), few = Size((Corpus)data.Valid!);
        Assert.Equal(
            $"last.safetensors: was trained on other data than this run's, {all} and not {few}.",
            Assert.Throws<InvalidDataException>(trainer.Resume).Message);

        static string Size(Corpus c) => $"{c.Count} pairs of {c.Sum(p => p.Source.Length)} and {c.Sum(p => p.Target.Length)} tokens";
    }

    [Fact]
    public void ResumeRefusesAnotherTextOfTheSameSize()
    {
        var directory = new RunDirectory(Path.Combine(_folder, "text"));
        Train(Architecture.LightConv, directory, 1);
        using var device = new CpuDevice(1);
        var (model, data, random) = Setup(Architecture.LightConv, device);
        using var _ = model;
        Refuses("trained", data with { Train = Turned((Corpus)data.Train) });
        Refuses("validated", data with { Valid = Turned((Corpus)data.Valid!) });
        Refuses("validated", data with { ValidReferences = [.. data.ValidReferences.Skip(1), "one"] });
        Refuses("validated", data with { Valid = null });
        using var same = new Trainer(model, data, Options(2), random, directory);
        same.Resume();
        Assert.Equal(1, same.State.Update);

        void Refuses(string what, TrainingData other)
        {
            using var trainer = new Trainer(model, other, Options(2), random, directory);
            Assert.Equal($"last.safetensors: was {what} on another text than this run's.", Assert.Throws<InvalidDataException>(trainer.Resume).Message);
        }

        static Corpus Turned(Corpus c) => Corpus.From([.. c.Skip(1), c[0]]);
    }
}
