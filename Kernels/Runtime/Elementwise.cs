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
internal static unsafe class Elementwise
{
    // Elements a chunk: 64 KB of each operand, about 20 microseconds of memory traffic.
    private const int ChunkElements = 16 * 1024;

    public static void Unary<TOperator>(CpuDevice cpu, DeviceSpan x, DeviceSpan y)
        where TOperator : struct, IUnaryOperator
        => cpu.For(Chunks(y.Length), 1, new UnaryBody<TOperator>(x.Floats, y.Floats, y.Length));

    public static void Binary<TOperator>(CpuDevice cpu, DeviceSpan x, DeviceSpan y, DeviceSpan z)
        where TOperator : struct, IBinaryOperator
        => cpu.For(Chunks(z.Length), 1, new BinaryBody<TOperator>(x.Floats, y.Floats, z.Floats, z.Length));

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
}
