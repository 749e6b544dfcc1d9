using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

/// <summary>y = f(x) for one element, written once for every vector width.</summary>
internal interface IUnaryOperator
{
    static abstract TVector Apply<TVector>(TVector x)
        where TVector : struct, IFloatVector<TVector>;
}

/// <summary>z = f(x, y) for one element, written once for every vector width.</summary>
internal interface IBinaryOperator
{
    static abstract TVector Apply<TVector>(TVector x, TVector y)
        where TVector : struct, IFloatVector<TVector>;
}

/// <summary>The loops of all element-wise CPU kernels. Outputs may be the very span of an input.</summary>
internal static unsafe partial class Elementwise
{
    // Elements a chunk: 64 KB of each operand, about 20 microseconds of memory traffic.
    private const int ChunkElements = 16 * 1024;

    public static void Unary<TOperator>(CpuDevice cpu, DeviceSpan x, DeviceSpan y)
        where TOperator : struct, IUnaryOperator
        => cpu.For(Chunks(y.Length), 1, new UnaryBody<TOperator>(x.Floats, y.Floats, y.Length));

    public static void Binary<TOperator>(CpuDevice cpu, DeviceSpan x, DeviceSpan y, DeviceSpan z)
        where TOperator : struct, IBinaryOperator
        => cpu.For(Chunks(z.Length), 1, new BinaryBody<TOperator>(x.Floats, y.Floats, z.Floats, z.Length));

    /// <summary>y = f(x, parameter) for every element.</summary>
    public static void WithParameter<TOperator>(CpuDevice cpu, DeviceSpan x, float parameter, DeviceSpan y)
        where TOperator : struct, IBinaryOperator
        => cpu.For(Chunks(y.Length), 1, new ParameterBody<TOperator>(x.Floats, parameter, y.Floats, y.Length));

    /// <summary>z = f(x, y) under broadcasting.</summary>
    public static void Broadcast<TOperator>(CpuDevice cpu, in BroadcastSize size, DeviceSpan x, DeviceSpan y, DeviceSpan z)
        where TOperator : struct, IBinaryOperator
    {
        if (size.Same)
        {
            Binary<TOperator>(cpu, x, y, z);
            return;
        }

        // A long row is cut into segments, short rows are taken together.
        int segments = Math.Max(1, Chunks(size.Inner));
        int grain = (int)Math.Clamp(ChunkElements / Math.Max(1, size.Inner), 1, ChunkElements);
        cpu.For(checked((int)(size.Rows * segments)), grain, new BroadcastBody<TOperator>(size, segments, x.Floats, y.Floats, z.Floats));
    }

    private static int Chunks(long length) => checked((int)((length + ChunkElements - 1) / ChunkElements));

    private readonly struct UnaryBody<TOperator>(float* x, float* y, long length) : IKernelBody
        where TOperator : struct, IUnaryOperator
    {
        private readonly float* _x = x;
        private readonly float* _y = y;
        private readonly long _length = length;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            long i = (long)begin * ChunkElements, last = Math.Min(_length, (long)end * ChunkElements);
            for (; i <= last - TVector.Count; i += TVector.Count)
                TOperator.Apply(TVector.Load(_x + i)).Store(_y + i);
            int rest = (int)(last - i);
            if (rest > 0)
                TOperator.Apply(TVector.LoadPartial(_x + i, rest)).StorePartial(_y + i, rest);
        }
    }

    private readonly struct BinaryBody<TOperator>(float* x, float* y, float* z, long length) : IKernelBody
        where TOperator : struct, IBinaryOperator
    {
        private readonly float* _x = x;
        private readonly float* _y = y;
        private readonly float* _z = z;
        private readonly long _length = length;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            long i = (long)begin * ChunkElements, last = Math.Min(_length, (long)end * ChunkElements);
            for (; i <= last - TVector.Count; i += TVector.Count)
                TOperator.Apply(TVector.Load(_x + i), TVector.Load(_y + i)).Store(_z + i);
            int rest = (int)(last - i);
            if (rest > 0)
                TOperator.Apply(TVector.LoadPartial(_x + i, rest), TVector.LoadPartial(_y + i, rest)).StorePartial(_z + i, rest);
        }
    }

    private readonly struct ParameterBody<TOperator>(float* x, float parameter, float* y, long length) : IKernelBody
        where TOperator : struct, IBinaryOperator
    {
        private readonly float* _x = x;
        private readonly float _parameter = parameter;
        private readonly float* _y = y;
        private readonly long _length = length;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            var parameter = TVector.Broadcast(_parameter);
            long i = (long)begin * ChunkElements, last = Math.Min(_length, (long)end * ChunkElements);
            for (; i <= last - TVector.Count; i += TVector.Count)
                TOperator.Apply(TVector.Load(_x + i), parameter).Store(_y + i);
            int rest = (int)(last - i);
            if (rest > 0)
                TOperator.Apply(TVector.LoadPartial(_x + i, rest), parameter).StorePartial(_y + i, rest);
        }
    }

    private readonly struct BroadcastBody<TOperator>(BroadcastSize size, int segments, float* x, float* y, float* z) : IKernelBody
        where TOperator : struct, IBinaryOperator
    {
        private readonly BroadcastSize _size = size;
        private readonly int _segments = segments;
        private readonly float* _x = x;
        private readonly float* _y = y;
        private readonly float* _z = z;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            for (int item = begin; item < end; item++)
            {
                long row = item / _segments, first = (long)(item % _segments) * ChunkElements;
                var (x, y) = _size.Start(row);
                float* z = _z + (row * _size.Inner) + first;
                int count = (int)Math.Min(ChunkElements, _size.Inner - first);
                if (_size.InnerStrideA == 0)
                    ScalarLeft<TVector>(_x[x], _y + y + first, z, count);
                else if (_size.InnerStrideB == 0)
                    ScalarRight<TVector>(_x + x + first, _y[y], z, count);
                else
                    Both<TVector>(_x + x + first, _y + y + first, z, count);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Both<TVector>(float* x, float* y, float* z, int count)
            where TVector : struct, IFloatVector<TVector>
        {
            int i = 0;
            for (; i <= count - TVector.Count; i += TVector.Count)
                TOperator.Apply(TVector.Load(x + i), TVector.Load(y + i)).Store(z + i);
            if (i < count)
                TOperator.Apply(TVector.LoadPartial(x + i, count - i), TVector.LoadPartial(y + i, count - i)).StorePartial(z + i, count - i);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void ScalarLeft<TVector>(float x, float* y, float* z, int count)
            where TVector : struct, IFloatVector<TVector>
        {
            var left = TVector.Broadcast(x);
            int i = 0;
            for (; i <= count - TVector.Count; i += TVector.Count)
                TOperator.Apply(left, TVector.Load(y + i)).Store(z + i);
            if (i < count)
                TOperator.Apply(left, TVector.LoadPartial(y + i, count - i)).StorePartial(z + i, count - i);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void ScalarRight<TVector>(float* x, float y, float* z, int count)
            where TVector : struct, IFloatVector<TVector>
        {
            var right = TVector.Broadcast(y);
            int i = 0;
            for (; i <= count - TVector.Count; i += TVector.Count)
                TOperator.Apply(TVector.Load(x + i), right).Store(z + i);
            if (i < count)
                TOperator.Apply(TVector.LoadPartial(x + i, count - i), right).StorePartial(z + i, count - i);
        }
    }
}
