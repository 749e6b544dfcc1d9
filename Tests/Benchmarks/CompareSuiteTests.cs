using System.Text.Json.Nodes;
using System.Xml.Linq;
using CudaSeq.Benchmarks;
using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>What is compared: every case runs, counts its work rightly and is the function that PyTorch computes for it.</summary>
public sealed class CompareSuiteTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Sizes.Processor)]
    [InlineData(Sizes.Smoke)]
    public void CasesAreDifferentAndCountTheirWork(Sizes sizes)
    {
        CompareCase[] cases = [.. All(sizes)];
        Assert.Equal(cases.Length, cases.Select(c => c.Name).Distinct().Count());
        Assert.Equal(cases.Length, cases.Select(c => (c.Group, c.Label)).Distinct().Count());
        Assert.All(cases, c => Assert.True(c.Work.Flops > 0 || c.Work.Bytes > 0, c.Name));

        // Models by the tokens of their targets; ops are bound by bytes, or at least count them.
        Assert.All(cases, c => Assert.True(c.Whole is null ? c.Work.Bytes > 0 : c.Work is { Flops: > 0, Items: > 0 }, c.Name));

        // A curve has one point for each place.
        foreach (var line in cases.SelectMany(c => c.Places.Select(p => (c.Group, Place: p))).GroupBy(p => (p.Group, p.Place.Axis, p.Place.Line)))
            Assert.Equal(line.Count(), line.Select(p => p.Place.At).Distinct().Count());
    }

    [Fact]
    public void WholeModelsAreThoseOfThePapers()
    {
        string[] train = [.. TrainSuite.Of(Sizes.Processor).Select(c => c.Name)];
        Assert.Equal(
            [
                "Train transformer small B=16 T=64 V=8000", "Train lightconv small B=16 T=64 V=8000", "Train dynamicconv small B=16 T=64 V=8000",
                "Train transformer base B=16 T=64 V=8000", "Train lightconv base B=16 T=64 V=8000", "Train dynamicconv base B=16 T=64 V=8000",
            ],
            train);
        var small = CompareModels.Case(Architecture.DynamicConv, Sizes.Processor, "small").Config;
        Assert.Equal((256, 1024, 3, 3, 4), (small.ModelWidth, small.FeedForwardWidth, small.EncoderLayers, small.DecoderLayers, small.AttentionHeads));
        Assert.Equal([3, 7, 15], small.EncoderKernelWidths);
        var large = CompareModels.Case(Architecture.LightConv, Sizes.Processor, "base").Config;
        Assert.Equal((512, 2048, 6, 6, 8), (large.ModelWidth, large.FeedForwardWidth, large.EncoderLayers, large.DecoderLayers, large.AttentionHeads));
        Assert.Equal([3, 7, 15, 31, 31, 31], large.EncoderKernelWidths);
        Assert.Empty(small.Validate());
        Assert.Empty(large.Validate());
        Assert.All(DecodeSuite.Of(Sizes.Processor), c => Assert.Equal(c.IsLatency, c.Name.Contains(" B=1 ", StringComparison.Ordinal)));
    }

    // By the shapes of the parameters, and pair by pair and tap by tap what has none.
    [Theory]
    [InlineData(Architecture.Transformer)]
    [InlineData(Architecture.LightConv)]
    [InlineData(Architecture.DynamicConv)]
    public void WorkIsThatOfEveryProduct(Architecture architecture)
    {
        const int B = 3, S = 7, T = 5, Beam = 2;
        var m = CompareModels.Case(architecture, Sizes.Processor, "small").Config;
        Assert.Equal(3 * Forward(m, B, B), ModelWork.OfUpdate(m, B, S, T).Flops);
        Assert.Equal(B * T, ModelWork.OfUpdate(m, B, S, T).Items);
        Assert.Equal(Forward(m, B, B * Beam), ModelWork.OfDecoding(m, B, Beam, S, T).Flops);
        Assert.Equal(B * T, ModelWork.OfDecoding(m, B, Beam, S, T).Items);

        static double Forward(ModelConfig m, int sentences, int rows)
        {
            using var model = SequenceModel.Declare(m);
            double all = 0;
            foreach (var (name, shape) in model.ParameterShapes().Where(p => p.Shape.Rank == 2 && !p.Name.EndsWith("conv.weight", StringComparison.Ordinal)))
            {
                bool ofSource = name.StartsWith("encoder.layers", StringComparison.Ordinal) || name.Contains("encoder_attn.k", StringComparison.Ordinal) || name.Contains("encoder_attn.v", StringComparison.Ordinal);
                all += 2.0 * shape[0] * shape[1] * (ofSource ? sentences * S : rows * T);
            }

            for (int layer = 0; layer < m.EncoderLayers; layer++)
            {
                all += 2 * sentences * m.ModelWidth * (m.Architecture == Architecture.Transformer ? 2.0 * S * S : Taps(S, m.EncoderKernelWidth(layer), m.EncoderKernelWidth(layer) / 2));
                all += 2 * rows * m.ModelWidth * (m.Architecture == Architecture.Transformer ? 2.0 * T * (T + 1) / 2 : Taps(T, m.DecoderKernelWidth(layer), m.DecoderKernelWidth(layer) - 1));
                all += 2.0 * 2 * rows * m.ModelWidth * T * S;
            }

            return all;
        }

        static double Taps(int length, int k, int left)
        {
            int all = 0;
            for (int t = 0; t < length; t++)
            {
                for (int tap = 0; tap < k; tap++)
                    all += t + tap - left >= 0 && t + tap - left < length ? 1 : 0;
            }

            return all;
        }
    }

    // What a further step reads: the decoder's parameters and the table, what is remembered of the target with itself, and of the source.
    [Fact]
    public void AStepOfDecodingReadsItsParametersOnce()
    {
        const int B = 3, S = 7, Beam = 2;
        var m = CompareModels.Case(Architecture.Transformer, Sizes.Processor, "small").Config;
        double c = m.ModelWidth, parameters = m.TargetVocabulary * c;
        using (var model = SequenceModel.Declare(m))
        {
            parameters += model.ParameterShapes()
                .Where(p => p.Name.StartsWith("decoder.", StringComparison.Ordinal) && !p.Name.Contains("encoder_attn.k", StringComparison.Ordinal) && !p.Name.Contains("encoder_attn.v", StringComparison.Ordinal))
                .Sum(p => (double)p.Shape.Count);
        }

        double fifth = ModelWork.OfDecoding(m, B, Beam, S, 5).Bytes - ModelWork.OfDecoding(m, B, Beam, S, 4).Bytes;
        Assert.Equal(4 * (parameters + (m.DecoderLayers * 2 * c * ((B * Beam * 5) + (B * S)))), fifth);
    }

    [Fact]
    public void ModelsThatNoRivalHasAreRefused()
    {
        var config = CompareModels.Case(Architecture.LightConv, Sizes.Smoke, "small").Config;
        Assert.StartsWith("compare: rivals have post-norm models", Assert.Throws<NotSupportedException>(() => CompareModels.Describe(config with { PreNorm = true })).Message, StringComparison.Ordinal);
        Assert.Equal("lightconv", (string?)CompareModels.Describe(config)["architecture"]);
    }

    [Fact]
    public void CostsAreOfOneCall()
    {
        using var device = new MeasuredProcessor(new CpuDevice(1), smoke: true);
        var meter = new CostMeter(device);
        object[] kept = new object[4];
        int made = 0;
        double seconds = meter.Count(
            calls =>
            {
                for (int i = 0; i < calls; i++)
                    kept[made++] = new byte[1_000_000];
                using var scope = TensorScope.Begin();
                Tensor.Zeros(device.Device, [100_000]);
                GC.Collect(0);
                return 7;
            },
            4);
        Assert.Equal(7, seconds);
        var costs = meter.Mean;
        Assert.All(kept, Assert.NotNull);

        // Other tests allocate meanwhile.
        var (first, second, third) = costs.Collections;
        Assert.True(costs.ManagedBytes >= 1_000_000 && first + second + third >= 0.25, $"{costs}");
        Assert.Equal(0.25, costs.Buffers);
        Assert.Null(costs.PeakBytes);
        Assert.Equal(
            "of one update: 12.3 kB of managed memory, 0.5 / 0.25 / 0 collections of generations 0 / 1 / 2, 0 new buffers; resident at most 2 MB", new Costs(12_345, (0.5, 0.25, 0), 0, 2_000_000).Line("update"));
        Assert.EndsWith("0 new buffers", new Costs(0, (0, 0, 0), 0, null).Line("update"), StringComparison.Ordinal);
    }

    [Fact]
    public void ThePeakIsOfResidentMemory()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux says what is resident at most");
        const int Bytes = 1 << 28;
        byte[] memory = new byte[Bytes];
        memory.AsSpan().Fill(1);
        ResidentSet.Reset();
        Assert.True(ResidentSet.Peak() >= Bytes);
        GC.KeepAlive(memory);
    }

    [Fact]
    public void EverySuiteRunsWithoutRivals()
    {
        string output = _folder.PathOf("out");
        var text = new StringWriter();
        Assert.Equal(0, CompareRun.Run(["--suite", "all", "--device", "cpu", "--sizes", "smoke", "--rivals", "none", "--rounds", "1", "--threads", "1", "--out", output], text));
        Assert.Equal(6 + 27, Count("    of one update: "));
        Assert.Equal(12 + 20, Count("    of one decoding: "));

        // A single sentence: of two models, in floats and in integers, and of what stands beside three of these.
        Assert.Equal(7, Count(" ms a token"));
        var cases = JsonNode.Parse(File.ReadAllText(Path.Combine(output, "compare.json")))!["cases"]!.AsArray();
        Assert.Equal(All(Sizes.Smoke).Select(c => c.Name), cases.Select(c => (string?)c!["name"]));
        var train = cases.Single(c => (string?)c!["name"] == "Train dynamicconv base B=2 T=6 V=50")!;
        Assert.True((double)train["items_per_second"]! > 0 && (double)train["costs"]!["managed_bytes"]! > 0);
        Assert.Equal(0, (double)train["costs"]!["new_buffers"]!);
        Assert.Equal("GFLOP/s", (string?)train["unit"]);

        // Ours beside ours: in turns, and not as a rival.
        var quantized = cases.Single(c => (string?)c!["name"] == "Decode dynamicconv small greedy B=1 S=5 T=7 V=50 int8")!["rivals"]!.AsArray().Single()!;
        Assert.Equal(("CudaSeq", "float32", true, null), ((string?)quantized["name"], (string?)quantized["variant"], (bool)quantized["sibling"]!, quantized["difference"]));
        Assert.True((double)quantized["ratio"]!["median"]! > 0);
        Assert.DoesNotContain("cases with a rival", text.ToString(), StringComparison.Ordinal);
        string html = File.ReadAllText(Path.Combine(output, "compare.html"));
        Assert.Contains("operations for each byte", html, StringComparison.Ordinal);
        string[] figures = [.. XElement.Parse(html["<!DOCTYPE html>\n".Length..]).Descendants("figcaption").Select(f => f.Value)];
        Assert.Contains("milliseconds", figures);

        // The page of the file: a target that smoke sizes cannot meet is not said to be met, and growth is in steps.
        string page = CpuPage.Write(output);
        Assert.Contains("| An update of Transformer, small, beside PyTorch's fastest | at least 1.7 | not measured |\n", page, StringComparison.Ordinal);
        Assert.Matches(@"\| An update: new buffers \| at most 0 \| (0|\*\*[0-9.]+\*\*) \(the worst of 6\)", page);
        Assert.Contains("**Mixers over the length, B = 1, C = 16, K = 3**\n\n| T | self-attention | | LightConv | | DynamicConv | |\n|---:|---:|---|---:|---|---:|---|\n| 4 |", page, StringComparison.Ordinal);
        Assert.Matches(@"\| 6 \| [0-9.]+ us \| [0-9.]+ times \|", page);
        Assert.DoesNotContain("NaN", page, StringComparison.Ordinal);
        Assert.Contains("Training, base", XElement.Parse(html["<!DOCTYPE html>\n".Length..]).Descendants("h2").Select(h => h.Value));

        int Count(string part) => text.ToString().Split(part).Length - 1;
    }

    [Fact]
    public void TheCommittedPageIsThatOfTheCommittedFiles()
    {
        string folder = Repository.File("docs/results/cpu");
        Assert.SkipUnless(Directory.Exists(folder), "no processor was measured");
        Repository.AssertSame("docs/results/cpu.md", CpuPage.Write(folder));
    }

    // The worst case counts, and the fastest variant of the fastest rival; one of ours is no rival.
    [Fact]
    public void TargetsAreJudgedByTheirWorstCase()
    {
        CompareCase[] cases = [.. TrainSuite.Of(Sizes.Processor)];
        var spread = new Spread(2, 1, 3);
        CompareResult[] results =
        [
            .. cases.Select((c, i) => new CompareResult(c, new Spread(1, 1, 1), false, i == 0 ? 0.5 : 0.7, new Costs(i == 1 ? 99_000 : 20_000, (3, 0, 0), 0, null), [
                new RivalResult("Torch", "slow", 0, spread, new Spread(9, 8, 10)), new RivalResult("Torch", "fast", 0, spread, new Spread(1.6, 1.5, 1.7)), new RivalResult("CudaSeq", "half", null, spread, new Spread(0.5, 0.5, 0.5))])),
        ];
        CompareFile.Write(_folder.PathOf("machine/run.json"), new ProcessorCeilings("A machine", 2, InstructionTier.Avx2, [(InstructionTier.Avx2, 100)], [(16, 200)], 20, 21, 22), [], results);
        string page = CpuPage.Write(_folder.PathOf("machine"));
        Assert.Contains("| An update of Transformer, small, beside PyTorch's fastest | at least 1.7 | **1.6**, missed |\n", page, StringComparison.Ordinal);
        Assert.Contains("| An update of LightConv, small, beside PyTorch's fastest | at least 1.5 | 1.6 |\n", page, StringComparison.Ordinal);
        Assert.Contains("| An update, of the peak | at least 55 % | **50 %** (the worst of 6), missed |\n", page, StringComparison.Ordinal);
        Assert.Contains("| An update: managed memory | at most 100 kB | 99 kB (the worst of 6) |\n", page, StringComparison.Ordinal);
        Assert.Contains("| An update: collections of generations 1 and 2 | at most 0 | 0 (the worst of 6) |\n", page, StringComparison.Ordinal);
        Assert.Contains("| An update on two threads, beside one | at least 1.8 | not measured |\n", page, StringComparison.Ordinal);
        Assert.Contains("| Training, small | 1.60 | 1.60 | 1.60 | 3 cases |\n", page, StringComparison.Ordinal);
        Assert.Contains("| 1.60 (1.50 .. 1.70) | Torch, fast | half 0.50 |", page, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatIsNoFileOfMeasurementsIsRefused()
    {
        Directory.CreateDirectory(_folder.PathOf("bad"));
        _folder.File("bad/run.json", """{ "format": 1, "cases": 3 }""");
        Assert.Equal($"{_folder.PathOf("bad/run.json")}: must be what `compare --out` wrote.", Assert.Throws<InvalidDataException>(() => CpuPage.Write(_folder.PathOf("bad"))).Message);
        Directory.CreateDirectory(_folder.PathOf("none"));
        Assert.Equal($"{_folder.PathOf("none")}: must hold files that `compare --out` wrote, it has none.", Assert.Throws<InvalidDataException>(() => CpuPage.Write(_folder.PathOf("none"))).Message);
    }

    // Of results that nobody measured: the faster variant counts, in each figure.
    [Fact]
    public void ThePageShowsWhatWasMeasured()
    {
        CompareCase[] cases = [.. DecodeSuite.Of(Sizes.Processor).Where(c => c.Name.Contains("transformer", StringComparison.Ordinal) && c.Siblings.Count == 0)];
        var spread = new Spread(2, 1, 3);
        CompareResult[] results =
        [
            .. cases.Select((c, i) => new CompareResult(c, new Spread(1 + i, 1, 20), true, 0.5, new Costs(1000, (0.5, 0, 0), 0, 3_000_000), [
                new RivalResult("Torch", "slow", 0, spread, new Spread(9, 8, 10), 5_000_000), new RivalResult("Torch", "fast", 0, spread, new Spread(4, 3, 5), 4_000_000), new RivalResult("Other", "", 0.5, null, null)])),
        ];
        var machine = new ProcessorCeilings("A machine", 2, InstructionTier.Avx2, [(InstructionTier.Avx2, 100)], [(16, 200)], 20, 21, 22);
        string html = ComparePage.Write(machine, [], results);
        var page = XElement.Parse(html["<!DOCTYPE html>\n".Length..]);
        Assert.Equal(["In short", "What the machine can do", "Decoding, transformer small"], page.Descendants("h2").Select(h => h.Value));
        string[][] rows = [.. page.Descendants("tr").Select(r => (string[])[.. r.Elements().Select(e => e.Value)])];
        Assert.Contains(rows, r => r.SequenceEqual(["Decoding, transformer small", "4.00", "4.00", "4.00"]));
        Assert.Contains(rows, r => r[0] == "greedy B=1 T=64" && r.Skip(1).SequenceEqual(["7.00 s", "9", "109.375", cases[6].Work.Rate(7, true), "50 %", "9.00 (8.00 .. 10.00)", "4.00 (3.00 .. 5.00)", "outputs differ"]));
        Assert.Contains(rows, r => r[0] == "greedy B=1 T=64" && r.Skip(1).SequenceEqual(["1.0 kB", "0.5 / 0 / 0", "0", "3 MB", "5 MB", "4 MB", "–"]));

        // Over T with 32 sentences and with one, and over sentences with 64 steps; a beam has two points, which are no curve.
        Assert.Equal(["milliseconds, greedy, B = 32", "milliseconds, greedy, T = 64", "milliseconds, greedy, B = 1"], page.Descendants("figcaption").Select(f => f.Value).Where(f => f.StartsWith("milliseconds", StringComparison.Ordinal)));
        var dots = page.Descendants("circle").Where(d => (string?)d.Attribute("class") == "dot").ToArray();
        Assert.Equal(cases.Length, dots.Length);
        Assert.All(dots, d => Assert.True((double)d.Attribute("cx")! is >= 46 and <= 340 && (double)d.Attribute("cy")! is >= 0 and <= 260));
    }

    // One rival alone is in the heading, and a picture has the cases that its rivals know.
    [Fact]
    public void EveryBarHasARival()
    {
        CompareCase[] cases = [.. TrainSuite.Of(Sizes.Smoke).Take(2)];
        var spread = new Spread(2, 1, 3);
        RivalResult[] all = [.. "abcd".Select(n => new RivalResult($"{n}", "", 0, spread, spread))];
        CompareResult[] results = [new(cases[0], spread, false, 0.5, default, all), new(cases[1], spread, false, 0.5, default, all[..1])];
        string html = ComparePage.Write(new ProcessorCeilings("A machine", 2, InstructionTier.Avx2, [(InstructionTier.Avx2, 100)], [], 20, 21, 22), [], results);
        var figures = XElement.Parse(html["<!DOCTYPE html>\n".Length..]).Descendants("figure").Where(f => f.Descendants("path").Any(p => ((string?)p.Attribute("class"))!.StartsWith("bar", StringComparison.Ordinal))).ToArray();
        Assert.Equal(["their time through ours (above 1 ours is shorter)", "d: its time through ours (above 1 ours is shorter)"], figures.Select(f => f.Element("figcaption")!.Value));
        Assert.Equal([["transformer", "lightconv"], ["transformer"]], figures.Select(f => f.Descendants("text").Where(t => (string?)t.Attribute("class") == "name").Select(t => t.Value)));
        Assert.DoesNotContain("ms a token", html, StringComparison.Ordinal);
    }

    // At the ridge both roofs meet, and a case that reaches both lies there.
    [Fact]
    public void ACaseAtTheRidgeLiesUnderTheRoofsCorner()
    {
        string html = new Roofline("roofs", 100, 20, [("one", [(5.0, 100.0)]), ("two", [(0.5, 10.0)])]).ToHtml();
        var figure = XElement.Parse(html);
        string roof = (string)figure.Descendants("path").Single(p => (string?)p.Attribute("class") == "roof").Attribute("d")!;
        var dots = figure.Descendants("circle").ToArray();
        Assert.Contains($"L{(string?)dots[0].Attribute("cx")} {(string?)dots[0].Attribute("cy")}H", roof, StringComparison.Ordinal);
        Assert.Equal(["1", "2"], figure.Descendants("text").Where(t => (string?)t.Attribute("class") == "number").Select(t => t.Value));
        Assert.Equal(["one", "two"], figure.Descendants("li").Select(t => t.Value));
    }

    [Fact]
    public void PyTorchComputesTheSame()
    {
        using var cpu = new CpuDevice(1);
        using var torch = TorchRival.Start(cpu, out string why);
        Assert.SkipWhen(torch is null, $"PyTorch is not installed: {why}");
        foreach (var c in All(Sizes.Smoke))
        {
            using var scope = TensorScope.Begin();
            using var contender = c.Prepare(cpu);
            float[][] ours = contender.Outputs();
            if ((string?)c.Order["op"] is DecodeSuite.QuantizedOp or GrowthSuite.Op)
            {
                Assert.Null(torch!.Prepare(Order(c, contender, "")));
                continue;
            }

            int known = 0;
            foreach (string variant in c.Variants.Count > 0 ? c.Variants : [""])
            {
                // Fused attention came with PyTorch 2.0.
                if (torch!.Prepare(Order(c, contender, variant)) is not { } theirs)
                    continue;
                known++;
                double difference = Turns.Difference(ours, theirs);
                Assert.True(difference <= c.Tolerance, $"{c.Name} {variant}: differs by {difference}");
                Assert.True(torch.Sample(1) > 0);
            }

            Assert.True(known == Math.Max(1, c.Variants.Count) || (known == 1 && c.Variants.Contains("fused")), $"{c.Name}: must be known");
            Assert.True(torch!.PeakBytes() is null or > 0);
            torch.ResetPeak();
        }
    }

    // Another loss, another word, other heads: nothing that is told is for show.
    [Fact]
    public void WhatIsAnotherFunctionIsNotTheSame()
    {
        using var cpu = new CpuDevice(1);
        using var torch = TorchRival.Start(cpu, out string why);
        Assert.SkipWhen(torch is null, $"PyTorch is not installed: {why}");
        foreach (string op in (string[])["train", DecodeSuite.Op])
        {
            var c = All(Sizes.Smoke).First(c => (string?)c.Order["op"] == op);
            using var scope = TensorScope.Begin();
            using var contender = c.Prepare(cpu);
            float[][] ours = contender.Outputs();
            foreach (var change in (Action<JsonObject>[])[o => o["source"]![0] = 40, o => o["model"]!["heads"] = 1, o => o[op == "train" ? "smoothing" : "steps"] = op == "train" ? 0.2 : 6])
            {
                var order = Order(c, contender, "");
                change(order);
                Assert.False(Turns.Difference(ours, torch!.Prepare(order)) <= c.Tolerance, order.ToJsonString());
            }
        }
    }

    [Fact]
    public void ARivalThatEndsSaysWhy()
    {
        using var cpu = new CpuDevice(1);
        using var torch = TorchRival.Start(cpu, out string why);
        Assert.SkipWhen(torch is null, $"PyTorch is not installed: {why}");
        string message = Assert.Throws<InvalidDataException>(() => torch!.Prepare(new JsonObject { ["op"] = "linear", ["more"] = new string('x', 1000) })).Message;
        Assert.Contains(": must answer, it ended (KeyError: ", message, StringComparison.Ordinal);
        Assert.True(message.Length < 400);
    }

    private static IEnumerable<CompareCase> All(Sizes sizes) => [.. KernelSuite.Of(sizes), .. TrainSuite.Of(sizes), .. DecodeSuite.Of(sizes), .. GrowthSuite.Of(sizes)];

    private static JsonObject Order(CompareCase c, Contender contender, string variant)
    {
        var order = c.Order.DeepClone().AsObject();
        order["variant"] = variant;
        order["weights"] = contender.Weights;
        return order;
    }
}
