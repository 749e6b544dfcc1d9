namespace CudaSeq.Kernels;

internal static unsafe partial class EmbeddingKernel
{
    private const int ChunkElements = 16 * 1024;

    // Columns an owner sums: a frequent word's row is shared by several.
    private const int TileColumns = 256;

    private static void ForwardCpu(CpuDevice cpu, in EmbeddingSize size, DeviceSpan table, DeviceSpan ids, DeviceSpan y)
        => cpu.For(size.N, Math.Max(1, ChunkElements / Math.Max(1, size.C)), new ForwardBody(size, table.Floats, ids.Ints, y.Floats));

    private static void BackwardCpu(CpuDevice cpu, in EmbeddingSize size, DeviceSpan ids, DeviceSpan dy, DeviceSpan dtable)
    {
        using var buckets = new IndexBuckets(cpu, ids.Ints, size.N, size.V);
        int tiles = (size.C + TileColumns - 1) / TileColumns;
        int grain = Math.Max(1, ChunkElements / Math.Max(1, Math.Min(size.C, TileColumns)));
        // Few rows means many ids a row.
        grain = Math.Max(1, Math.Min(grain, (int)((long)grain * size.V / Math.Max(1, size.N))));
        cpu.For(checked(size.V * tiles), grain, new BackwardBody(size, tiles, buckets, dy.Floats, dtable.Floats));
    }

    private readonly struct ForwardBody(EmbeddingSize size, float* table, int* ids, float* y) : IKernelBody
    {
        private readonly EmbeddingSize _size = size;
        private readonly float* _table = table;
        private readonly int* _ids = ids;
        private readonly float* _y = y;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int channels = _size.C;
            var scale = TVector.Broadcast(_size.Scale);
            for (long n = begin; n < end; n++)
            {
                float* row = _table + ((long)_ids[n] * channels), y = _y + (n * channels);
                int c = 0;
                for (; c <= channels - TVector.Count; c += TVector.Count)
                    (TVector.Load(row + c) * scale).Store(y + c);
                if (c < channels)
                    (TVector.LoadPartial(row + c, channels - c) * scale).StorePartial(y + c, channels - c);
            }
        }
    }

    private readonly struct BackwardBody(EmbeddingSize size, int tiles, IndexBuckets buckets, float* dy, float* dtable) : IKernelBody
    {
        private readonly EmbeddingSize _size = size;
        private readonly int _tiles = tiles;
        private readonly IndexBuckets _buckets = buckets;
        private readonly float* _dy = dy;
        private readonly float* _dtable = dtable;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            var scale = TVector.Broadcast(_size.Scale);
            for (int item = begin; item < end; item++)
            {
                int v = item / _tiles, column = item % _tiles * TileColumns, columns = Math.Min(TileColumns, _size.C - column);
                int first = _buckets.Starts[v], last = v == _size.PaddingIndex ? first : _buckets.Starts[v + 1];
                float* dtable = _dtable + ((long)v * _size.C) + column, dy = _dy + column;
                int c = 0;
                for (; c <= columns - TVector.Count; c += TVector.Count)
                {
                    var sum = TVector.Zero;
                    for (int i = first; i < last; i++)
                        sum += TVector.Load(dy + ((long)_buckets.Positions[i] * _size.C) + c);
                    (sum * scale).Store(dtable + c);
                }

                int rest = columns - c;
                if (rest > 0)
                {
                    var sum = TVector.Zero;
                    for (int i = first; i < last; i++)
                        sum += TVector.LoadPartial(dy + ((long)_buckets.Positions[i] * _size.C) + c, rest);
                    (sum * scale).StorePartial(dtable + c, rest);
                }
            }
        }
    }
}
