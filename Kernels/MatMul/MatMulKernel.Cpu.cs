namespace CudaSeq.Kernels;

internal static unsafe partial class MatMulKernel
{
    // A product worth less runs in one task.
    private const double SerialNanoseconds = 20_000;

    // The products of a batch are single tasks up to this size, and split like a large product beyond.
    private const double BatchNanoseconds = 100_000;

    private static void ForwardCpu(CpuDevice cpu, in MatMulSize size, DeviceSpan a, DeviceSpan b, DeviceSpan c)
    {
        var problem = GemmProblem.Dense(size.M, size.N, size.K, a.Floats, size.TransposeA, b.Floats, size.TransposeB, c.Floats);
        long strideA = (long)size.M * size.K, strideB = size.SharedB ? 0 : (long)size.K * size.N, strideC = size.SharedC ? 0 : (long)size.M * size.N;
        if (size.SharedC && size.Batch == 0)
            FillKernel.Zero(c);
        double nanoseconds = Nanoseconds(cpu, size.M, size.N, size.K);
        if (size.Batch > 1 && !size.SharedC && nanoseconds <= BatchNanoseconds)
        {
            Batch(cpu, problem, size.Batch, strideA, strideB, strideC, CpuDevice.Grain(nanoseconds));
            return;
        }

        for (int i = 0; i < size.Batch; i++)
        {
            Multiply(cpu, problem);
            problem.A += strideA;
            problem.B += strideB;
            problem.C += strideC;
            problem.Accumulate = size.SharedC;
        }
    }

    /// <summary>Computes one product on all threads: for the kernels that are a product with something before or after it.</summary>
    internal static void Multiply(CpuDevice cpu, in GemmProblem problem)
    {
        if (problem.M == 0 || problem.N == 0)
            return;
        if (problem.TransposeB && !problem.TransposeA && problem.M <= GemmDots.MaxRows && problem.K > 0)
            Dots(cpu, problem);
        else if (Nanoseconds(cpu, problem.M, problem.N, problem.K) <= SerialNanoseconds)
            Batch(cpu, problem, 1, 0, 0, 0, 1);
        else
            Split(cpu, problem);
    }

    private static double Nanoseconds(CpuDevice cpu, int m, int n, int k)
    {
        double multiplyAdd = cpu.Tier switch
        {
            InstructionTier.Avx512 => 0.01,
            InstructionTier.Avx2 => 0.02,
            InstructionTier.Vector128 => 0.05,
            _ => 0.4,
        };
        return multiplyAdd * m * n * k;
    }

    private static void Dots(CpuDevice cpu, in GemmProblem problem)
    {
        int blocks = (problem.N + GemmDots.Columns - 1) / GemmDots.Columns;
        // A block costs its arithmetic or reading its rows of B, whichever is more.
        double nanoseconds = Math.Max(1.5 * Nanoseconds(cpu, problem.M, GemmDots.Columns, problem.K), 0.1 * sizeof(float) * GemmDots.Columns * problem.K);
        cpu.For(blocks, Math.Max(CpuDevice.Grain(nanoseconds), blocks / MostPieces), new DotsBody(problem));
    }

    private static void Batch(CpuDevice cpu, in GemmProblem problem, int batch, long strideA, long strideB, long strideC, int grain)
    {
        using var scratch = new ThreadScratch(cpu, Gemm.Workspace(problem.M, problem.N, problem.K) * sizeof(float));
        cpu.For(batch, grain, new BatchBody(problem, strideA, strideB, strideC, scratch));
    }

    // The longer of M and N is split among the tasks, which pack their own strips; the strips of the shorter are packed once for all.
    private static void Split(CpuDevice cpu, in GemmProblem problem)
    {
        var plan = cpu.WithVectors<PlanOf, SplitPlan>(new PlanOf(problem, cpu.Threads));
        using var shared = new CallScratch(cpu, plan.SharedFloats * sizeof(float));
        using var scratch = new ThreadScratch(cpu, plan.OwnFloats * sizeof(float));
        for (int k = 0; k < problem.K; k += plan.ChunkK)
        {
            int chunk = Math.Min(plan.ChunkK, problem.K - k), blocks = (chunk + plan.BlockK - 1) / plan.BlockK;
            var body = new SplitBody(problem, plan, k, chunk, shared.Floats, scratch);
            // Packing moves its data twice and waits for memory: about 0.4 ns a float.
            cpu.For(blocks * plan.PackItems, CpuDevice.Grain(0.4 * plan.PackFloats), new PackBody(body));
            cpu.For(plan.Tasks, CpuDevice.Grain(Nanoseconds(cpu, problem.M, problem.N, chunk) / plan.Tasks), body);
        }
    }

    private readonly struct PlanOf(in GemmProblem problem, int threads) : IVectorFunction<SplitPlan>
    {
        private readonly GemmProblem _problem = problem;
        private readonly int _threads = threads;

        public SplitPlan Invoke<TVector>()
            where TVector : struct, IFloatVector<TVector>
            => SplitPlan.Of<TVector>(_problem, _threads);
    }

    private readonly struct DotsBody(in GemmProblem problem) : IKernelBody
    {
        private readonly GemmProblem _problem = problem;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            for (int i = begin; i < end; i++)
                GemmDots.Multiply<TVector>(_problem, i * GemmDots.Columns, Math.Min(_problem.N, (i + 1) * GemmDots.Columns));
        }
    }

    private readonly struct BatchBody(in GemmProblem problem, long strideA, long strideB, long strideC, ThreadScratch scratch) : IKernelBody
    {
        private readonly GemmProblem _problem = problem;
        private readonly long _strideA = strideA;
        private readonly long _strideB = strideB;
        private readonly long _strideC = strideC;
        private readonly ThreadScratch _scratch = scratch;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            float* workspace = _scratch.Claim(out int slice);
            for (int i = begin; i < end; i++)
            {
                var problem = _problem;
                problem.A += i * _strideA;
                problem.B += i * _strideB;
                problem.C += i * _strideC;
                Gemm.Serial<TVector>(problem, workspace);
            }

            _scratch.Return(slice);
        }
    }
}
