namespace CudaSeq.Kernels;

internal static unsafe partial class CrossEntropyKernel
{
    // Logits in memory at a time: few enough to share the last cache with the weight, many enough that reading the weight for every block costs little.
    private const int BlockLogits = 8 << 20;
    private const int LeastRows = 384;

    private static void ForwardCpu(
        CpuDevice cpu,
        in CrossEntropySize size,
        DeviceSpan x,
        DeviceSpan weight,
        DeviceSpan? bias,
        DeviceSpan targets,
        DeviceSpan loss,
        DeviceSpan nll,
        in CrossEntropyGradients gradients)
    {
        using var rows = new CallScratch(cpu, size.N * (long)(2 * sizeof(double) + sizeof(int)));
        double* losses = rows.Doubles, nlls = losses + size.N;
        int* kept = (int*)(nlls + size.N);
        int count = Keep(size, targets.Ints, kept);
        if (gradients.X is { } dx && count < size.N)
            FillKernel.Zero(dx);
        if (gradients.Weight is { } dw && count == 0)
            FillKernel.Zero(dw);
        if (gradients.Bias is { } db)
            FillKernel.Zero(db);
        int limit = Math.Max(LeastRows, BlockLogits / size.V), blocks = (count + limit - 1) / limit;
        if (blocks > 0)
        {
            using var block = new Block(cpu, size, x.Floats, weight.Floats, bias.FloatsOrNull(), targets.Ints, gradients, (count + blocks - 1) / blocks);
            for (int first = 0; first < count; first += block.Rows)
                block.Compute(kept + first, Math.Min(block.Rows, count - first), accumulate: first > 0, losses + first, nlls + first);
        }

        *loss.Floats = Sum(losses, count);
        *nll.Floats = Sum(nlls, count);
    }

    private static void BackwardCpu(CpuDevice cpu, DeviceSpan dloss, DeviceSpan gradient, DeviceSpan scaled)
        => cpu.For((int)((gradient.Length + ScaleBody.Chunk - 1) / ScaleBody.Chunk), 1, new ScaleBody(*dloss.Floats, gradient.Floats, scaled.Floats, gradient.Length));

    // The rows that are no padding, in order.
    private static int Keep(in CrossEntropySize size, int* targets, int* kept)
    {
        int count = 0;
        for (int n = 0; n < size.N; n++)
        {
            if (targets[n] != size.PaddingIndex)
                kept[count++] = n;
        }

        return count;
    }

    private static float Sum(double* values, int count)
    {
        double sum = 0;
        for (int i = 0; i < count; i++)
            sum += values[i];
        return (float)sum;
    }

    private readonly struct ScaleBody(float factor, float* x, float* y, long length) : IKernelBody
    {
        public const int Chunk = 16 * 1024;

        private readonly float* _x = x;
        private readonly float* _y = y;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            var scale = TVector.Broadcast(factor);
            long i = (long)begin * Chunk, last = Math.Min(length, (long)end * Chunk);
            for (; i <= last - TVector.Count; i += TVector.Count)
                (TVector.Load(_x + i) * scale).Store(_y + i);
            int rest = (int)(last - i);
            if (rest > 0)
                (TVector.LoadPartial(_x + i, rest) * scale).StorePartial(_y + i, rest);
        }
    }
}
