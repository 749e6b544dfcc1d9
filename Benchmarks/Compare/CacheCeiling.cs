using CudaSeq.Kernels;

namespace CudaSeq.Benchmarks;

/// <summary>Bandwidth of the caches: each thread reads a piece of its own again and again.</summary>
internal sealed unsafe class CacheCeiling : IDisposable
{
    /// <summary>The largest piece.</summary>
    public const int MostKilobytes = 4096;

    // Of one measurement, by each thread.
    private const long BytesToRead = 1L << 26;
    private const int FloatsOfKilobyte = 256;

    private readonly CpuDevice _cpu;
    private readonly DeviceBuffer _array;

    /// <summary>Reserves the pieces.</summary>
    public CacheCeiling(CpuDevice cpu)
    {
        _cpu = cpu;
        _array = cpu.Rent((long)cpu.Threads * MostKilobytes * FloatsOfKilobyte * sizeof(float));
        new Span<float>(_array.Pointer, cpu.Threads * MostKilobytes * FloatsOfKilobyte).Fill(1);
    }

    /// <summary>GB/s of all threads together.</summary>
    /// <param name="kilobytes">The piece of each thread.</param>
    public double Read(int kilobytes)
    {
        long passes = Math.Max(1, BytesToRead / (kilobytes * 1024L));
        double start = Clock.Wall.Seconds();
        _cpu.For(_cpu.Threads, 1, new Body((float*)_array.Pointer, kilobytes * FloatsOfKilobyte, passes));
        return _cpu.Threads * passes * kilobytes * 1024.0 / (Clock.Wall.Seconds() - start) / 1e9;
    }

    /// <inheritdoc/>
    public void Dispose() => _array.Release();

    private readonly struct Body(float* pieces, int floats, long passes) : IKernelBody
    {
        private readonly float* _pieces = pieces;
        private readonly int _floats = floats;
        private readonly long _passes = passes;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            for (int piece = begin; piece < end; piece++)
            {
                float* from = _pieces + ((long)piece * MostKilobytes * FloatsOfKilobyte);
                TVector s0 = TVector.Zero, s1 = TVector.Zero, s2 = TVector.Zero, s3 = TVector.Zero;
                for (long pass = 0; pass < _passes; pass++)
                {
                    for (int i = 0; i < _floats; i += 4 * TVector.Count)
                    {
                        s0 += TVector.Load(from + i);
                        s1 += TVector.Load(from + i + TVector.Count);
                        s2 += TVector.Load(from + i + (2 * TVector.Count));
                        s3 += TVector.Load(from + i + (3 * TVector.Count));
                    }
                }

                if ((s0 + s1 + s2 + s3).Sum() < 0)
                    throw new InvalidOperationException("A sum of ones cannot be negative.");
            }
        }
    }
}
