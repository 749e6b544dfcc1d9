using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Decoding token by token, with everything remembered, gives what decoding whole prefixes anew gives.</summary>
public sealed class CachedDecodingTests
{
    private const double Tolerance = 1e-5;
    private const int Steps = 24;
    private static readonly int[] SourceLengths = [5, 9, 1, 7];

    [Theory, Devices]
    public void EqualsFullRecomputationOnRaggedBatchesBeyondTheWidestFilter(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var config in TinyModels.On(name).Concat(TinyModels.Others))
        {
            using var model = Create(config, device);
            using var scope = TensorScope.Begin();
            var random = new Random(11);
            int[][] sources = TinyModels.Sentences(random, config.SourceVocabulary, SourceLengths);
            int[][] prefixes = [.. sources.Select(_ => new[] { Vocabulary.Eos })];
            var encoded = TinyModels.Encode(model, sources);
            using var state = model.Begin(encoded, beam: 1, Steps);
            for (int step = 0; step < Steps; step++)
            {
                Check(model, encoded, Enumerable.Range(0, sources.Length), prefixes, state);
                prefixes = [.. prefixes.Select(p => p.Append(random.Next(Vocabulary.Unk, config.TargetVocabulary)).ToArray())];
            }
        }
    }

    /// <summary>The widths of the papers' filters and heads, 48 positions: past the 31 taps, and past several growths of the attention's memory.</summary>
    [Theory, Devices]
    public void EqualsFullRecomputationWithThePapersFilters(string name)
    {
        const int Length = 48;
        using var device = TestDevices.Open(name);
        ModelConfig[] papers = name == TestDevices.Emulated
            ? [Transformer2017.Iwslt, LightConv2019.Base, DynamicConv2019.Iwslt]
            : [
                Transformer2017.Iwslt, LightConv2019.Base, DynamicConv2019.Base, DynamicConv2019.Iwslt, Cnn2019.Iwslt,
                Transformer2017.Iwslt with { AttentionWindows = [3, 7, 15, 31, 31, 31] },
                DynamicConv2019.Iwslt with { ConvNormalization = TapNormalization.AbsL2 }, LightConv2019.Base with { ConvHeads = 64, ConvNormalization = TapNormalization.None },
            ];
        foreach (var paper in papers)
        {
            var config = paper with
            {
                ModelWidth = 64,
                FeedForwardWidth = 96,
                SourceVocabulary = 50,
                TargetVocabulary = 50,
                ShareEmbeddings = EmbeddingSharing.All,
            };
            using var model = TinyModels.Create(config, device, spread: 0.02f);
            using var scope = TensorScope.Begin();
            var random = new Random(13);
            var encoded = TinyModels.Encode(model, TinyModels.Sentences(random, config.SourceVocabulary, SourceLengths));
            int[][] targets = [.. SourceLengths.Select(_ => Enumerable.Range(0, Length).Select(t => t == 0 ? Vocabulary.Eos : random.Next(Vocabulary.Unk, config.TargetVocabulary)).ToArray())];

            // Nothing is reordered and no output sees a later token (WholeModelTests), so one pass over all holds every step's recomputation.
            var whole = model.Decode(TinyModels.Pad(device, targets), encoded);
            float[] full = whole.ToArray();
            using var state = model.Begin(encoded, beam: 1, maxLength: Length);
            for (int step = 0; step < Length; step++)
            {
                using var ofStep = TensorScope.Begin();
                SameRows(config, full, whole.Shape[2], Length, step, model.DecodeStep(Tensor.From(device, [.. targets.Select(t => t[step])]), state).ToArray());
            }
        }
    }

    [Theory, Devices]
    public void EqualsFullRecomputationAfterReordersOfABeamAndDepartures(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var config in TinyModels.On(name).Concat(TinyModels.Others))
        {
            using var model = Create(config, device);
            using var scope = TensorScope.Begin();
            const int Beam = 4;
            var random = new Random(12);
            int[][] sources = TinyModels.Sentences(random, config.SourceVocabulary, SourceLengths);
            var encoded = TinyModels.Encode(model, sources);
            using var state = model.Begin(encoded, Beam, Steps);
            int[] alive = [0, 1, 2, 3];
            int[][] prefixes = [.. Enumerable.Range(0, alive.Length * Beam).Select(_ => new[] { Vocabulary.Eos })];
            for (int step = 0; step < Steps; step++)
            {
                Check(model, encoded, Enumerable.Range(0, prefixes.Length).Select(n => alive[n / Beam]), prefixes, state);
                int[] staying = [.. Enumerable.Range(0, alive.Length).Where(i => (step, alive[i]) is not ((5, 1) or (12, 3) or (20, 0)))];
                int[] rows = [.. staying.SelectMany(i => Enumerable.Range(0, Beam).Select(_ => (i * Beam) + random.Next(Beam)))];

                // Inside a scope, as a search would: what the state remembers must not die with it.
                using (TensorScope.Begin())
                    state.Reorder(rows);
                alive = [.. staying.Select(i => alive[i])];
                prefixes = [.. rows.Select(row => prefixes[row].Append(random.Next(Vocabulary.Unk, config.TargetVocabulary)).ToArray())];
                Assert.Equal(alive.Length, state.Sentences);
            }
        }
    }

    /// <summary>A step that is refused half way was not taken, whatever hypotheses go on from afterwards.</summary>
    [Theory, Devices]
    public void ARefusedStepLeavesNothing(string name)
    {
        using var device = TestDevices.Open(name);
        using var model = TinyModels.Create(TinyModels.Transformer, device);
        Assert.Equal(Decode(false), Decode(true));

        float[] Decode(bool refused)
        {
            using var scope = TensorScope.Begin();
            using var state = model.Begin(TinyModels.Encode(model, [[4, 5, 2], [6, 2]]), beam: 2, maxLength: 20);
            float[] last = [];
            for (int step = 0; step < 6; step++)
            {
                if (refused)
                    Assert.Throws<ArgumentException>(() => model.DecodeStep(Tensor.From(device, [2, 1_000_000, 5, 6]), state));
                state.Reorder([1, 0, 3, 3]);
                last = model.DecodeStep(Tensor.From(device, [2 + step, 4, 5, 6]), state).ToArray();
            }

            return last;
        }
    }

    [Theory, Devices]
    public void AStateOwnsWhatItRemembersAndNothingElse(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var architecture in Enum.GetValues<Architecture>())
        {
            using var model = TinyModels.Create(TinyModels.Of(architecture), device);
            Decode(model);
            long before = device.LiveBytes;
            Decode(model);
            Assert.Equal(before, device.LiveBytes);
        }

        static void Decode(Seq2SeqModel model)
        {
            IncrementalState state;
            using (TensorScope.Begin())
            using (TensorScope.Begin())
                state = model.Begin(TinyModels.Encode(model, [[4, 5, 2], [6, 2]]), beam: 2, maxLength: 20);
            for (int step = 0; step < 20; step++)
            {
                using var scope = TensorScope.Begin();
                model.DecodeStep(Tensor.From(model.Device, [2, 4, 5, 6]), state);
                state.Reorder([1, 1, 3, 2]);
            }

            state.Dispose();
        }
    }

    [Theory, Devices]
    public void MemoryStopsGrowingForConvolutions(string name)
    {
        using var device = TestDevices.Open(name);
        using var model = TinyModels.Create(TinyModels.Conv(Architecture.DynamicConv), device);
        using var scope = TensorScope.Begin();
        using var state = model.Begin(TinyModels.Encode(model, [[4, 5, 2]]), beam: 1, maxLength: 500);
        Step();
        long before = device.LiveBytes;
        for (int step = 1; step < 200; step++)
            Step();
        Assert.Equal(before, device.LiveBytes);

        void Step()
        {
            using var inner = TensorScope.Begin();
            model.DecodeStep(Tensor.From(device, [4]), state);
        }
    }

    [Theory, Devices]
    public void RefusesWhatDoesNotFit(string name)
    {
        using var device = TestDevices.Open(name);
        using var model = TinyModels.Create(TinyModels.Transformer, device);
        using var other = TinyModels.Create(TinyModels.Transformer, device);
        using var scope = TensorScope.Begin();
        var encoded = TinyModels.Encode(model, [[4, 5, 2], [6, 2]]);
        using var state = model.Begin(encoded, beam: 2, maxLength: 1);
        Says<ArgumentException>($"DecodeStep: tokens must be one for each of the 4 hypotheses, got From [3] Int32 on {device}.", () => model.DecodeStep(Tensor.From(device, [1, 2, 3]), state));
        Says<InvalidOperationException>(
            "IncrementalState: must come from the model that decodes with it, got none of this SelfAttention.",
            () => other.DecodeStep(Tensor.From(device, [2, 2, 2, 2]), state));
        model.DecodeStep(Tensor.From(device, [2, 2, 2, 2]), state);
        Says<InvalidOperationException>("DecodeStep: the state was begun for 1 steps, all were taken.", () => model.DecodeStep(Tensor.From(device, [2, 2, 2, 2]), state));
        Says<ArgumentException>("Reorder: rows must be whole beams of 2, got 3 rows.", () => state.Reorder([0, 0, 1]));
        Says<ArgumentException>("Reorder: rows must be in 0 .. 3, got 4 at 3.", () => state.Reorder([0, 0, 2, 4]));
        Says<ArgumentException>("Reorder: a beam must stay within its sentence, got sentences 0 and 1 at 1.", () => state.Reorder([0, 2]));
        Says<ArgumentException>("Reorder: sentences must keep their order, got sentence 0 after 1.", () => state.Reorder([2, 2, 0, 0]));
        Says<ArgumentOutOfRangeException>("IncrementalState: beam and maxLength must be at least 1, got 0 and 5.", () => model.Begin(encoded, 0, 5));

        static void Says<TException>(string message, Action call)
            where TException : Exception
            => Assert.Equal(message, Assert.Throws<TException>(call).Message);
    }

    // Two orders of the same sums differ by what float32 rounds, and deep models multiply it, those whose taps have no bound most: with parameters this small the most seen is half of the tolerance,
    // whatever the processor's vectors.
    private static Seq2SeqModel Create(ModelConfig config, Device device)
        => TinyModels.Create(config, device, spread: config.ConvNormalization is TapNormalization.None or TapNormalization.Square or TapNormalization.Abs ? 0.1f : 0.25f);

    private static void Check(Seq2SeqModel model, EncoderOutput encoded, IEnumerable<int> sentences, int[][] prefixes, IncrementalState state)
    {
        using var scope = TensorScope.Begin();
        float[] cached = model.DecodeStep(Tensor.From(model.Device, [.. prefixes.Select(p => p[^1])]), state).ToArray();
        var rows = Tensor.From(model.Device, [.. sentences]);
        var lengths = Tensor.From(model.Device, [.. sentences.Select(s => SourceLengths[s])]);
        var source = new EncoderOutput(Of(encoded.States), lengths) { Layers = [.. encoded.Layers.Select(Of)], Surface = encoded.Surface is { } surface ? Of(surface) : null, Memories = [.. encoded.Memories.Select(Of)], Values = encoded.Values is { } values ? Of(values) : null };
        var whole = model.Decode(TinyModels.Pad(model.Device, prefixes), source);
        int length = prefixes[0].Length;
        SameRows(model.Config, whole.ToArray(), whole.Shape[2], length, length - 1, cached);

        Tensor Of(Tensor x) => Ops.IndexSelect(x, 0, rows);
    }

    // full: outputs [N, length, width] of all steps; got: [N, width] of this one.
    private static void SameRows(ModelConfig config, float[] full, int width, int length, int step, float[] got)
    {
        Assert.Equal(full.Length / length, got.Length);
        for (int i = 0; i < got.Length; i++)
        {
            int n = i / width, c = i % width;
            float expected = full[(((n * length) + step) * width) + c];
            Assert.True(Math.Abs(expected - got[i]) <= Tolerance, $"{config}: step {step}, row {n}, channel {c}: {got[i]}, anew {expected}");
        }
    }
}
