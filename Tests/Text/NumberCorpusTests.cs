using CudaSeq.Models;

namespace CudaSeq.Tests;

public sealed class NumberCorpusTests
{
    [Theory]
    [InlineData(0, "0", "zero")]
    [InlineData(7, "7", "seven")]
    [InlineData(10, "1 0", "ten")]
    [InlineData(19, "1 9", "nineteen")]
    [InlineData(40, "4 0", "forty")]
    [InlineData(85, "8 5", "eighty five")]
    [InlineData(100, "1 0 0", "one hundred")]
    [InlineData(1000, "1 0 0 0", "one thousand")]
    [InlineData(12_003, "1 2 0 0 3", "twelve thousand three")]
    [InlineData(100_000, "1 0 0 0 0 0", "one hundred thousand")]
    [InlineData(123_456, "1 2 3 4 5 6", "one hundred twenty three thousand four hundred fifty six")]
    [InlineData(999_999, "9 9 9 9 9 9", "nine hundred ninety nine thousand nine hundred ninety nine")]
    public void NumbersInDigitsAndWords(int number, string digits, string words)
    {
        Assert.Equal(digits, NumberCorpus.Digits(number));
        Assert.Equal(words, NumberCorpus.Words(number));
    }

    [Fact]
    public void NoTwoNumbersShareTheirWords()
        => Assert.Equal(NumberCorpus.Largest + 1, Enumerable.Range(0, NumberCorpus.Largest + 1).Select(NumberCorpus.Words).Distinct().Count());

    [Fact]
    public void NoPairIsInTwoParts()
    {
        var (train, valid, test) = NumberCorpus.Generate(seed: 1);
        Assert.Equal((50_000, 500, 1000), (train.Count, valid.Count, test.Count));
        var seen = train.ToHashSet();
        Assert.Equal(1500, valid.Concat(test).Distinct().Count());
        Assert.DoesNotContain(valid.Concat(test), seen.Contains);
        Assert.All(train.Concat(valid).Concat(test), pair => Assert.Equal(NumberCorpus.Words(int.Parse(pair.Source.Replace(" ", ""))), pair.Target));
        Assert.Contains(("0", "zero"), train);
    }

    [Fact]
    public void LengthsAreUniform()
    {
        var (train, _, test) = NumberCorpus.Generate(seed: 2);
        var lengths = train.CountBy(pair => pair.Source.Split(' ').Length).ToDictionary();
        Assert.Equal([1, 2, 3, 4, 5, 6], lengths.Keys.Order());
        Assert.All(lengths.Values, count => Assert.InRange(count, 8333, 8334));
        Assert.Equal([1, 9, 90, 300, 300, 300], test.CountBy(pair => pair.Source.Length).OrderBy(p => p.Key).Select(p => p.Value));
    }

    [Fact]
    public void EveryWordOfTheHeldOutPartsIsInTraining()
    {
        var (train, valid, test) = NumberCorpus.Generate(seed: 3, trainPairs: 5000, testPairs: 1000);
        var known = train.SelectMany(pair => pair.Target.Split(' ')).ToHashSet();
        Assert.All(valid.Concat(test), pair => Assert.All(pair.Target.Split(' '), word => Assert.Contains(word, known)));
    }

    [Fact]
    public void TheSeedDecidesTheCorpus()
    {
        var (train, valid, test) = NumberCorpus.Generate(9, 2000, 100);
        var again = NumberCorpus.Generate(9, 2000, 100);
        Assert.Equal(train, again.Train);
        Assert.Equal(valid, again.Valid);
        Assert.Equal(test, again.Test);
        Assert.NotEqual(test, NumberCorpus.Generate(10, 2000, 100).Test);
    }

    [Fact]
    public void TheLargestCorpusStillFits()
    {
        var (_, valid, test) = NumberCorpus.Generate(4, 10, NumberCorpus.MostHeldOutPairs, NumberCorpus.MostHeldOutPairs);
        Assert.Equal(2 * NumberCorpus.MostHeldOutPairs, valid.Concat(test).Distinct().Count());
    }

    [Fact]
    public void RefusesCountsOutsideTheirRange()
    {
        static string Message(Action call) => Assert.Throws<ArgumentOutOfRangeException>(call).Message;
        Assert.Equal("NumberCorpus: trainPairs must be in 1 .. 50000, got 50001.", Message(() => NumberCorpus.Generate(1, 50_001, 1)));
        Assert.Equal("NumberCorpus: testPairs must be in 0 .. 100000, got -1.", Message(() => NumberCorpus.Generate(1, 1, -1)));
        Assert.Equal("NumberCorpus: number must be in 0 .. 999999, got 1000000.", Message(() => NumberCorpus.Words(1_000_000)));
    }
}
