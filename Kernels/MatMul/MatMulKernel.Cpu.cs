namespace CudaSeq.Kernels;

internal static unsafe partial class MatMulKernel
{
    // A task of a large product: at most this many strips of A and of B, a block of C that stays in the second-level cache while k runs.
    private const int TaskStripsA = 12;
    private const int TaskStripsB = 16;

    // Tasks to aim at, so that any number of threads is evenly loaded, and what a task is worth at least.
    private const int TasksWanted = 64;
    private const double TaskNanoseconds = 30_000;

    // Below this many multiply-adds a product runs in one task: about 20 microseconds.
    private const double SerialWork = 400_000;

    private static void ForwardCpu(CpuDevice cpu, in MatMulSize size, DeviceSpan a, DeviceSpan b, DeviceSpan c)
    {
        var problem = GemmProblem.Dense(size.M, size.N, size.K, a.Floats, size.TransposeA, b.Floats, size.TransposeB, c.Floats);
        long strideA = (long)size.M * size.K, strideB = size.SharedB ? 0 : (long)size.K * size.N, strideC = size.SharedC ? 0 : (long)size.M * size.N;
        double work = (double)size.M * size.N * size.K;
        if (size.Batch > 1 && !size.SharedC && work <= SerialWork * 16)
        {
            int grain = CpuDevice.Grain(NanosecondsPerMultiplyAdd(cpu) * work);
            cpu.For(size.Batch, grain, new BatchBody(cpu, problem, strideA, strideB, strideC));
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

    /// <summary>Computes one product on all threads: for the kernels that are one product with something before or after it.</summary>
    internal static void Multiply(CpuDevice cpu, in GemmProblem problem)
    {
        if (problem.M == 0 || problem.N == 0)
            return;
        double work = (double)problem.M * problem.N * problem.K;
        if (work <= SerialWork)
        {
            cpu.For(1, 1, new BatchBody(cpu, problem, 0, 0, 0));
            return;
        }

        var (height, width) = TileOf(cpu);
        int stripsA = (problem.M + height - 1) / height, stripsB = (problem.N + width - 1) / width;
        var packed = cpu.Rent((((long)stripsA * height) + ((long)stripsB * width)) * problem.K * sizeof(float));
        try
        {
            float* a = (float*)packed.Pointer, b = a + ((long)stripsA * height * problem.K);
            cpu.For(stripsA + stripsB, CpuDevice.Grain(0.3 * width * problem.K), new PackBody(problem, a, b, stripsA));
            double nanoseconds = NanosecondsPerMultiplyAdd(cpu) * problem.K * height * width;
            var (taskA, taskB) = Task(stripsA, stripsB, nanoseconds);
            int tasksA = (stripsA + taskA - 1) / taskA, tasksB = (stripsB + taskB - 1) / taskB;
            cpu.For(tasksA * tasksB, CpuDevice.Grain(nanoseconds * taskA * taskB), new BlockBody(problem, a, b, stripsA, stripsB, taskA, taskB));
        }
        finally
        {
            packed.Release();
        }
    }

    private static double NanosecondsPerMultiplyAdd(CpuDevice cpu) => cpu.Tier switch
    {
        InstructionTier.Avx512 => 0.012,
        InstructionTier.Avx2 => 0.025,
        InstructionTier.Vector128 => 0.08,
        _ => 0.5,
    };

    private static (int Height, int Width) TileOf(CpuDevice cpu) => cpu.Tier switch
    {
        InstructionTier.Avx512 => (GemmTile.MaxRows<Float512>(), GemmTile.PanelColumns<Float512>()),
        InstructionTier.Avx2 => (GemmTile.MaxRows<Float256>(), GemmTile.PanelColumns<Float256>()),
        InstructionTier.Vector128 => (GemmTile.MaxRows<Float128>(), GemmTile.PanelColumns<Float128>()),
        _ => (GemmTile.MaxRows<Float1>(), GemmTile.PanelColumns<Float1>()),
    };

    // Depends on the sizes alone. Even parts: a last task with little to do leaves a thread waiting.
    private static (int A, int B) Task(int stripsA, int stripsB, double nanosecondsPerTile)
    {
        int a = Math.Min(stripsA, TaskStripsA), b = Math.Min(stripsB, TaskStripsB);
        while ((long)((stripsA + a - 1) / a) * ((stripsB + b - 1) / b) < TasksWanted && nanosecondsPerTile * a * b >= 2 * TaskNanoseconds && a * b > 1)
        {
            if (a >= b)
                a = (a + 1) / 2;
            else
                b = (b + 1) / 2;
        }

        int tasksA = (stripsA + a - 1) / a, tasksB = (stripsB + b - 1) / b;
        return ((stripsA + tasksA - 1) / tasksA, (stripsB + tasksB - 1) / tasksB);
    }

    private readonly struct PackBody(in GemmProblem problem, float* a, float* b, int stripsA) : IKernelBody
    {
        private readonly GemmProblem _problem = problem;
        private readonly float* _a = a;
        private readonly float* _b = b;
        private readonly int _stripsA = stripsA;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            for (int i = begin; i < end; i++)
            {
                if (i < _stripsA)
                    Gemm.PackA<TVector>(_problem, i, _a + ((long)i * GemmTile.MaxRows<TVector>() * _problem.K));
                else
                    Gemm.PackB<TVector>(_problem, i - _stripsA, _b + ((long)(i - _stripsA) * GemmTile.PanelColumns<TVector>() * _problem.K));
            }
        }
    }

    // Neighbouring tasks share their strips of B, which then stay in the caches.
    private readonly struct BlockBody(in GemmProblem problem, float* a, float* b, int stripsA, int stripsB, int taskA, int taskB) : IKernelBody
    {
        private readonly GemmProblem _problem = problem;
        private readonly float* _a = a;
        private readonly float* _b = b;
        private readonly int _stripsA = stripsA;
        private readonly int _stripsB = stripsB;
        private readonly int _taskA = taskA;
        private readonly int _taskB = taskB;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int tasksA = (_stripsA + _taskA - 1) / _taskA;
            for (int task = begin; task < end; task++)
            {
                int a = task % tasksA * _taskA, b = task / tasksA * _taskB;
                Gemm.Block<TVector>(_problem, _a, a, Math.Min(a + _taskA, _stripsA), _b, false, b, Math.Min(b + _taskB, _stripsB));
            }
        }
    }

    private readonly struct BatchBody(CpuDevice cpu, in GemmProblem problem, long strideA, long strideB, long strideC) : IKernelBody
    {
        private readonly CpuDevice _cpu = cpu;
        private readonly GemmProblem _problem = problem;
        private readonly long _strideA = strideA;
        private readonly long _strideB = strideB;
        private readonly long _strideC = strideC;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            var workspace = _cpu.Rent(Gemm.Workspace(_problem.M, _problem.N, _problem.K) * sizeof(float));
            try
            {
                for (int i = begin; i < end; i++)
                {
                    var problem = _problem;
                    problem.A += i * _strideA;
                    problem.B += i * _strideB;
                    problem.C += i * _strideC;
                    Gemm.Serial<TVector>(problem, (float*)workspace.Pointer);
                }
            }
            finally
            {
                workspace.Release();
            }
        }
    }
}
