namespace CudaSeq.Kernels;

internal static unsafe partial class GradientNormKernel
{
    private const int BlockElements = 32 * 1024;

    // Squares added as floats before the sum goes on in double precision.
    private const int RunElements = 1024;

    private static double SumOfSquaresCpu(CpuDevice cpu, ReadOnlySpan<DeviceSpan> gradients)
    {
        using var list = new TensorList(cpu, gradients.Length, 1, BlockElements);
        foreach (var gradient in gradients)
            list.Add(gradient.Length, gradient);
        int blocks = list.Blocks;
        using var partial = new CallScratch(cpu, blocks * (long)sizeof(double));
        cpu.For(blocks, 1, new Body(list, partial.Doubles));
        double sum = 0;
        for (int block = 0; block < blocks; block++)
            sum += partial.Doubles[block];
        return sum;
    }

    private static void ClipCpu(CpuDevice cpu, ClipSize size, ReadOnlySpan<DeviceSpan> gradients, DeviceSpan loss, DeviceSpan norm, DeviceSpan guard)
    {
        float length = gradients.IsEmpty ? 0 : (float)Math.Sqrt(SumOfSquaresCpu(cpu, gradients)), factor = size.Scale;
        double scaled = length * (double)size.Scale;
        if (size.MaxNorm > 0 && scaled > size.MaxNorm)
            factor *= (float)(size.MaxNorm / (scaled + 1e-6));
        bool stopped = guard.Floats[1] != 0 || !double.IsFinite(scaled) || !float.IsFinite(*loss.Floats);
        *norm.Floats = (float)scaled;
        guard.Floats[0] = stopped ? float.NaN : factor;
        guard.Floats[1] = stopped ? 1 : 0;
    }

    private readonly struct Body(TensorList list, double* partial) : IKernelBody
    {
        private readonly TensorList _list = list;
        private readonly double* _partial = partial;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            for (int block = begin; block < end; block++)
            {
                var (tensor, start, length) = _list.Block(block);
                float* x = _list.Pointer(tensor, 0) + start;
                double sum = 0;
                for (int done = 0; done < length; done += RunElements)
                    sum += Run<TVector>(x + done, Math.Min(RunElements, length - done));
                _partial[block] = sum;
            }
        }

        private static float Run<TVector>(float* x, int count)
            where TVector : struct, IFloatVector<TVector>
        {
            TVector sum0 = TVector.Zero, sum1 = TVector.Zero, sum2 = TVector.Zero, sum3 = TVector.Zero;
            int i = 0, n = TVector.Count;
            for (; i <= count - (4 * n); i += 4 * n)
            {
                TVector x0 = TVector.Load(x + i), x1 = TVector.Load(x + i + n), x2 = TVector.Load(x + i + (2 * n)), x3 = TVector.Load(x + i + (3 * n));
                sum0 = TVector.MultiplyAdd(x0, x0, sum0);
                sum1 = TVector.MultiplyAdd(x1, x1, sum1);
                sum2 = TVector.MultiplyAdd(x2, x2, sum2);
                sum3 = TVector.MultiplyAdd(x3, x3, sum3);
            }

            for (; i < count; i += n)
            {
                var rest = TVector.LoadPartial(x + i, Math.Min(n, count - i));
                sum0 = TVector.MultiplyAdd(rest, rest, sum0);
            }

            return ((sum0 + sum1) + (sum2 + sum3)).Sum();
        }
    }
}
