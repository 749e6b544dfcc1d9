using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Tests of significance: the expectations are what sacreBLEU 2.6 (commit f615c728) with numpy 1.24 and its default seed computes.</summary>
public sealed class PairedTestTests
{
    private static readonly PairedTestOptions Randomization = new() { Method = PairedTestMethod.ApproximateRandomization };

    [Fact]
    public void BootstrapOfBleuEqualsSacreBleus()
        => Equal(Statistics((h, r) => Bleu.Statistics(h, [r])), new PairedTestOptions(),
            (26.59580468309487, 26.599396007486867, 0.6482890535950556, null),
            (22.674635039470754, 22.668831711723872, 0.5980698352724705, 0.000999000999000999),
            (26.3316213125408, 26.321809024368203, 0.655077780916395, 0.0979020979020979));

    [Fact]
    public void RandomizationOfBleuEqualsSacreBleus()
        => Equal(Statistics((h, r) => Bleu.Statistics(h, [r])), Randomization,
            (26.59580468309487, 26.599396007486867, 0.6482890535950556, null),
            (22.674635039470754, 22.672245763464364, 0.6359583214011426, 9.999000099990002e-05),
            (26.3316213125408, 26.322566706971045, 0.6723793904194064, 0.18868113188681132));

    [Fact]
    public void BootstrapOfChrfEqualsSacreBleus()
        => Equal(Statistics((h, r) => Chrf.Statistics(h, [r], ChrfOptions.PlusPlus)), new PairedTestOptions(),
            (53.235619159464655, 53.2361890104862, 0.4736107060858856, null),
            (49.16975151800492, 49.16829716687156, 0.4680598735843553, 0.000999000999000999),
            (52.237990234566745, 52.23789576706979, 0.4809423855045445, 0.000999000999000999));

    [Fact]
    public void BothTestsOfTerEqualSacreBleus()
    {
        var statistics = Statistics((h, r) => Ter.Statistics(h, [r]));
        Equal(statistics, new PairedTestOptions(),
            (63.25213408286488, 63.262498795986176, 0.7800906896591187, null),
            (66.88244089868076, 66.89357576370239, 0.7225602865219116, 0.000999000999000999),
            (63.6231143414154, 63.633813965320584, 0.7540792226791382, 0.054945054945054944));
        Equal(statistics, Randomization,
            (63.25213408286488, 63.262498795986176, 0.7800906896591187, null),
            (66.88244089868076, 66.88905871510505, 0.7357895374298096, 9.999000099990002e-05),
            (63.6231143414154, 63.62974101305008, 0.7323563098907471, 0.09879012098790121));
    }

    [Theory]
    [InlineData(PairedTestMethod.BootstrapResampling)]
    [InlineData(PairedTestMethod.ApproximateRandomization)]
    public void ASystemDoesNotDifferFromItself(PairedTestMethod method)
    {
        string[] lines = [.. Enumerable.Range(0, 50).Select(i => $"a b {i % 7} d e")], wanted = [.. Enumerable.Range(0, 50).Select(i => $"a b {i % 5} d e")];
        var systems = Every(lines, wanted).Zip(Every(lines, wanted)).ToList();
        Assert.Equal(["BLEU", "chrF2", "TER", "ROUGE-1", "GLEU", "F0.5"], systems.Select(s => s.First.Name));
        foreach (var (baseline, system) in systems)
        {
            var results = PairedTest.Run([baseline, system], new PairedTestOptions { Method = method, Samples = 40, ConfidenceSamples = 40 });
            Assert.Equal((null, 1 / 41.0), (results[0].PValue, results[1].PValue!.Value));
            Assert.Equal(baseline.Score, results[1].Score);
            Assert.InRange(results[0].Mean, baseline.Score - 10, baseline.Score + 10);
            Assert.InRange(results[0].Interval, 0.1, 20);
        }
    }

    [Theory]
    [InlineData(PairedTestMethod.BootstrapResampling)]
    [InlineData(PairedTestMethod.ApproximateRandomization)]
    public void ABetterSystemIsToldFromAWorse(PairedTestMethod method)
    {
        string[] wanted = [.. Enumerable.Range(0, 60).Select(i => $"a b {i} d e f")];
        string[] good = [.. wanted.Select((line, i) => i % 10 == 0 ? "a x y d e f" : line)], bad = [.. wanted.Select((line, i) => i % 3 == 0 ? "a x y d e f" : line)];
        foreach (var (baseline, system) in Every(bad, wanted).Zip(Every(good, wanted)))
        {
            var options = new PairedTestOptions { Method = method, Samples = 200, ConfidenceSamples = 50 };
            Assert.InRange(PairedTest.Run([baseline, system], options)[1].PValue!.Value, 0, 0.01);
        }
    }

    [Fact]
    public void TheSignatureSaysTheTest()
    {
        const string Metric = "nrefs:1|case:lc|tok:tercom|version:cudaseq-1";
        Assert.Equal("nrefs:1|bs:1000|seed:12345|case:lc|tok:tercom|version:cudaseq-1", new PairedTestOptions().Sign(Metric));
        Assert.Equal("nrefs:1|bs:1000|ar:10000|seed:12345|case:lc|tok:tercom|version:cudaseq-1", Randomization.Sign(Metric));
        Assert.Equal("nrefs:1|bs:7|seed:1|case:lc|tok:tercom|version:cudaseq-1", new PairedTestOptions { Samples = 7, Seed = 1 }.Sign(Metric));
    }

    [Fact]
    public void RefusesWhatCannotBeCompared()
    {
        var one = Bleu.Statistics(["a", "b"], [["a", "b"]]);
        Assert.Equal("PairedTest: must be given two systems or more, got 1.", Message(() => PairedTest.Run([one])));
        Assert.Equal(
            "PairedTest: systems must have the same metric and lines, got BLEU of 2 lines and TER of 2.",
            Message(() => PairedTest.Run([one, Ter.Statistics(["a", "b"], [["a", "b"]])])));
        Assert.Equal("PairedTest: systems must have the same metric and lines, got BLEU of 2 lines and BLEU of 1.", Message(() => PairedTest.Run([one, Bleu.Statistics(["a"], [["a"]])])));
        Assert.Equal("PairedTest: Samples must be at least 1, got 0.", Message(() => PairedTest.Run([one, one], new PairedTestOptions { Samples = 0 })));
        Assert.Equal("PairedTest: ConfidenceSamples must be at least 1, got 0.", Message(() => PairedTest.Run([one, one], new PairedTestOptions { ConfidenceSamples = 0 })));
        Assert.Equal("PairedTest: Seed must be at least 0, got -1.", Message(() => PairedTest.Run([one, one], new PairedTestOptions { Seed = -1 })));
        Assert.Throws<OperationCanceledException>(() => PairedTest.Run([one, one], cancellation: new CancellationToken(canceled: true)));
    }

    private static IEnumerable<CorpusStatistics> Every(string[] hypotheses, string[] references)
    {
        yield return Bleu.Statistics(hypotheses, [references]);
        yield return Chrf.Statistics(hypotheses, [references]);
        yield return Ter.Statistics(hypotheses, [references]);
        yield return Rouge.Statistics(hypotheses, [references]);
        string[] sources = [.. hypotheses.Select(_ => "a x y d e f")];
        yield return Gleu.Statistics(hypotheses, sources, [references, hypotheses], new GleuOptions { Iterations = 4 });
        M2Sentence[] gold = [.. references.Zip(sources, (line, source) => new M2Sentence(source, [[new M2Edit(1, 3, [string.Join(' ', line.Split(' ')[1..3])])]]))];
        yield return MaxMatch.Statistics(hypotheses, gold);
    }

    private static List<CorpusStatistics> Statistics(Func<string[], string[], CorpusStatistics> of)
    {
        string[] reference = Read("reference.de");
        return [.. new[] { "LIUM-NMT.4900", "C-3MA.4959", "FBK.4870" }.Select(system => of(Read($"newstest2017.{system}.en-de.txt"), reference))];

        static string[] Read(string file) => [.. TextFile.ReadLines(TestData.Require($"truth/wmt17-en-de/{file}"), keepByteOrderMark: true)];
    }

    // p is a share of counted samples and must be exactly sacreBLEU's; its means are of sums in float32.
    private static void Equal(
        List<CorpusStatistics> systems, PairedTestOptions options, params (double Score, double Mean, double Interval, double? P)[] expected)
    {
        var results = PairedTest.Run(systems, options);
        Assert.Equal(expected.Length, results.Count);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i].Score, results[i].Score, 1e-11);
            Assert.Equal(expected[i].Mean, results[i].Mean, 1e-5);
            Assert.Equal(expected[i].Interval, results[i].Interval, 1e-5);
            Assert.Equal(expected[i].P, results[i].PValue);
        }
    }

    private static string Message(Action call) => Assert.Throws<ArgumentException>(call).Message;
}
