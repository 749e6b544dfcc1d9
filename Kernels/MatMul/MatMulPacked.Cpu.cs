namespace CudaSeq.Kernels;

internal static unsafe partial class MatMulKernel
{
    // More do not stay in the second-level cache, and are worth packing both sides as they come.
    private const int MostPackedRows = 128;

    // Columns that follow one another have one thread, which fetches the next ahead.
    private const int MostPieces = 32;

    /// <summary>Whether a product of so many rows is faster with panels.</summary>
    internal static bool TakesPanels(int rows) => rows is >= 1 and <= MostPackedRows;

    /// <summary>Columns of the panels for products with n columns: whole vectors.</summary>
    internal static int PanelColumns(CpuDevice cpu, int n)
    {
        int width = cpu.WithVectors<WidthOf, int>(default);
        return checked((n + width - 1) / width * width);
    }

    /// <summary>Packs a transposed B, as <see cref="GemmPack.PackB"/> does, block of k after block of k.</summary>
    /// <param name="cpu">The device.</param>
    /// <param name="n">Columns of the products.</param>
    /// <param name="k">Length of the sums.</param>
    /// <param name="b">[n, k].</param>
    /// <param name="panels">k times as many floats as <see cref="PanelColumns"/> says.</param>
    internal static void PackPanels(CpuDevice cpu, int n, int k, float* b, float* panels)
    {
        if (n > 0 && k > 0)
        {
            int columns = PanelColumns(cpu, n), width = cpu.WithVectors<WidthOf, int>(default);
            cpu.For(columns / width, CpuDevice.Grain(0.5 * width * k), new PanelsBody(GemmProblem.Dense(0, n, k, null, false, b, true, null), panels));
        }
    }

    /// <summary>A product of few rows with what <see cref="PackPanels"/> wrote: every element is one chain in the order of k, as in taller products.</summary>
    /// <param name="cpu">The device.</param>
    /// <param name="problem">The product; A is as it is, K not 0, and B is not looked at.</param>
    /// <param name="panels">Of B.</param>
    internal static void MultiplyPacked(CpuDevice cpu, in GemmProblem problem, float* panels)
    {
        var (height, width, block, firstPanel) = cpu.WithVectors<TileOf, (int, int, int, int)>(new TileOf(problem));
        int strips = (problem.M + height - 1) / height, blocks = (problem.K + block - 1) / block;
        using var scratch = new CallScratch(cpu, (long)strips * height * problem.K * sizeof(float));
        if (firstPanel < strips)
            cpu.For(blocks, CpuDevice.Grain(0.4 * height * block), new RowsBody(problem, strips, scratch.Floats));
        int columns = (problem.N + width - 1) / width;
        double nanoseconds = Math.Max(Nanoseconds(cpu, problem.M, width, problem.K), 0.05 * sizeof(float) * width * problem.K);
        cpu.For(columns, Math.Max(CpuDevice.Grain(nanoseconds), columns / MostPieces), new ColumnsBody(problem, strips, columns, scratch.Floats, panels));
    }

    private readonly struct WidthOf : IVectorFunction<int>
    {
        public int Invoke<TVector>()
            where TVector : struct, IFloatVector<TVector>
            => GemmTile.PanelColumns<TVector>();
    }

    private readonly struct TileOf(in GemmProblem problem) : IVectorFunction<(int Height, int Width, int Block, int FirstPanel)>
    {
        private readonly GemmProblem _problem = problem;

        public (int Height, int Width, int Block, int FirstPanel) Invoke<TVector>()
            where TVector : struct, IFloatVector<TVector>
            => (GemmTile.MaxRows<TVector>(), GemmTile.PanelColumns<TVector>(), Gemm.BlockK<TVector>(_problem.K), GemmPack.FirstPanel<TVector>(_problem));
    }

    // Item = strip of B.
    private readonly struct PanelsBody(in GemmProblem problem, float* panels) : IKernelBody
    {
        private readonly GemmProblem _problem = problem;
        private readonly float* _panels = panels;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int width = GemmTile.PanelColumns<TVector>(), strips = (_problem.N + width - 1) / width, block = Gemm.BlockK<TVector>(_problem.K);
            for (int k = 0; k < _problem.K; k += block)
            {
                int length = Math.Min(block, _problem.K - k);
                GemmPack.PackB<TVector>(_problem, begin, end, k, length, _panels + ((long)strips * width * k) + ((long)begin * width * length));
            }
        }
    }

    // Item = block of k of the last strip of A, the only one that is not read in place.
    private readonly struct RowsBody(in GemmProblem problem, int strips, float* packed) : IKernelBody
    {
        private readonly GemmProblem _problem = problem;
        private readonly int _strips = strips;
        private readonly float* _packed = packed;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int height = GemmTile.MaxRows<TVector>(), block = Gemm.BlockK<TVector>(_problem.K);
            for (int item = begin; item < end; item++)
            {
                int k = item * block, strip = _strips - 1, length = Math.Min(block, _problem.K - k);
                GemmPack.PackA<TVector>(_problem, strip, strip + 1, k, length, _packed + ((long)_strips * height * k) + ((long)strip * height * length));
            }
        }
    }

    private readonly struct ColumnsBody(in GemmProblem problem, int strips, int columns, float* rows, float* panels) : IKernelBody
    {
        private readonly GemmProblem _problem = problem;
        private readonly int _strips = strips;
        private readonly int _columns = columns;
        private readonly float* _rows = rows;
        private readonly float* _panels = panels;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int height = GemmTile.MaxRows<TVector>(), width = GemmTile.PanelColumns<TVector>(), block = Gemm.BlockK<TVector>(_problem.K);
            for (int j = begin; j < end; j++)
            {
                for (int k = 0; k < _problem.K; k += block)
                {
                    int length = Math.Min(block, _problem.K - k);
                    float* panel = _panels + ((long)_columns * width * k) + ((long)j * width * length);
                    Gemm.Block<TVector>(_problem, k, length, _rows + ((long)_strips * height * k), 0, _strips, panel, width, (long)width * length, j, j + 1, j + 1 < _columns ? panel + ((long)width * length) : null);
                }
            }
        }
    }
}
