using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Figures of analyses: found in their JSON, compared, and shown.</summary>
public sealed class PaperFigureTests : IDisposable
{
    private static readonly PaperOrigin Here = new("cudaseq analyze lesion", "1.0", "0123456789abcdef", "cpu", "A processor", 2, Busy: false);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("/results/layers/1/last", -0.5)]
    [InlineData("/results/a~1b/m~0n", 7.0)]
    [InlineData("/results//0", 3.0)]
    [InlineData("/results/layers/0/last", null)]
    public void APointerLeadsToANumber(string pointer, double? value)
        => Assert.Equal(value, Assert.Single(PaperFigure.Read([new("f", [pointer])], Json())).Value);

    [Fact]
    public void OfSeveralNumbersTheMeanIsKept()
    {
        var numbers = PaperFigure.Read([new("f", ["/results/layers/1/last", "/results/layers/2/last"]), new("g", ["/results/layers/0/last", "/results/layers/1/last"])], Json());
        Assert.Equal([-0.375, null], numbers.Select(n => n.Value));
    }

    [Theory]
    [InlineData("/results/layers/3/last")]
    [InlineData("/results/layers/-1/last")]
    [InlineData("/results/layers/1")]
    [InlineData("/results/layers/1/first")]
    [InlineData("/results/layers/1/last/0")]
    [InlineData("/analysis")]
    public void WhereThereIsNoNumberIsSaid(string pointer)
    {
        string path = Json();
        Assert.Equal($"{path}: must have a number at {pointer}, for the figure \"f\".", Assert.Throws<InvalidDataException>(() => PaperFigure.Read([new("f", [pointer])], path)).Message);
    }

    [Fact]
    public void VerdictsAreOfTheMeansOverTheSeeds()
    {
        var log = Log(
            new PaperClaim("up") { Ascending = ["low", "middle", "high"] },
            new PaperClaim("not up") { Ascending = ["low", "high", "middle"] },
            new PaperClaim("level is not up") { Ascending = ["low", "low"] },
            new PaperClaim("highest") { Highest = ["high", "low", "middle"] },
            new PaperClaim("not highest") { Highest = ["middle", "low", "high"] },
            new PaperClaim("above") { Above = ["middle", "high"], Bound = 0.2 },
            new PaperClaim("not all above") { Above = ["high", "low"], Bound = 0.2 },
            new PaperClaim("not defined") { Above = ["nothing"], Bound = -1 },
            new PaperClaim("nothing is above what is not defined") { Highest = ["high", "nothing"] },
            new PaperClaim("not run") { Highest = ["later", "low"] });
        Assert.Equal([true, false, false, true, false, true, false, false, false, null], log.Plan.Claims.Select(c => PaperVerdict.Of(c, log).Holds));
        Assert.Equal("low -0.1; middle 0.25; high 0.5", PaperVerdict.Of(log.Plan.Claims[0], log).Figures);
        Assert.Equal("middle 0.25; high 0.5, above 0.2", PaperVerdict.Of(log.Plan.Claims[5], log).Figures);
        Assert.Equal("nothing not defined, above -1", PaperVerdict.Of(log.Plan.Claims[7], log).Figures);
        Assert.Equal("not run: second look", PaperVerdict.Of(log.Plan.Claims[9], log).Figures);
    }

    [Fact]
    public void WhatAPlanCameToAskForElsewhereIsOpen()
    {
        var log = Log(new PaperClaim("up") { Ascending = ["low", "high"] });
        string path = _folder.PathOf("miniature.jsonl");
        log.Save(path);
        var rows = log.Plan.Rows.Select(r => r with { Figures = [.. r.Figures.Select(f => f.Name == "high" ? f with { At = ["/elsewhere"] } : f)] });
        var read = PaperLog.Read(path, log.Plan with { Rows = [.. rows] });
        Assert.Equal(new PaperVerdict(null, "not looked for: high"), PaperVerdict.Of(read.Plan.Claims[0], read));
    }

    [Fact]
    public void ThePageHasThemBesideThePublishedOnes()
    {
        var log = Log(new PaperClaim("up") { Ascending = ["low", "high"] });
        string path = _folder.PathOf("miniature.jsonl");
        log.Save(path);
        string page = PaperPage.Write([PaperLog.Read(path)]);
        Assert.Contains(
            """
            | row | test BLEU | validation nats/token | parameters | in layers | updates | minutes |
            |---|---:|---:|---:|---:|---:|---:|
            | trained | 30.00 |  | 1,234 | 1,000 | 100 | 1.5 |

            BLEU: `nrefs:1`. Seeds: 1, 2; 3 of 6 runs were made so far.

            | analysis | figure | here | published |
            |---|---|---:|---:|
            | look | low | -0.1 ± 0.1414 | about -0.2 |
            | look | middle | 0.25 ± 0 |  |
            | look | high | 0.5 ± 0 |  |
            | look | nothing | not defined |  |
            | second look | later |  |  |

            | what should hold | here | measured |
            |---|---|---|
            | up | holds | low -0.1; high 0.5 |
            """.ReplaceLineEndings("\n"),
            page);
        Assert.Contains("| look | 2 |  | `cudaseq analyze lesion` |", page);
    }

    private static PaperLog Log(params PaperClaim[] claims)
    {
        var plan = new PaperPlan(
            "A paper's table", "Somebody, \"Something\"", "../r.json",
            [
                new("trained"),
                new("look") { Of = "trained", Analyze = ["lesion"], Figures = [new("low", ["/low"]) { Published = "about -0.2" }, new("middle", ["/middle"]), new("high", ["/high", "/higher"]), new("nothing", ["/nothing"])] },
                new("second look") { Of = "trained", Analyze = ["layer-attention"], Figures = [new("later", ["/later"])] },
            ])
        {
            Seeds = [1, 2],
            Claims = claims,
        };
        var log = new PaperLog("miniature", plan);
        var result = new PaperResult("look", 1, Here) { Figures = Found(0), Parameters = 1234, LayerParameters = 1000 };
        log.Add(new PaperResult("trained", 1, Here) { Bleu = 30, Signature = "nrefs:1", Parameters = 1234, LayerParameters = 1000, Updates = 100, Minutes = 1.5 });
        log.Add(result);
        log.Add(result with { Seed = 2, Figures = Found(-0.2) });
        return log;

        IReadOnlyList<PaperNumber> Found(double low) => [new("low", ["/low"]) { Value = low }, new("middle", ["/middle"]) { Value = 0.25 }, new("high", ["/high", "/higher"]) { Value = 0.5 }, new("nothing", ["/nothing"])];
    }

    private string Json() => _folder.File(
        "lesion.json",
        """{ "analysis": "lesion", "results": { "layers": [{ "last": null }, { "last": -0.5 }, { "last": -0.25 }], "a/b": { "m~n": 7 }, "": [3] } }""");
}
