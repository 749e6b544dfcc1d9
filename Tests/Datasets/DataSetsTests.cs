using System.Text.RegularExpressions;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>The catalogue, against itself and against the files.</summary>
public sealed partial class DataSetsTests
{
    public static TheoryData<string> Names => [.. DataSets.All.Select(s => s.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void EveryFileHasAPlaceAChecksumAndAnAddressOfACommit(string name)
    {
        var set = DataSets.Named(name);
        Assert.All([set.What, set.Licence, set.Page], text => Assert.NotEqual("", text));
        Assert.Equal(set.Files.Count, set.Files.Select(f => f.Path).Distinct().Count());
        Assert.Equal(set.Bytes, set.Files.Sum(f => f.Bytes));
        foreach (var file in set.Files)
        {
            Assert.StartsWith(name + "/", file.Path);
            Assert.Matches("^([0-9a-f]{40}|[0-9a-f]{64})$", file.Checksum);
            Assert.Matches(Commit(), file.Source.Url);
            Assert.Equal(file.Source.Packing == DataPacking.TarGzip, file.Parts is not null);
            Assert.Equal(file.Source.Bytes is null, file.Source.Packing == DataPacking.TarGzip);
            if (file.Source.Packing == DataPacking.None)
                Assert.Equal((file.Source.Bytes!.Value, 0L), (file.Bytes, file.Start));
            if (file.Source.Packing == DataPacking.Runs)
                Assert.InRange(file.Start + file.Bytes, file.Bytes, file.Source.Bytes!.Value);
        }
    }

    // One file of one address, or two downloads would share the place where they grow.
    [Fact]
    public void NoTwoAddressesGrowInTheSamePlace()
    {
        var places = DataSets.All.SelectMany(s => s.Files).GroupBy(f => (Path.GetDirectoryName(f.Path), f.Source.FileName));
        Assert.All(places, p => Assert.Single(p.Select(f => f.Source).Distinct()));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void TheFilesAreThoseThatOthersUse(string name)
    {
        TestData.Require(name);
        int compared = 0;
        foreach (var file in DataSets.Named(name).Files.Where(f => File.Exists(Path.Combine(TestData.Root!, f.Path))))
        {
            Assert.Null(DataUnpacking.Fault(file, Path.Combine(TestData.Root!, file.Path), TestContext.Current.CancellationToken));
            compared++;
        }

        Assert.SkipWhen(compared == 0, $"needs a file of {name} as it is published");
    }

    [Fact]
    public void EveryCommittedRecipeFindsItsFilesInTheCatalogue()
    {
        var files = DataSets.All.SelectMany(s => s.Files.Select(f => f.Path).Concat(s.Made.Select(m => m.First)))
            .Concat(SyntheticCorpora.All.SelectMany(c => new[] { "train", "valid", "test" }.SelectMany(part => new[] { $"{c.Name}/{part}.source", $"{c.Name}/{part}.target" }))).ToHashSet();
        foreach (string path in Directory.EnumerateFiles(Repository.File("recipes"), "*.json").Where(f => !f.EndsWith(".schema.json", StringComparison.Ordinal)))
        {
            var data = Recipe.Load(path).Data;
            foreach (var corpus in data.Train!.Select(c => c.Files).Concat(new[] { data.Valid, data.Test }.OfType<CorpusFiles>()))
                Assert.All(corpus.Names, f => Assert.Contains($"{data.Folder}/{f}", files));
        }
    }

    [Theory]
    [InlineData("multi30", "unknown data set multi30, did you mean multi30k?")]
    [InlineData("imagenet", "unknown data set imagenet; the data sets are multi30k, enja, tatoeba, wikitext-2, tinyshakespeare, g2p, jfleg, ua-gec, scitldr.")]
    public void AnUnknownNameIsTold(string name, string message) => Assert.Equal(message, Assert.Throws<ArgumentException>(() => DataSets.Named(name)).Message);

    [GeneratedRegex("^https://(raw\\.githubusercontent\\.com/[^/]+/[^/]+/[0-9a-f]{40}/|github\\.com/[^/]+/[^/]+/archive/[0-9a-f]{40}\\.tar\\.gz$)")]
    private static partial Regex Commit();
}
