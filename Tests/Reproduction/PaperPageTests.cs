using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Tables and verdicts, from figures that are known.</summary>
public sealed class PaperPageTests : IDisposable
{
    private static readonly PaperOrigin Here = new("cudaseq train x.json", "1.0", "0123456789abcdef", "cpu", "A processor", 2, Busy: false);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void VerdictsAreOfTheMeansOverTheSeeds()
    {
        var log = Log(
            new PaperClaim("order") { AtLeast = ["good", "middling"] },
            new PaperClaim("wrong order") { AtLeast = ["middling", "good"] },
            new PaperClaim("nearly") { AtLeast = ["middling", "good"], Margin = 2.5 },
            new PaperClaim("missing") { AtLeast = ["good", "later"] },
            new PaperClaim("failed") { Diverge = ["broken"] },
            new PaperClaim("did not fail") { Diverge = ["broken", "middling"] },
            new PaperClaim("faster") { Faster = ["good", "middling"] },
            new PaperClaim("not compared") { Faster = ["middling", "good"] },
            new PaperClaim("shallow") { Shallow = ["middling"], MostDepth = 2.5 },
            new PaperClaim("too deep") { Shallow = ["middling"], MostDepth = 2.25 },
            new PaperClaim("failures are last") { AtLeast = ["middling", "broken"] },
            new PaperClaim("a failure is never first") { AtLeast = ["broken", "broken"] });
        Assert.Equal([true, false, true, null, true, false, true, null, true, false, true, false], log.Plan.Claims.Select(c => PaperVerdict.Of(c, log).Holds));
        Assert.Equal("good 31.00, middling 29.00", PaperVerdict.Of(log.Plan.Claims[0], log).Figures);
        Assert.Equal("broken loss not finite at update 7 and loss not finite at update 7", PaperVerdict.Of(log.Plan.Claims[4], log).Figures);
        Assert.Equal("good decodes 1.50 and 1.50 times as fast as middling, in turns, median of 3 rounds", PaperVerdict.Of(log.Plan.Claims[6], log).Figures);
        Assert.Equal("middling 2.40 layers, at most 2.5", PaperVerdict.Of(log.Plan.Claims[8], log).Figures);
    }

    [Fact]
    public void AClaimIsOpenUntilEverySeedWasRun()
    {
        var log = Log(new PaperClaim("order") { AtLeast = ["good", "middling"] }, new PaperClaim("faster") { Faster = ["good", "middling"] }, new PaperClaim("failed") { Faster = ["good", "broken"] });
        log = new PaperLog("more", log.Plan with { Seeds = [1, 2, 3] });
        var full = Log([.. log.Plan.Claims]);
        foreach (var result in full.Results)
            log.Add(result);
        foreach (var speed in full.Speeds)
            log.Add(speed);
        log.Add(log.Of("good")[0] with { Seed = 3 });
        Assert.Equal(new PaperVerdict(null, "not run: middling with seed 3"), PaperVerdict.Of(log.Plan.Claims[0], log));
        Assert.Equal(new PaperVerdict(null, "not run: middling with seed 3"), PaperVerdict.Of(log.Plan.Claims[1], log));
        log.Add(log.Of("middling")[0] with { Seed = 3 });
        Assert.Equal(new PaperVerdict(true, "good 30.67, middling 29.00"), PaperVerdict.Of(log.Plan.Claims[0], log));
        Assert.Equal(new PaperVerdict(null, "not compared: good and middling with seed 3"), PaperVerdict.Of(log.Plan.Claims[1], log));
        log.Add(log.Of("broken")[0] with { Seed = 3 });
        Assert.Equal(new PaperVerdict(false, "not compared: broken failed"), PaperVerdict.Of(log.Plan.Claims[2], log));
    }

    [Fact]
    public void AClaimIsJudgedByTheSeedsOfAllItsRows()
    {
        var log = Log(
            new PaperClaim("order") { AtLeast = ["good", "middling"] },
            new PaperClaim("faster") { Faster = ["good", "middling"] },
            new PaperClaim("failed") { Diverge = ["broken"] },
            new PaperClaim("not half as good") { Diverge = ["middling"] },
            new PaperClaim("shallow") { Shallow = ["middling"], MostDepth = 2.4 });
        PaperRow[] rows = [.. log.Plan.Rows.Select(r => r.Name == "good" ? r with { Seeds = [1, 2, 3] } : r)];
        var more = new PaperLog("more", log.Plan with { Rows = rows });
        foreach (var result in log.Results)
            more.Add(result);
        foreach (var speed in log.Speeds)
            more.Add(speed);
        more.Add(log.Of("good")[0] with { Seed = 3, Bleu = 99 });
        Assert.Equal(new PaperVerdict(true, "good 31.00, middling 29.00, seeds 1, 2"), PaperVerdict.Of(more.Plan.Claims[0], more));
        Assert.Equal([true, true, true, false, true], more.Plan.Claims.Select(c => PaperVerdict.Of(c, more).Holds));
        more.Add(log.Of("middling")[0] with { Seed = 3, Depth = 9 });
        Assert.True(PaperVerdict.Of(more.Plan.Claims[4], more).Holds);
        Assert.Contains("Seeds: 1, 2; of \"good\" 1, 2, 3; 8 of 9 runs were made so far.\n", PaperPage.Write([more]));
        rows = [.. rows.Select(r => r.Name == "middling" ? r with { Seeds = [2, 3] } : r)];
        var fewer = new PaperLog("fewer", more.Plan with { Rows = rows });
        foreach (var result in more.Results.Where(r => r.Row != "middling" || r.Seed < 3))
            fewer.Add(result);
        Assert.Equal(new PaperVerdict(null, "not run: middling with seed 3"), PaperVerdict.Of(fewer.Plan.Claims[0], fewer));
        string path = _folder.PathOf("fewer.jsonl");
        fewer.Save(path);
        Assert.Equal(2UL, Assert.Single(PaperLog.Read(path).Of("middling")).Seed);
    }

    [Fact]
    public void RowsHaveFoldersOfTheirOwn()
    {
        static string Problem(params string[] names) => Assert.Single(Assert.Throws<RecipeException>(() => PaperPlan.FromJson(
            $$"""{ "title": "T", "paper": "P", "recipe": "r", "rows": [{{string.Join(", ", names.Select(n => $$"""{ "name": "{{n}}" }"""))}}] }""", "p.json")).Problems);
        Assert.Equal("p.json: rows must have names that make folders of their own, got \"a-b\" of \"a b\" and \"A-b\".", Problem("a b", "A-b"));
        Assert.Equal("p.json: rows must have names that make folders of their own, got no letter or digit in \"α\" and \"+\".", Problem("α", "c", "+"));
    }

    [Fact]
    public void ABarInANameIsNoEndOfACell()
    {
        var plan = new PaperPlan("T", "P", "r", [new("a | b")]);
        var log = new PaperLog("p", plan);
        log.Add(new PaperResult("a | b", 1, Here) { Bleu = 1 });
        Assert.Contains("| a \\| b | 1.00 |", PaperPage.Write([log]));
    }

    [Fact]
    public void ALogIsReadAsItWasWrittenAndForgetsRowsThatThePlanLost()
    {
        var log = Log(new PaperClaim("order") { AtLeast = ["good", "middling"] });
        string path = _folder.PathOf("miniature.jsonl");
        log.Save(path);
        var read = PaperLog.Read(path);
        Assert.Equal(("miniature", log.Plan.ToJson()), (read.Name, read.Plan.ToJson()));
        Assert.Equal(log.Results.OrderBy(r => r.Row).ThenBy(r => r.Seed), read.Results.OrderBy(r => r.Row).ThenBy(r => r.Seed));
        Assert.Equal([1.5, 1.5], read.Speeds.Select(s => s.Ratio));
        read.Save(_folder.PathOf("again.jsonl"));
        Assert.Equal(File.ReadAllText(path), File.ReadAllText(_folder.PathOf("again.jsonl")));
        var fewer = PaperLog.Read(path, log.Plan with { Rows = [.. log.Plan.Rows.Where(r => r.Name != "good")], Claims = [] });
        Assert.Equal(["broken", "middling"], fewer.Results.Select(r => r.Row).Distinct().Order());
        Assert.Empty(fewer.Speeds);
        var oneSeed = PaperLog.Read(path, log.Plan with { Seeds = [1] });
        Assert.Equal(["broken", "good", "middling"], oneSeed.Results.Select(r => r.Row).Order());
        Assert.Equal(1UL, Assert.Single(oneSeed.Speeds).Seed);
    }

    [Theory]
    [InlineData("", "line 1 must be a plan, as cudaseq reproduce writes it.")]
    [InlineData("{\"result\":null}\n", "line 1 must be a plan, as cudaseq reproduce writes it.")]
    [InlineData("{\"plan\":{\"title\":\"T\"}}\n", "must be an object with title, paper, recipe and rows (")]
    [InlineData("{\"plan\":{\"title\":\"T\",\"paper\":\"P\",\"recipe\":\"r\",\"rows\":[{\"name\":\"a\"}]}}\n{\"result\":{\"row\":\"a\"}}\n", "line 2 must be a plan, a result or a speed (")]
    public void ADamagedLogSaysWhere(string text, string message)
        => Assert.Contains(message, Assert.ThrowsAny<Exception>(() => PaperLog.Read(_folder.File("miniature.jsonl", text))).Message);

    [Fact]
    public void ThePageHasATableTheClaimsAndTheRuns()
    {
        var log = Log(new PaperClaim("good is best") { AtLeast = ["good", "middling"] }, new PaperClaim("later too") { AtLeast = ["later", "good"] });
        Directory.CreateDirectory(_folder.PathOf("results/papers"));
        log.Save(_folder.PathOf("results/papers/miniature.jsonl"));
        var (path, page) = Assert.Single(ResultsFolder.Pages(_folder.PathOf("results")));
        Assert.Equal(_folder.PathOf("results/papers.md"), path);
        Assert.Contains("* [A paper's table](#a-papers-table): 1 of 2 claims hold, 1 open\n", page);
        Assert.Contains(
            """
            | row | test BLEU | validation nats/token | parameters | in layers | updates | minutes | decoder layers taken | published |
            |---|---:|---:|---:|---:|---:|---:|---:|---:|
            | good | 31.00 ± 1.41 | 2.100 ± 0.141 | 1,234 | 1,000 | 100 | 1.5 ± 0.0 |  | 28.0 |
            | middling | 29.00 ± 0.00 |  | 1,234 | 1,000 |  |  | 2.40 ± 0.00 |  |
            | broken | loss not finite at update 7 |  | 1,234 | 1,000 | 7 | 0.1 ± 0.0 |  |  |
            | later |  |  |  |  |  |  |  |  |
            """.ReplaceLineEndings("\n"),
            page);
        Assert.Contains("| good is best | holds | good 31.00, middling 29.00 |\n| later too | open | not run: later |\n", page);
        Assert.Contains("| good | 2 | 32.00 | `cudaseq train x.json` | `0123456789` | cpu: A processor, 2 threads |\n", page);
        Assert.Contains("BLEU: `nrefs:1`. Seeds: 1, 2; 6 of 8 runs were made so far.\n", page);
    }

    // Its probabilities sum to less than 1.
    [Fact]
    public void LossesOfHardFusionAreNotShownBesideOthers()
    {
        var log = new PaperLog("p", new PaperPlan("T", "P", "r", [new("plain"), new("fused") { Set = ["model.surface_fusion=hard"] }]));
        foreach (string row in (string[])["plain", "fused"])
            log.Add(new PaperResult(row, 1, Here) { Bleu = 1, ValidationLoss = 2 });
        string page = PaperPage.Write([log]);
        Assert.Contains("| plain | 1.00 | 2.000 |", page);
        Assert.Contains("| fused | 1.00 | not comparable |", page);
    }

    [Fact]
    public void TimesOfABusyMachineAreLeftOut()
    {
        var log = Log(new PaperClaim("good is best") { AtLeast = ["good", "middling"] });
        foreach (var result in log.Results.ToArray())
            log.Add(result with { Origin = Here with { Busy = true } });
        string page = PaperPage.Write([log]);
        Assert.DoesNotContain("minutes", page);
        Assert.Contains("The machine did other work meanwhile", page);
    }

    [Fact]
    public void TheCommittedLogsAreOfTheCommittedPlans()
    {
        string folder = Repository.File("docs/results/papers");
        foreach (string path in Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.jsonl") : [])
        {
            var log = PaperLog.Read(path);
            Assert.Equal(PaperPlan.Load(Repository.File($"recipes/papers/{log.Name}.json")).ToJson(), log.Plan.ToJson());
        }
    }

    private static PaperLog Log(params PaperClaim[] claims)
    {
        var plan = new PaperPlan("A paper's table", "Somebody, \"Something\"", "../r.json", [new("good") { Published = "28.0" }, new("middling") { Of = "good" }, new("broken"), new("later")])
        {
            Seeds = [1, 2],
            Claims = claims,
        };
        var log = new PaperLog("miniature", plan);
        var result = new PaperResult("good", 1, Here) { Bleu = 30, Signature = "nrefs:1", ValidationLoss = 2, Parameters = 1234, LayerParameters = 1000, Updates = 100, Minutes = 1.5 };
        log.Add(result with { Bleu = 99 });
        log.Add(result);
        log.Add(result with { Seed = 2, Bleu = 32, ValidationLoss = 2.2 });
        log.Add(result with { Row = "middling", Bleu = 29, ValidationLoss = null, Updates = 0, Minutes = 0, Depth = 2.4 });
        log.Add(result with { Seed = 2, Row = "middling", Bleu = 29, ValidationLoss = null, Updates = 0, Minutes = 0, Depth = 2.4 });
        log.Add(result with { Seed = 2, Row = "broken", Bleu = null, Signature = null, ValidationLoss = null, Failure = "loss not finite at update 7", Updates = 7, Minutes = 0.1 });
        log.Add(result with { Row = "broken", Bleu = null, Signature = null, ValidationLoss = null, Failure = "loss not finite at update 7", Updates = 7, Minutes = 0.1 });
        log.Add(new PaperSpeed("good", "middling", 1, 20, [2, 2, 2], [3, 2, 8], Here));
        log.Add(new PaperSpeed("good", "middling", 2, 20, [2], [3], Here));
        return log;
    }
}
