using System.Runtime.InteropServices;

namespace CudaSeq.Kernels;

internal static unsafe partial class SliceKernel
{
    private const int ChunkElements = 32 * 1024;

    private static void ForwardCpu(CpuDevice cpu, in SliceSize size, DeviceSpan x, DeviceSpan y)
        => CopyRows(
            cpu, size.Outer, size.Count * size.Inner, x.Floats + (size.Start * size.Inner), size.Length * size.Inner, y.Floats, size.Count * size.Inner);

    private static void BackwardCpu(CpuDevice cpu, in SliceSize size, DeviceSpan dy, DeviceSpan dx)
    {
        int grain = (int)Math.Clamp(ChunkElements / Math.Max(1, size.Length * size.Inner), 1, ChunkElements);
        cpu.For(checked((int)size.Outer), grain, new BackwardBody(size, dy.Floats, dx.Floats));
    }

    /// <summary>Copies rows of <paramref name="run"/> elements between two strides.</summary>
    public static void CopyRows(CpuDevice cpu, long rows, long run, float* x, long strideX, float* y, long strideY)
    {
        int segments = checked((int)Math.Max(1, (run + ChunkElements - 1) / ChunkElements));
        int grain = (int)Math.Clamp(ChunkElements / Math.Max(1, run), 1, ChunkElements);
        cpu.For(checked((int)(rows * segments)), grain, new CopyBody(segments, run, x, strideX, y, strideY));
    }

    private readonly struct CopyBody(int segments, long run, float* x, long strideX, float* y, long strideY) : IKernelBody
    {
        private readonly int _segments = segments;
        private readonly long _run = run;
        private readonly float* _x = x;
        private readonly long _strideX = strideX;
        private readonly float* _y = y;
        private readonly long _strideY = strideY;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            for (int item = begin; item < end; item++)
            {
                long row = item / _segments, first = (long)(item % _segments) * ChunkElements;
                long bytes = Math.Min(ChunkElements, _run - first) * sizeof(float);
                Buffer.MemoryCopy(_x + (row * _strideX) + first, _y + (row * _strideY) + first, bytes, bytes);
            }
        }
    }

    private readonly struct BackwardBody(SliceSize size, float* dy, float* dx) : IKernelBody
    {
        private readonly SliceSize _size = size;
        private readonly float* _dy = dy;
        private readonly float* _dx = dx;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            long before = _size.Start * _size.Inner, run = _size.Count * _size.Inner, row = _size.Length * _size.Inner;
            for (long o = begin; o < end; o++)
            {
                float* dx = _dx + (o * row);
                NativeMemory.Clear(dx, (nuint)before * sizeof(float));
                Buffer.MemoryCopy(_dy + (o * run), dx + before, run * sizeof(float), run * sizeof(float));
                NativeMemory.Clear(dx + before + run, (nuint)(row - before - run) * sizeof(float));
            }
        }
    }
}
