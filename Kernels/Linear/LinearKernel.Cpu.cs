using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

internal static unsafe partial class LinearKernel
{
    // Rows whose gradients are summed in one go; the sums of the blocks are then added in order, however many threads made them.
    private const int BlockRows = 64;

    private static void ForwardCpu(CpuDevice cpu, in LinearSize size, DeviceSpan x, DeviceSpan weight, DeviceSpan? bias, DeviceSpan? z, DeviceSpan y, DeviceSpan? panels)
    {
        var problem = GemmProblem.Dense(size.N, size.O, size.I, x.Floats, false, weight.Floats, true, y.Floats);
        problem.Epilogue = new Epilogue(1, bias.FloatsOrNull(), size.Activation, z.FloatsOrNull());
        if (panels is { } packed && size.I > 0)
            MatMulKernel.MultiplyPacked(cpu, problem, packed.Floats);
        else
            MatMulKernel.Multiply(cpu, problem);
    }

    private static void BackwardCpu(CpuDevice cpu, in LinearSize size, DeviceSpan? saved, DeviceSpan dy, DeviceSpan? dz, DeviceSpan? db)
    {
        int blocks = (size.N + BlockRows - 1) / BlockRows;
        using var sums = db is null ? default : new CallScratch(cpu, (long)blocks * size.O * sizeof(float));
        float* partial = sums.Floats;
        int grain = CpuDevice.Grain(0.1 * BlockRows * size.O);
        switch (size.Activation)
        {
            case Activation.Relu: cpu.For(blocks, grain, new BackwardBody<ReluSlope>(size, saved.FloatsOrNull(), dy.Floats, dz.FloatsOrNull(), partial)); break;
            case Activation.Gelu: cpu.For(blocks, grain, new BackwardBody<GeluSlope>(size, saved.FloatsOrNull(), dy.Floats, dz.FloatsOrNull(), partial)); break;
            default: cpu.For(blocks, grain, new BackwardBody<NoSlope>(size, dy.Floats, dy.Floats, dz.FloatsOrNull(), partial)); break;
        }

        if (db is { } sum)
            cpu.For(size.O, CpuDevice.LineGrain(0.1 * blocks), new SumBody(blocks, size.O, partial, sum.Floats));
    }

    private readonly struct BackwardBody<TSlope>(LinearSize size, float* saved, float* dy, float* dz, float* partial) : IKernelBody
        where TSlope : struct, IBinaryOperator
    {
        private readonly LinearSize _size = size;
        private readonly float* _saved = saved;
        private readonly float* _dy = dy;
        private readonly float* _dz = dz;
        private readonly float* _partial = partial;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int columns = _size.O;
            for (int block = begin; block < end; block++)
            {
                int first = block * BlockRows, last = Math.Min(_size.N, first + BlockRows);
                int j = 0;
                for (; j <= columns - (4 * TVector.Count); j += 4 * TVector.Count)
                    Wide<TVector>(block, first, last, j);
                for (; j < columns; j += TVector.Count)
                    Narrow<TVector>(block, first, last, j, Math.Min(TVector.Count, columns - j));
            }
        }

        private void Wide<TVector>(int block, int first, int last, int j)
            where TVector : struct, IFloatVector<TVector>
        {
            TVector s0 = TVector.Zero, s1 = TVector.Zero, s2 = TVector.Zero, s3 = TVector.Zero;
            for (int n = first; n < last; n++)
            {
                long at = ((long)n * _size.O) + j;
                s0 += One<TVector>(at);
                s1 += One<TVector>(at + TVector.Count);
                s2 += One<TVector>(at + (2 * TVector.Count));
                s3 += One<TVector>(at + (3 * TVector.Count));
            }

            if (_partial == null)
                return;
            float* sums = _partial + ((long)block * _size.O) + j;
            s0.Store(sums);
            s1.Store(sums + TVector.Count);
            s2.Store(sums + (2 * TVector.Count));
            s3.Store(sums + (3 * TVector.Count));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private TVector One<TVector>(long at)
            where TVector : struct, IFloatVector<TVector>
        {
            var dz = TSlope.Apply(TVector.Load(_saved + at), TVector.Load(_dy + at));
            if (_dz != null)
                dz.Store(_dz + at);
            return dz;
        }

        private void Narrow<TVector>(int block, int first, int last, int j, int count)
            where TVector : struct, IFloatVector<TVector>
        {
            var sum = TVector.Zero;
            for (int n = first; n < last; n++)
            {
                long at = ((long)n * _size.O) + j;
                var dz = TSlope.Apply(TVector.LoadPartial(_saved + at, count), TVector.LoadPartial(_dy + at, count));
                if (_dz != null)
                    dz.StorePartial(_dz + at, count);
                sum += dz;
            }

            if (_partial != null)
                sum.StorePartial(_partial + ((long)block * _size.O) + j, count);
        }
    }

    private readonly struct SumBody(int blocks, int columns, float* partial, float* sum) : IKernelBody
    {
        private readonly int _blocks = blocks;
        private readonly int _columns = columns;
        private readonly float* _partial = partial;
        private readonly float* _sum = sum;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            for (int j = begin; j < end; j += TVector.Count)
            {
                int count = Math.Min(TVector.Count, end - j);
                var total = TVector.Zero;
                for (int block = 0; block < _blocks; block++)
                    total += TVector.LoadPartial(_partial + ((long)block * _columns) + j, count);
                total.StorePartial(_sum + j, count);
            }
        }
    }

    private readonly struct NoSlope : IBinaryOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Apply<TVector>(TVector saved, TVector dy)
            where TVector : struct, IFloatVector<TVector>
            => dy;
    }
}
