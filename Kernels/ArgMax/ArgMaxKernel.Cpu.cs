namespace CudaSeq.Kernels;

internal static unsafe partial class ArgMaxKernel
{
    private static void ForwardCpu(CpuDevice cpu, ArgMaxSize size, DeviceSpan x, DeviceSpan indices)
        => cpu.For(size.N, CpuDevice.Grain(60 + (0.1 * size.V)), new ForwardBody(size, x.Floats, indices.Ints));

    private readonly struct ForwardBody(ArgMaxSize size, float* x, int* indices) : IKernelBody
    {
        private readonly ArgMaxSize _size = size;
        private readonly float* _x = x;
        private readonly int* _indices = indices;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int groups = GroupMaxima.Count(_size.V);
            for (int n = begin; n < end; n++)
            {
                float* x = _x + ((long)n * _size.V);
                float best = GroupMaxima.Of<TVector>(x, _size.V, 0);
                int group = 0;
                for (int g = 1; g < groups; g++)
                {
                    float max = GroupMaxima.Of<TVector>(x, _size.V, g);
                    if (max > best)
                        (best, group) = (max, g);
                }

                var row = new ReadOnlySpan<float>(x, _size.V);
                int first = group * GroupMaxima.Size;

                // A maximum of infinity may be NaN, and then the first NaN of the row is the answer; IndexOf finds NaN too.
                int nan = float.IsPositiveInfinity(best) ? row.IndexOf(float.NaN) : -1;
                _indices[n] = nan >= 0 ? nan : first + row[first..].IndexOf(best);
            }
        }
    }
}
