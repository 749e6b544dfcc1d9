namespace CudaSeq.Kernels;

internal static unsafe partial class MatMulKernel
{
    /// <summary>
    /// How a large product is cut into tasks. C's longer side is cut into strips that the tasks take several at a time, many first and few at the end, so that all
    /// threads finish together. Every element is one chain in the order of k, wherever the cuts are: results do not depend on the threads, though the cuts do.
    /// </summary>
    private readonly struct SplitPlan
    {
        // The most strips of a coarse task; a block of k of them takes two fifths of a second-level cache. Every strip of the other side is used so often.
        private const int CoarseStrips = 16;

        // Tasks that a thread should find, were all of them coarse. A strip of the other side that is used once waits for memory: two strips, where there are enough.
        private const int ThreadTasks = 4;

        // Floats of the shared side that are packed at a time; they should find room in the last-level cache.
        private const long SharedLimit = 2 << 20;

        private const int PackStrips = 8;

        // Shared strips that a task multiplies with all its own before it goes on: that part of C, too, stays in the second-level cache.
        private const int PartRows = 12;
        private const int PartColumns = 16;

        private SplitPlan(in GemmProblem p, int threads, int height, int width, int blockK, int firstPanel)
        {
            ByRows = p.M >= p.N;
            BlockK = blockK;
            int stripsA = (p.M + height - 1) / height, stripsB = (p.N + width - 1) / width;
            (Strips, SharedStrips) = ByRows ? (stripsA, stripsB) : (stripsB, stripsA);
            var (stripWidth, sharedWidth) = ByRows ? (height, width) : (width, height);
            long cached = CacheSizes.Host.Level2 * 2L / 5 / sizeof(float);
            int most = (int)Math.Clamp(cached / ((long)stripWidth * Math.Max(1, blockK)), 2, CoarseStrips);
            Coarse = Math.Clamp(Strips / (ThreadTasks * threads), Strips >= ThreadTasks * threads / 2 ? Math.Min(2, Strips) : 1, most);
            Fine = Math.Max(1, Coarse / 4);
            CoarseTasks = Strips * 3 / 4 / Coarse;
            Tasks = CoarseTasks + ((Strips - (CoarseTasks * Coarse) + Fine - 1) / Fine);
            long blocks = Math.Max(1, SharedLimit / ((long)SharedStrips * sharedWidth * blockK));
            ChunkK = (int)Math.Min(p.K, blocks * blockK);
            SharedFloats = (long)SharedStrips * sharedWidth * ChunkK;
            long own = cached / ((long)Coarse * stripWidth * blockK);
            OwnK = (int)Math.Min(ChunkK, Math.Max(1, own) * blockK);
            OwnFloats = (long)Coarse * stripWidth * OwnK;
            PartStrips = ByRows ? PartColumns : PartRows;
            PackBegin = ByRows ? 0 : firstPanel;
            PackItems = (SharedStrips - PackBegin + PackStrips - 1) / PackStrips;
            PackFloats = (double)Math.Min(SharedStrips, PackStrips) * sharedWidth * blockK;
        }

        /// <summary>Whether the rows of C are split, so that each task reads rows of A of its own and B is shared.</summary>
        public bool ByRows { get; }

        public int BlockK { get; }

        /// <summary>Length of k between two passes over all tasks, a multiple of the block or all of k.</summary>
        public int ChunkK { get; }

        /// <summary>Length of k over which a task packs its strips at a time, a multiple of the block or all of the chunk.</summary>
        public int OwnK { get; }

        /// <summary>Shared strips of one part of a task's C.</summary>
        public int PartStrips { get; }

        /// <summary>Strips of the side that is split.</summary>
        public int Strips { get; }

        public int SharedStrips { get; }

        public int Coarse { get; }

        public int Fine { get; }

        public int CoarseTasks { get; }

        public int Tasks { get; }

        public long SharedFloats { get; }

        public long OwnFloats { get; }

        /// <summary>The first strip of the shared side that is packed; those before it are read in place.</summary>
        public int PackBegin { get; }

        /// <summary>Parts in which one block of the shared side is packed.</summary>
        public int PackItems { get; }

        public double PackFloats { get; }

        public static SplitPlan Of<TVector>(in GemmProblem p, int threads)
            where TVector : struct, IFloatVector<TVector>
            => new(p, threads, GemmTile.MaxRows<TVector>(), GemmTile.PanelColumns<TVector>(), Gemm.BlockK<TVector>(p.K), GemmPack.FirstPanel<TVector>(p));

        public (int Begin, int End) StripsOf(int task)
        {
            int begin = task < CoarseTasks ? task * Coarse : (CoarseTasks * Coarse) + ((task - CoarseTasks) * Fine);
            return (begin, Math.Min(Strips, begin + (task < CoarseTasks ? Coarse : Fine)));
        }

        public (int Begin, int End) PackStripsOf(int item) => (PackBegin + (item * PackStrips), Math.Min(SharedStrips, PackBegin + ((item + 1) * PackStrips)));
    }

    /// <summary>The tasks of one chunk of k.</summary>
    private readonly struct SplitBody(in GemmProblem problem, in SplitPlan plan, int k, int chunk, float* shared, ThreadScratch scratch) : IKernelBody
    {
        private readonly GemmProblem _problem = problem;
        private readonly SplitPlan _plan = plan;
        private readonly int _k = k;
        private readonly int _chunk = chunk;
        private readonly float* _shared = shared;
        private readonly ThreadScratch _scratch = scratch;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            float* own = _scratch.Claim(out int slice);
            for (int task = begin; task < end; task++)
            {
                var (first, last) = _plan.StripsOf(task);
                for (int k = 0; k < _chunk; k += _plan.OwnK)
                    Compute<TVector>(own, first, last, k, Math.Min(_chunk, k + _plan.OwnK));
            }

            _scratch.Return(slice);
        }

        /// <summary>Packs one part of the shared side.</summary>
        public void Pack<TVector>(int item)
            where TVector : struct, IFloatVector<TVector>
        {
            int k = item / _plan.PackItems * _plan.BlockK, length = Math.Min(_plan.BlockK, _chunk - k);
            var (begin, end) = _plan.PackStripsOf(item % _plan.PackItems);
            if (_plan.ByRows)
                GemmPack.PackB<TVector>(_problem, begin, end, _k + k, length, SharedPanel<TVector>(k, length, begin));
            else
                GemmPack.PackA<TVector>(_problem, begin, end, _k + k, length, SharedPanel<TVector>(k, length, begin));
        }

        // The part of C that strips first .. last - 1 give, k in begin .. end - 1 of the chunk.
        private void Compute<TVector>(float* own, int first, int last, int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int width = GemmTile.PanelColumns<TVector>(), block = _plan.BlockK;
            long step = (long)(last - first) * (_plan.ByRows ? GemmTile.MaxRows<TVector>() : width);
            for (int k = begin; k < end; k += block)
            {
                float* panels = own + (step * (k - begin));
                if (_plan.ByRows)
                    GemmPack.PackA<TVector>(_problem, first, last, _k + k, Math.Min(block, end - k), panels);
                else
                    GemmPack.PackB<TVector>(_problem, first, last, _k + k, Math.Min(block, end - k), panels);
            }

            for (int part = 0; part < _plan.SharedStrips; part += _plan.PartStrips)
            {
                int stop = Math.Min(_plan.SharedStrips, part + _plan.PartStrips);
                for (int k = begin; k < end; k += block)
                {
                    int length = Math.Min(block, end - k);
                    float* mine = own + (step * (k - begin)), shared = SharedPanel<TVector>(k, length, part);
                    if (_plan.ByRows)
                        Gemm.Block<TVector>(_problem, _k + k, length, mine, first, last, shared, width, (long)width * length, part, stop);
                    else
                        Gemm.Block<TVector>(_problem, _k + k, length, shared, part, stop, mine, width, (long)width * length, first, last);
                }
            }
        }

        // The panels of one block of k follow one another.
        private float* SharedPanel<TVector>(int k, int length, int strip)
            where TVector : struct, IFloatVector<TVector>
        {
            int width = _plan.ByRows ? GemmTile.PanelColumns<TVector>() : GemmTile.MaxRows<TVector>();
            return _shared + ((long)_plan.SharedStrips * width * k) + ((long)strip * width * length);
        }
    }

    private readonly struct PackBody(in SplitBody split) : IKernelBody
    {
        private readonly SplitBody _split = split;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            for (int i = begin; i < end; i++)
                _split.Pack<TVector>(i);
        }
    }
}
