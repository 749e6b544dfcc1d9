namespace CudaSeq.Kernels;

internal static unsafe partial class CacheAppendKernel
{
    private static void ForwardCpu(CpuDevice cpu, CacheAppendSize size, DeviceSpan cache, DeviceSpan x, DeviceSpan positions)
        => cpu.For(size.N, CpuDevice.Grain(20 + (0.5 * size.C)), new Body(size, cache.Floats, x.Floats, positions.Ints));

    private readonly struct Body(CacheAppendSize size, float* cache, float* x, int* positions) : IKernelBody
    {
        private readonly CacheAppendSize _size = size;
        private readonly float* _cache = cache;
        private readonly float* _x = x;
        private readonly int* _positions = positions;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            for (int n = begin; n < end; n++)
            {
                float* place = _cache + ((((long)n * _size.S) + _positions[n]) * _size.C);
                Buffer.MemoryCopy(_x + ((long)n * _size.C), place, (long)_size.C * sizeof(float), (long)_size.C * sizeof(float));
            }
        }
    }
}
