using System.Runtime.CompilerServices;
using CudaSeq.Kernels;

namespace CudaSeq.Benchmarks;

/// <summary>What this machine can do at most, measured: every speed is reported as a fraction of one of these.</summary>
/// <param name="GigaflopsPerSecond">Fused multiply-adds in registers, two operations each, on all threads of the device with its vectors.</param>
/// <param name="GigabytesPerSecond">Memory read and written by a copy of arrays larger than the caches.</param>
public sealed record Ceilings(double GigaflopsPerSecond, double GigabytesPerSecond)
{
    /// <summary>Measures both, best of a few.</summary>
    public static Ceilings Measure(CpuDevice cpu, Clock clock = Clock.Wall)
    {
        using var memory = new MemoryCeiling(cpu, clock);
        double flops = 0, bytes = 0;
        for (int i = 0; i < 10; i++)
        {
            flops = Math.Max(flops, FmaPeak(cpu, clock, 10));
            bytes = Math.Max(bytes, memory.Copy());
        }

        return new Ceilings(flops, bytes);
    }

    /// <summary>GFLOP/s of a loop of fused multiply-adds that never leaves the registers, on all threads.</summary>
    /// <param name="cpu">Gives the threads and the width of the vectors.</param>
    /// <param name="clock">What counts as time.</param>
    /// <param name="milliseconds">About how long to measure.</param>
    public static double FmaPeak(CpuDevice cpu, Clock clock, double milliseconds)
    {
        // 40 us a chunk on a fast core; many chunks, so that a thread that started late costs little.
        const int Steps = 20_000;
        int chunks = (int)Math.Max(cpu.Threads, milliseconds * 25 * cpu.Threads);
        double start = clock.Seconds();
        cpu.For(chunks, 1, new MultiplyAddBody(Steps));
        double seconds = clock.Seconds() - start;
        int lanes = cpu.Tier switch { InstructionTier.Avx512 => 16, InstructionTier.Avx2 => 8, InstructionTier.Vector128 => 4, _ => 1 };
        return 2.0 * MultiplyAddBody.Chains * lanes * Steps * chunks / seconds / 1e9;
    }

    private readonly struct MultiplyAddBody(int steps) : IKernelBody
    {
        public const int Chains = 12;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            for (int i = begin; i < end; i++)
            {
                if (Loop<TVector>(steps) == 1)
                    throw new InvalidOperationException("The chains of additions cannot give 1.");
            }
        }

        // Twelve chains: more than the latency of an addition times the additions a cycle on any processor.
        [MethodImpl(MethodImplOptions.NoInlining)]
        private static float Loop<TVector>(int steps)
            where TVector : struct, IFloatVector<TVector>
        {
            var x = TVector.Broadcast(1e-3f);
            var y = TVector.Broadcast(1e-3f);
            TVector s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default;
            TVector s6 = default, s7 = default, s8 = default, s9 = default, s10 = default, s11 = default;
            for (; steps > 0; steps--)
            {
                s0 = TVector.MultiplyAdd(x, y, s0);
                s1 = TVector.MultiplyAdd(x, y, s1);
                s2 = TVector.MultiplyAdd(x, y, s2);
                s3 = TVector.MultiplyAdd(x, y, s3);
                s4 = TVector.MultiplyAdd(x, y, s4);
                s5 = TVector.MultiplyAdd(x, y, s5);
                s6 = TVector.MultiplyAdd(x, y, s6);
                s7 = TVector.MultiplyAdd(x, y, s7);
                s8 = TVector.MultiplyAdd(x, y, s8);
                s9 = TVector.MultiplyAdd(x, y, s9);
                s10 = TVector.MultiplyAdd(x, y, s10);
                s11 = TVector.MultiplyAdd(x, y, s11);
            }

            s0 += s1 + s2;
            s3 += s4 + s5;
            s6 += s7 + s8;
            s9 += s10 + s11;
            s0 += s3;
            s6 += s9;
            return (s0 + s6).Sum();
        }
    }
}
