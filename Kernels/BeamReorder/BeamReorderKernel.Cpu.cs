namespace CudaSeq.Kernels;

internal static unsafe partial class BeamReorderKernel
{
    // Elements of a row that are moved together: 16 KB, so that a beam's stay near.
    private const int ChunkElements = 4096;

    private static void ForwardCpu(CpuDevice cpu, BeamReorderSize size, DeviceSpan x, DeviceSpan parents, DeviceSpan? counts)
    {
        int row = checked(size.S * size.C), chunks = (row + ChunkElements - 1) / ChunkElements;
        using var scratch = new ThreadScratch(cpu, (long)size.Beam * ChunkElements * sizeof(float));
        var body = new Body(scratch, size, row, chunks, x.Floats, parents.Ints, counts.IntsOrNull());
        cpu.For(checked(size.N / size.Beam * chunks), CpuDevice.Grain(0.5 * size.Beam * Math.Min(row, ChunkElements)), body);
    }

    // Item = (beam, chunk of its rows): the rows that others go on from are set aside before any is written.
    private readonly struct Body(ThreadScratch scratch, BeamReorderSize size, int row, int chunks, float* x, int* parents, int* counts) : IKernelBody
    {
        private readonly ThreadScratch _scratch = scratch;
        private readonly BeamReorderSize _size = size;
        private readonly int _row = row;
        private readonly int _chunks = chunks;
        private readonly float* _x = x;
        private readonly int* _parents = parents;
        private readonly int* _counts = counts;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            float* aside = _scratch.Claim(out int slice);
            for (int item = begin; item < end; item++)
                Move(item / _chunks * _size.Beam, item % _chunks * ChunkElements, aside);
            _scratch.Return(slice);
        }

        private void Move(int first, int start, float* aside)
        {
            for (int i = 0; i < _size.Beam; i++)
            {
                if (Bytes(first + i, start) is > 0 and long bytes && _parents[first + i] != i)
                    Buffer.MemoryCopy(_x + ((long)(first + _parents[first + i]) * _row) + start, aside + (i * ChunkElements), bytes, bytes);
            }

            for (int i = 0; i < _size.Beam; i++)
            {
                if (Bytes(first + i, start) is > 0 and long bytes && _parents[first + i] != i)
                    Buffer.MemoryCopy(aside + (i * ChunkElements), _x + ((long)(first + i) * _row) + start, bytes, bytes);
            }
        }

        private long Bytes(int n, int start)
        {
            long filled = _counts is null ? _row : (long)_counts[n] * _size.C;
            return Math.Min(filled - start, ChunkElements) * sizeof(float);
        }
    }
}
