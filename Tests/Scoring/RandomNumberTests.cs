using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>The generators of Python and of numpy: the expectations are what Python 3.11 and numpy 1.24 draw.</summary>
public sealed class RandomNumberTests
{
    [Theory]
    [InlineData(0u, 4, 0, "3 3 0 2 3 3 2 3 2 1 1 2")]
    [InlineData(101u, 3, 0, "2 0 2 1 1 0 2 2 0 2 0 1")]
    [InlineData(50399u, 4, 688, "1 0 3 2 3 0 1 2 0 0 3 3")]
    public void TheMersenneTwisterDrawsAsPythonsRandintDoes(uint seed, int bound, int skipped, string numbers)
    {
        var random = new MersenneTwister(seed);
        for (int i = 0; i < skipped; i++)
            random.Below(bound);
        Assert.Equal(numbers, string.Join(' ', Enumerable.Range(0, 12).Select(_ => random.Below(bound))));
    }

    [Theory]
    [InlineData(12345, 3004, "2100 682 2369 951 613 2395 1930 2031 2969 1174 2521 999 1704 1797 640")]
    [InlineData(12345678901234, 1000000, "497972 406377 881925 26203 323286 620608")]
    [InlineData(0, 1000, "850 636 511 269 307 40")]
    [InlineData(3, 1500000000, "1217256811 128473750 269161101 355215759 272047180")]
    public void Pcg64DrawsAsNumpysChoiceDoes(long seed, int bound, string numbers)
    {
        var random = new Pcg64(seed);
        Assert.Equal(numbers, string.Join(' ', numbers.Split(' ').Select(_ => random.Below(bound))));
    }

    [Fact]
    public void Pcg64DrawsBitsAsNumpyDoesAndGoesOnBehindThem()
    {
        var random = new Pcg64(12345);
        Assert.Equal("1011100110000011111111110100110110110001", string.Concat(Enumerable.Range(0, 40).Select(_ => random.NextBit() ? "1" : "0")));
        Assert.Equal("5 2 1 5 4 4 6 2 5 2", string.Join(' ', Enumerable.Range(0, 10).Select(_ => random.Below(7))));
        Assert.Equal(0, random.Below(1));
    }
}
