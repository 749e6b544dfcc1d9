using System.Runtime.InteropServices;

namespace CudaSeq.Kernels;

internal static unsafe partial class MaskPaddingKernel
{
    private const int ChunkElements = 16 * 1024;

    private static void ForwardCpu(CpuDevice cpu, in MaskPaddingSize size, DeviceSpan x, DeviceSpan lengths, DeviceSpan y)
        => cpu.For(
            checked(size.B * size.T),
            (int)Math.Clamp(ChunkElements / Math.Max(1, size.Inner), 1, ChunkElements),
            new Body(size, x.Floats, lengths.Ints, y.Floats));

    /// <summary>Item = position (b, t); the kept and the padded part of a chunk's sentence are one run each.</summary>
    private readonly struct Body(MaskPaddingSize size, float* x, int* lengths, float* y) : IKernelBody
    {
        private readonly MaskPaddingSize _size = size;
        private readonly float* _x = x;
        private readonly int* _lengths = lengths;
        private readonly float* _y = y;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            long inner = _size.Inner;
            for (int position = begin; position < end;)
            {
                var (b, t) = Math.DivRem(position, _size.T);
                int count = Math.Min(end - position, _size.T - t), kept = Math.Clamp(_lengths[b] - t, 0, count);
                float* x = _x + (position * inner), y = _y + (position * inner);
                Buffer.MemoryCopy(x, y, kept * inner * sizeof(float), kept * inner * sizeof(float));
                NativeMemory.Clear(y + (kept * inner), (nuint)((count - kept) * inner * sizeof(float)));
                position += count;
            }
        }
    }
}
