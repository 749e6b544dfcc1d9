using CudaSeq.Kernels;

namespace CudaSeq.Tests;

public sealed class PhiloxTests
{
    // tests/kat_vectors of Random123 (github.com/DEShawResearch/random123), the three lines "philox4x32 10": four words of counter, two of key, the four expected.
    [Theory]
    [InlineData(0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8)]
    [InlineData(0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd)]
    [InlineData(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1)]
    public void GivesTheKnownAnswers(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, uint x, uint y, uint z, uint w)
    {
        var key = new PhiloxKey(((ulong)k1 << 32) | k0, ((ulong)c3 << 32) | c2);
        ulong counter = ((ulong)c1 << 32) | c0;
        Assert.Equal((x, y, z, w), Philox.Block(key, counter));
    }

    [Fact]
    public void ElementsAreTheWordsOfTheirCounterInOrder()
    {
        var key = new PhiloxKey(1234567890123456789, 42);
        for (ulong i = 0; i < 40; i++)
        {
            var (x, y, z, w) = Philox.Block(key, i / 4);
            Assert.Equal(((uint[])[x, y, z, w])[i % 4], Philox.Word(key, i));
        }
    }

    // A factor shows one bit of a word: below the threshold or not. Thresholds at a word and one above it pin the word itself.
    [Fact]
    public void EveryTierMakesTheVeryWordsOfTheScalarCode()
    {
        var random = new Random(3);
        foreach (var tier in Enum.GetValues<InstructionTier>().Where(t => t <= InstructionTiers.Best))
        {
            using var cpu = new CpuDevice(1, tier, guards: true);
            for (int round = 0; round < 300; round++)
            {
                var key = new PhiloxKey((ulong)random.NextInt64(), (ulong)random.NextInt64());
                // Starts off the grid of four, and beside the wrap of a counter's low half.
                ulong first = round % 3 == 0 ? (ulong)random.Next(100) : round % 3 == 1 ? (4UL << 32) - (ulong)random.Next(300) : (ulong)random.NextInt64() >> 2;
                int count = random.Next(200);
                uint threshold = count == 0 || round % 2 == 0 ? (uint)random.NextInt64(1L << 32) : Philox.Word(key, first + (ulong)random.Next(count)) + (uint)(round / 2 % 2);
                var got = Factors(cpu, key, first, count, threshold);
                for (int i = 0; i < count; i++)
                    Assert.Equal(Philox.Word(key, first + (ulong)i) < threshold ? 0 : 1.25f, got[i]);
            }
        }
    }

    [Fact]
    public void TheThresholdIsTheProbability()
    {
        Assert.Equal(0u, Philox.DropThreshold(0));
        Assert.Equal(1u << 31, Philox.DropThreshold(0.5f));
        Assert.Equal(429496736u, Philox.DropThreshold(0.1f));
        Assert.Equal(uint.MaxValue, Philox.DropThreshold(1));
    }

    // A chi-squared test of the words' top and bottom bytes; 255 degrees of freedom, so 400 is beyond six standard deviations.
    [Fact]
    public void WordsAreUniform()
    {
        var key = new PhiloxKey(9, 9);
        int[] top = new int[256], bottom = new int[256];
        const int N = 1 << 18;
        for (ulong i = 0; i < N; i++)
        {
            uint word = Philox.Word(key, i);
            top[word >> 24]++;
            bottom[word & 255]++;
        }

        Assert.InRange(top.Sum(n => (n - (N / 256.0)) * (n - (N / 256.0)) / (N / 256.0)), 130, 400);
        Assert.InRange(bottom.Sum(n => (n - (N / 256.0)) * (n - (N / 256.0)) / (N / 256.0)), 130, 400);
    }

    private static unsafe float[] Factors(CpuDevice cpu, PhiloxKey key, ulong first, int count, uint threshold)
    {
        var buffer = cpu.Rent(Math.Max(1, count) * sizeof(float));
        cpu.For(1, 1, new Body(key, first, count, threshold, (float*)buffer.Pointer));
        float[] values = new ReadOnlySpan<float>(buffer.Pointer, count).ToArray();
        buffer.Release();
        return values;
    }

    private readonly unsafe struct Body(PhiloxKey key, ulong first, int count, uint threshold, float* factors) : IKernelBody
    {
        private readonly PhiloxKey _key = key;
        private readonly ulong _first = first;
        private readonly int _count = count;
        private readonly uint _threshold = threshold;
        private readonly float* _factors = factors;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
            => Philox.Factors<TVector>(_key, _first, _factors, _count, _threshold, 1.25f);
    }
}
