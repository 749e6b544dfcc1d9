using System.Runtime.Intrinsics;

namespace CudaSeq.Kernels;

internal static unsafe partial class MaskedFillKernel
{
    private const int ChunkElements = 16 * 1024;

    private static void ForwardCpu(CpuDevice cpu, in BroadcastSize size, DeviceSpan x, DeviceSpan mask, float value, DeviceSpan y)
    {
        int segments = checked((int)Math.Max(1, (size.Inner + ChunkElements - 1) / ChunkElements));
        int grain = (int)Math.Clamp(ChunkElements / Math.Max(1, size.Inner), 1, ChunkElements);
        cpu.For(checked((int)(size.Rows * segments)), grain, new Body(size, segments, x.Floats, mask.Ints, value, y.Floats));
    }

    private readonly struct Body(BroadcastSize size, int segments, float* x, int* mask, float value, float* y) : IKernelBody
    {
        private readonly BroadcastSize _size = size;
        private readonly int _segments = segments;
        private readonly float* _x = x;
        private readonly int* _mask = mask;
        private readonly float _value = value;
        private readonly float* _y = y;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            for (int item = begin; item < end; item++)
            {
                long row = item / _segments, first = (long)(item % _segments) * ChunkElements, at = (row * _size.Inner) + first;
                int count = (int)Math.Min(ChunkElements, _size.Inner - first);
                int* mask = _mask + _size.Start(row).B;
                if (_size.InnerStrideB == 0 && *mask != 0)
                    new Span<float>(_y + at, count).Fill(_value);
                else if (_size.InnerStrideB == 0)
                    new ReadOnlySpan<float>(_x + at, count).CopyTo(new Span<float>(_y + at, count));
                else
                    Select<TVector>(_x + at, mask + first, _y + at, count);
            }
        }

        // 128 bits outrun the memory: three operands go through it.
        private void Select<TVector>(float* x, int* mask, float* y, int count)
            where TVector : struct, IFloatVector<TVector>
        {
            int i = 0;
            if (TVector.Count > 1)
            {
                var value = Vector128.Create(_value);
                for (; i <= count - 4; i += 4)
                {
                    var kept = Vector128.Equals(Vector128.Load(mask + i), Vector128<int>.Zero).AsSingle();
                    Vector128.ConditionalSelect(kept, Vector128.Load(x + i), value).Store(y + i);
                }
            }

            for (; i < count; i++)
                y[i] = mask[i] == 0 ? x[i] : _value;
        }
    }
}
