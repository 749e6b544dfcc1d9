using CudaSeq.Kernels;

namespace CudaSeq.Benchmarks;

/// <summary>Memory bandwidth on all threads, measured over three arrays larger than the caches.</summary>
public sealed unsafe class MemoryCeiling : IDisposable
{
    private const int ChunkFloats = 256 * 1024;
    private const int Chunks = 64;
    private const long Bytes = (long)ChunkFloats * Chunks * sizeof(float);

    private readonly CpuDevice _cpu;
    private readonly Clock _clock;
    private DeviceBuffer[] _arrays = [];

    /// <summary>Reserves nothing yet: the arrays, 64 MB each, are there from the first measurement on.</summary>
    public MemoryCeiling(CpuDevice cpu, Clock clock = Clock.Wall)
    {
        _cpu = cpu;
        _clock = clock;
    }

    /// <summary>GB/s of a = b, reads and writes counted.</summary>
    public double Copy() => Run(Kind.Copy, 2);

    /// <summary>GB/s of the sum of a.</summary>
    public double Read() => Run(Kind.Read, 1);

    /// <summary>GB/s of a = b + 3 c, reads and writes counted.</summary>
    public double Triad() => Run(Kind.Triad, 3);

    /// <summary>Gives the arrays back until they are needed again.</summary>
    public void Dispose()
    {
        foreach (var array in _arrays)
            array.Release();
        _arrays = [];
    }

    private double Run(Kind kind, int arrays)
    {
        if (_arrays.Length == 0)
        {
            _arrays = [_cpu.Rent(Bytes), _cpu.Rent(Bytes), _cpu.Rent(Bytes)];
            foreach (var array in _arrays)
                new Span<float>(array.Pointer, (int)(Bytes / sizeof(float))).Fill(1);
        }

        double start = _clock.Seconds();
        _cpu.For(Chunks, 1, new Body(kind, (float*)_arrays[0].Pointer, (float*)_arrays[1].Pointer, (float*)_arrays[2].Pointer));
        return arrays * Bytes / (_clock.Seconds() - start) / 1e9;
    }

    private enum Kind
    {
        Copy,
        Read,
        Triad,
    }

    private readonly struct Body(Kind kind, float* a, float* b, float* c) : IKernelBody
    {
        private readonly float* _a = a;
        private readonly float* _b = b;
        private readonly float* _c = c;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            long first = (long)begin * ChunkFloats, last = (long)end * ChunkFloats;
            switch (kind)
            {
                case Kind.Copy: Copy<TVector>(first, last); break;
                case Kind.Read: Read<TVector>(first, last); break;
                default: Triad<TVector>(first, last); break;
            }
        }

        private void Copy<TVector>(long first, long last)
            where TVector : struct, IFloatVector<TVector>
        {
            for (long i = first; i < last; i += TVector.Count)
                TVector.Load(_b + i).Store(_a + i);
        }

        private void Read<TVector>(long first, long last)
            where TVector : struct, IFloatVector<TVector>
        {
            TVector s0 = TVector.Zero, s1 = TVector.Zero, s2 = TVector.Zero, s3 = TVector.Zero;
            for (long i = first; i < last; i += 4 * TVector.Count)
            {
                s0 += TVector.Load(_a + i);
                s1 += TVector.Load(_a + i + TVector.Count);
                s2 += TVector.Load(_a + i + (2 * TVector.Count));
                s3 += TVector.Load(_a + i + (3 * TVector.Count));
            }

            s0 += s1;
            s2 += s3;
            if ((s0 + s2).Sum() < 0)
                throw new InvalidOperationException("A sum of ones cannot be negative.");
        }

        private void Triad<TVector>(long first, long last)
            where TVector : struct, IFloatVector<TVector>
        {
            var three = TVector.Broadcast(3);
            for (long i = first; i < last; i += TVector.Count)
                TVector.MultiplyAdd(TVector.Load(_c + i), three, TVector.Load(_b + i)).Store(_a + i);
        }
    }
}
