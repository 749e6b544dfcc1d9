using CudaSeq.Cli;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Plans of tables: what is wrong with them is said, and those that are committed are sound.</summary>
public sealed class PaperPlanTests
{
    public static TheoryData<string> Committed => [.. Directory.EnumerateFiles(Repository.File("recipes/papers"), "*.json").Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Committed))]
    public void CommittedPlansAndTheRecipesOfTheirRowsAreSound(string file)
    {
        string path = Repository.File($"recipes/papers/{file}");
        var plan = PaperPlan.Load(path);
        foreach (var row in plan.Rows.Where(r => r.Of is null))
            Recipe.Load(Path.Combine(Path.GetDirectoryName(path)!, plan.Recipe), [.. row.Set, .. row.From is null ? Array.Empty<string>() : ["training.initialize_from=x"], .. row.Teacher is null ? Array.Empty<string>() : ["training.teacher=x"]]);
        foreach (var row in plan.Rows.Where(r => r.Analyze.Count > 0))
            CommandLine.Parsed(new AnalysisVerb(Analyses.Of(row.Analyze[0])), ["--model", "x", "--out", "y", .. row.Analyze.Skip(1)]);
        Assert.NotEmpty(plan.Claims);
        Assert.Equal(plan.ToJson(), PaperPlan.FromJson(plan.ToJson(), file).ToJson());
    }

    [Fact]
    public void EveryProblemIsALine()
    {
        var error = Assert.Throws<RecipeException>(() => PaperPlan.FromJson(
            """
            {
              "title": "T", "paper": "P", "recipe": "r.json", "seeds": [1, 1], "rounds": 0,
              "rows": [
                { "name": "a", "from": "b" }, { "name": "b" }, { "name": "b" },
                { "name": "c", "of": "b", "set": ["model.dropout=0.1"] }, { "name": "d", "decode": ["--beam", "1"] }, { "name": "e", "of": "c" }
              ],
              "claims": [{ "text": "x", "at_least": ["a", "z"] }, { "text": "y", "faster": ["a"] }, { "text": "w" }, { "text": "v", "at_least": ["a", "b"], "diverge": ["b"] }]
            }
            """,
            "p.json"));
        Assert.Equal(
            [
                "p.json: seeds must be one at least, each once, got [1, 1].",
                "p.json: rounds must be at least 1, got 0.",
                "p.json: row \"a\" needs \"b\", which must be a row above it.",
                "p.json: rows must have names, each once, got \"b\".",
                "p.json: row \"c\" is of \"b\", so set, from, teacher and distilled must be left out.",
                "p.json: row \"d\" must name with of what it decodes.",
                "p.json: row \"e\" must be of a row that is trained, got \"c\".",
                "p.json: claim \"x\" must be about rows of the plan, got \"z\".",
                "p.json: claim \"y\" must have one of at_least (two rows or more), faster (two rows), diverge, shallow, ascending, highest (two figures or more) and above.",
                "p.json: claim \"w\" must have one of at_least (two rows or more), faster (two rows), diverge, shallow, ascending, highest (two figures or more) and above.",
                "p.json: claim \"v\" must have one of at_least (two rows or more), faster (two rows), diverge, shallow, ascending, highest (two figures or more) and above.",
            ],
            error.Problems);
    }

    [Fact]
    public void ARowsOwnSeedsAreOfTheRowsThatItNeedsToo()
    {
        var error = Assert.Throws<RecipeException>(() => PaperPlan.FromJson(
            """
            {
              "title": "T", "paper": "P", "recipe": "r.json", "seeds": [1, 2],
              "rows": [
                { "name": "a", "seeds": [1, 2, 3] }, { "name": "b", "of": "a", "seeds": [3, 4] }, { "name": "c", "seeds": [] }, { "name": "d", "seeds": [5, 5] }, { "name": "e", "from": "b" }
              ],
              "claims": [{ "text": "x", "at_least": ["a", "b"] }, { "text": "y", "at_least": ["a", "d"] }]
            }
            """,
            "p.json"));
        Assert.Equal(
            [
                "p.json: row \"b\" must have no seed that \"a\" lacks, which it needs; got 4.",
                "p.json: seeds of row \"c\" must be one at least, each once, got [].",
                "p.json: seeds of row \"d\" must be one at least, each once, got [5, 5].",
                "p.json: row \"e\" must have no seed that \"b\" lacks, which it needs; got 1, 2.",
                "p.json: claim \"y\" must be about rows that have a seed in common.",
            ],
            error.Problems);
    }

    [Fact]
    public void EveryProblemOfAnAnalysisIsALine()
    {
        var error = Assert.Throws<RecipeException>(() => PaperPlan.FromJson(
            """
            {
              "title": "T", "paper": "P", "recipe": "r.json",
              "rows": [
                { "name": "a" },
                { "name": "b", "of": "a", "analyze": ["layer-attention"] },
                { "name": "c", "analyze": ["lesions"], "figures": [{ "name": "f", "at": ["/x"] }, { "name": "f", "at": ["x", "/y"] }] },
                { "name": "d", "of": "b", "analyze": ["lesion"], "decode": ["--beam", "1"], "figures": [{ "name": "g", "at": [] }] }
              ],
              "claims": [{ "text": "x", "ascending": ["f", "h"] }, { "text": "y", "highest": ["f"] }, { "text": "z", "at_least": ["a", "d"] }, { "text": "w", "above": ["f"], "diverge": ["a"] }]
            }
            """,
            "p.json"));
        Assert.Equal(
            [
                "p.json: row \"d\" must be of a row that is trained, got \"b\".",
                "p.json: row \"b\" must have both analyze and figures, or neither.",
                "p.json: row \"c\" must name with of what it analyses, and have no decode.",
                $"p.json: row \"c\" must begin analyze with the name of an analysis, got \"lesions\"; they are {string.Join(", ", Analyses.All.Select(a => a.Name))}.",
                "p.json: figure \"f\" must have with at JSON pointers, which begin with /, got [x, /y].",
                "p.json: row \"d\" must name with of what it analyses, and have no decode.",
                "p.json: figure \"g\" must have with at JSON pointers, which begin with /, got [].",
                "p.json: figures must have names, each once, got \"f\".",
                "p.json: claim \"x\" must be about figures of the plan, got \"h\".",
                "p.json: claim \"y\" must have one of at_least (two rows or more), faster (two rows), diverge, shallow, ascending, highest (two figures or more) and above.",
                "p.json: claim \"z\" must be about rows that have scores, \"d\" is an analysis.",
                "p.json: claim \"w\" must have one of at_least (two rows or more), faster (two rows), diverge, shallow, ascending, highest (two figures or more) and above.",
            ],
            error.Problems);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{")]
    [InlineData("""{ "title": "T", "paper": "P", "recipe": "r.json" }""")]
    [InlineData("""{ "title": "T", "paper": "P", "recipe": "r.json", "rows": [{ "name": "a" }], "row": 1 }""")]
    public void WhatIsNoPlanIsRefusedInALine(string json)
        => Assert.StartsWith("p.json: must be an object with title, paper, recipe and rows", Assert.Single(Assert.Throws<RecipeException>(() => PaperPlan.FromJson(json, "p.json")).Problems));
}
