namespace CudaSeq.Kernels;

internal static unsafe partial class IsFiniteKernel
{
    private const int ChunkElements = 32 * 1024;

    private static bool AllCpu(CpuDevice cpu, DeviceSpan x)
    {
        int found = 0;
        cpu.For(checked((int)((x.Length + ChunkElements - 1) / ChunkElements)), 1, new Body(x.Floats, x.Length, &found));
        return found == 0;
    }

    private readonly struct Body(float* x, long length, int* found) : IKernelBody
    {
        private readonly float* _x = x;
        private readonly long _length = length;
        private readonly int* _found = found;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            if (Volatile.Read(ref *_found) != 0)
                return;
            // 0 * x is NaN exactly where x is NaN or infinite, and a sum never loses a NaN.
            TVector sum0 = TVector.Zero, sum1 = TVector.Zero;
            long i = (long)begin * ChunkElements, last = Math.Min(_length, (long)end * ChunkElements);
            for (; i <= last - (2 * TVector.Count); i += 2 * TVector.Count)
            {
                sum0 = TVector.MultiplyAdd(TVector.Load(_x + i), TVector.Zero, sum0);
                sum1 = TVector.MultiplyAdd(TVector.Load(_x + i + TVector.Count), TVector.Zero, sum1);
            }

            for (; i < last; i += TVector.Count)
                sum0 = TVector.MultiplyAdd(TVector.LoadPartial(_x + i, (int)Math.Min(TVector.Count, last - i)), TVector.Zero, sum0);
            if (float.IsNaN((sum0 + sum1).Sum()))
                Volatile.Write(ref *_found, 1);
        }
    }
}
