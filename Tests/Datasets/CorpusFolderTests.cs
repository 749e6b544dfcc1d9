using CudaSeq.Models;

namespace CudaSeq.Tests;

public sealed class CorpusFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("train.en train.de val.en val.de test_2016_flickr.en test_2016_flickr.de", "train.de+train.en Train | val.de+val.en Valid | test_2016_flickr.de+test_2016_flickr.en Test")]
    [InlineData("src.train tgt.train src.valid tgt.valid", "src.train+tgt.train Train | src.valid+tgt.valid Valid")]
    [InlineData("train.tgt train.src dev.source dev.target", "train.src+train.tgt Train | dev.source+dev.target Valid")]
    [InlineData("train.txt valid.txt test.txt", "train.txt Train | valid.txt Valid | test.txt Test")]
    [InlineData("input.txt", "input.txt Other")]
    [InlineData("words", "words Other")]
    [InlineData("newstest2014.de newstest2014.en", "newstest2014.de+newstest2014.en Test")]
    [InlineData("dev.src dev.ref0 dev.ref1", "dev.ref0 Valid | dev.ref1 Valid | dev.src Valid")]
    public void PairsAndSplitsAreReadOffNames(string files, string expected)
    {
        foreach (string file in files.Split(' '))
            _folder.File(file, "");
        var found = CorpusFolder.Find(_folder.PathOf(""));
        string told = string.Join(" | ", found.Parts.Select(p => $"{Path.GetFileName(p.Source)}{(p.Target is null ? "" : "+" + Path.GetFileName(p.Target))} {p.Split}"));
        Assert.Equal(
            string.Join(" | ", expected.Split(" | ").Order()),
            string.Join(" | ", told.Split(" | ").Order()));
        Assert.Equal(found.Parts.Select(p => p.Split).Order(), found.Parts.Select(p => p.Split));
    }

    [Fact]
    public void OfMoreThanTwoSidesTwoMustBeChosen()
    {
        foreach (string file in (string[])["dev.src", "dev.ref0", "dev.ref1", "test.src", "test.ref1", "train.a", "train.b"])
            _folder.File(file, "");
        var found = CorpusFolder.Find(_folder.PathOf(""));
        var (name, sides) = Assert.Single(found.Undecided);
        Assert.Equal("dev src,ref0,ref1", $"{name} {string.Join(',', sides)}");
        found = CorpusFolder.Find(_folder.PathOf(""), ("src", "ref1"));
        Assert.Empty(found.Undecided);
        Assert.Equal(["train a-b", "dev src-ref1", "dev.ref0", "test src-ref1"], found.Parts.Select(p => p.Name));
    }

    [Fact]
    public void WhatBelongsTogetherIsOneFamily()
    {
        foreach (string file in (string[])["train.tok.en", "train.tok.de", "val.tok.en", "val.tok.de", "train.en", "train.de", "val.fr", "val.en"])
            _folder.File(file, "");
        var families = CorpusFolder.Find(_folder.PathOf("")).Parts.GroupBy(p => p.Family).Select(g => string.Join('+', g.Select(p => p.Name)));
        Assert.Equal(["train de-en", "train.tok de-en+val.tok de-en", "val en-fr"], families.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void WhatIsNoTextIsNamed()
    {
        foreach (string file in (string[])["train.en", "train.de", ".hidden", "README", "README.md", "LICENSE", "train.en.gz", "codes.json", "train.de.part"])
            _folder.File(file, "");
        var found = CorpusFolder.Find(_folder.PathOf(""));
        Assert.Single(found.Parts);
        Assert.Equal([".hidden", "LICENSE", "README", "README.md", "codes.json", "train.de.part", "train.en.gz"], found.Skipped);
    }

    [Fact]
    public void AFolderThatIsNotThereIsTold()
        => Assert.Equal("no/such: there is no such folder.", Assert.Throws<DirectoryNotFoundException>(() => CorpusFolder.Find("no/such")).Message);
}
