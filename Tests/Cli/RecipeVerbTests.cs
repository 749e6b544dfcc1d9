using CudaSeq.Models;

namespace CudaSeq.Tests;

public sealed class RecipeVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ShowsWhatARecipeMeans()
    {
        _folder.File("base.json", """{ "architecture": "transformer", "data": { "train": ["a", "b"], "valid": ["c", "d"] }, "training": { "max_updates": 10, "seed": 5 } }""");
        string path = _folder.File("top.json", """{ "base": "base.json", "model": { "dropout": 0.25 } }""");
        var run = Tool.Run("recipe", "show", path, "--set", "training.seed=7", "decoding.beam=2");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var shown = Recipe.Parse(run.Out);
        Assert.Equal(("top", 0.25f, (int?)10, 7UL, 2), (shown.Name, shown.Model.Dropout, shown.Training.MaxUpdates, shown.Training.Seed, shown.Decoding.Beam));
        Assert.Equal(run.Out, shown.ToJson());

        // What is shown stands alone.
        string alone = _folder.File("alone.json", run.Out);
        File.Delete(_folder.PathOf("base.json"));
        Assert.Equal(run.Out, Tool.Run("recipe", "show", alone).Out);
    }

    [Fact]
    public void TenMistakesAreTenLines()
    {
        string path = _folder.File(
            "wrong.json",
            """
            {
              "architecture": "mlp", "extra": 1,
              "model": { "model_width": "wide", "dropout": 2, "heads": 4 },
              "data": { "train": ["a"], "valid": ["c", "d"], "tokenizer": "spm" },
              "training": { "max_updates": 0, "seed": -1, "schedul": "cosine" }
            }
            """);
        var run = Tool.Run("recipe", "show", path);
        Assert.Equal((2, ""), (run.ExitCode, run.Out));
        Assert.Equal(10, run.Error.TrimEnd().Split('\n').Length);
    }

    [Fact]
    public void AnotherKindOfFileIsCalledByItsName()
    {
        string path = _folder.File("tables.json", """{ "title": "t", "recipe": "r.json", "rows": [], "claims": [] }""");
        Assert.Equal(new ToolRun(2, "", $"{path}: must be a recipe, is the plan of a table, which cudaseq reproduce tables makes.\n"), Tool.Run("recipe", "show", path));
    }

    [Fact]
    public void PrintsTheSchema() => Assert.Equal(new ToolRun(0, RecipeSchema.ToJson(), ""), Tool.Run("recipe", "schema"));
}
