using System.Runtime.CompilerServices;
using CudaSeq.Kernels;

namespace CudaSeq.Tests;

public sealed class InstructionTierTests
{
    // The switches of the runtime that .NET 10 listens to; the suite runs once for each.
    [Fact]
    [Trait("Category", "Op")]
    public unsafe void TheTierThatRunsIsTheOneThisProcessWasAllowed()
    {
        var expected = Off("EnableHWIntrinsic") ? InstructionTier.Scalar
            : Off("EnableAVX2") || Off("EnableAVX") || !Processor("avx2", "fma") ? InstructionTier.Vector128
            : Off("EnableAVX512") || !Processor("avx512f", "avx512bw", "avx512dq", "avx512vl") ? InstructionTier.Avx2
            : InstructionTier.Avx512;
        using var cpu = new CpuDevice(1);
        int lanes = 0;
        cpu.For(1, 1, new Lanes(&lanes));
        Assert.Equal(expected, cpu.Tier);
        Assert.Equal(expected switch { InstructionTier.Scalar => 1, InstructionTier.Vector128 => 4, InstructionTier.Avx2 => 8, _ => 16 }, lanes);

        static bool Off(string name) => Environment.GetEnvironmentVariable($"DOTNET_{name}") is "0";
    }

    [Fact]
    public unsafe void EveryLowerTierCanBeAskedFor()
    {
        foreach (var tier in Enum.GetValues<InstructionTier>())
        {
            if (tier > InstructionTiers.Best)
            {
                string message = Assert.Throws<PlatformNotSupportedException>(() => new CpuDevice(1, tier)).Message;
                Assert.Equal($"CpuDevice: this processor offers {InstructionTiers.Best} at most, got {tier}.", message);
                continue;
            }

            using var cpu = new CpuDevice(1, tier);
            int lanes = 0;
            cpu.For(1, 1, new Lanes(&lanes));
            Assert.Equal(tier switch { InstructionTier.Scalar => 1, InstructionTier.Vector128 => 4, InstructionTier.Avx2 => 8, _ => 16 }, lanes);
        }
    }

    // What the processor has, from outside of the runtime, which shows less when it is told to; elsewhere the runtime is taken at its word.
    private static bool Processor(params string[] flags)
    {
        if (!File.Exists("/proc/cpuinfo"))
            return flags.Contains("avx512f") ? InstructionTiers.Best == InstructionTier.Avx512 : InstructionTiers.Best >= InstructionTier.Avx2;
        string line = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("flags", StringComparison.Ordinal)) ?? "";
        return flags.All(line.Split(' ').Contains);
    }

    private readonly unsafe struct Lanes(int* lanes) : IKernelBody
    {
        private readonly int* _lanes = lanes;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
            => *_lanes = TVector.Count;
    }
}
