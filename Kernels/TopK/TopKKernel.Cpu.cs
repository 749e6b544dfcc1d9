using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

internal static unsafe partial class TopKKernel
{
    private static void ForwardCpu(CpuDevice cpu, TopKSize size, DeviceSpan x, DeviceSpan values, DeviceSpan indices)
    {
        if (size.K == 0)
            return;
        using var scratch = new ThreadScratch(cpu, ((2L * size.K) + GroupMaxima.Count(size.V)) * sizeof(float));
        cpu.For(size.N, CpuDevice.Grain(100 + (0.1 * size.V) + (60.0 * size.K)), new ForwardBody(scratch, size, x.Floats, values.Floats, indices.Ints));
    }

    // Item = row. The K-th largest group maximum bounds the K-th largest number from below, so that K groups, and those that tie with the bound, hold the answer.
    private readonly struct ForwardBody(ThreadScratch scratch, TopKSize size, float* x, float* values, int* indices) : IKernelBody
    {
        private readonly ThreadScratch _scratch = scratch;
        private readonly TopKSize _size = size;
        private readonly float* _x = x;
        private readonly float* _values = values;
        private readonly int* _indices = indices;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            int groups = GroupMaxima.Count(_size.V);
            int* memory = (int*)_scratch.Claim(out int slice);
            var heap = new Heap(memory, memory + _size.K, _size.K);
            float* maxima = (float*)(memory + (2L * _size.K));
            for (int n = begin; n < end; n++)
            {
                float* x = _x + ((long)n * _size.V);
                for (int g = 0; g < groups; g++)
                    maxima[g] = GroupMaxima.Of<TVector>(x, _size.V, g);
                float bound = float.NegativeInfinity;
                if (groups > _size.K)
                {
                    heap.Count = 0;
                    for (int g = 0; g < groups; g++)
                        heap.Offer(Key(maxima[g]), g);
                    bound = maxima[heap.WorstIndex];
                }

                heap.Count = 0;
                for (int g = 0; g < groups; g++)
                {
                    if (maxima[g] >= bound)
                        Visit(x, g * GroupMaxima.Size, Math.Min(_size.V, (g + 1) * GroupMaxima.Size), bound, ref heap);
                }

                int* indices = _indices + ((long)n * _size.K);
                float* values = _values + ((long)n * _size.K);
                heap.Drain(indices);
                for (int i = 0; i < _size.K; i++)
                    values[i] = x[indices[i]];
            }

            _scratch.Return(slice);
        }

        // Not below the bound: NaN passes too.
        private static void Visit(float* x, int first, int last, float bound, ref Heap heap)
        {
            for (int i = first; i < last; i++)
            {
                if (!(x[i] < bound))
                    heap.Offer(Key(x[i]), i);
            }
        }

        // Integers in the order of the numbers: -0 equals 0, NaN is above infinity.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static int Key(float x)
        {
            if (float.IsNaN(x))
                return int.MaxValue;
            int bits = BitConverter.SingleToInt32Bits(x + 0f);
            return bits ^ ((bits >> 31) & int.MaxValue);
        }
    }

    // The best entries offered so far, the worst of them on top. Offers come by rising index, so that an equal key never replaces an entry.
    private struct Heap(int* keys, int* indices, int capacity)
    {
        private readonly int* _keys = keys;
        private readonly int* _indices = indices;
        private readonly int _capacity = capacity;

        public int Count;

        public readonly int WorstIndex => _indices[0];

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Offer(int key, int index)
        {
            if (Count < _capacity)
                Push(key, index);
            else if (key > _keys[0])
                Sink(key, index);
        }

        /// <summary>Empties the heap into <paramref name="target"/>, best first.</summary>
        public void Drain(int* target)
        {
            while (Count > 0)
            {
                int last = --Count;
                target[last] = _indices[0];
                if (last > 0)
                    Sink(_keys[last], _indices[last]);
            }
        }

        private void Push(int key, int index)
        {
            int at = Count++;
            while (at > 0)
            {
                int parent = (at - 1) / 2;
                if (!Worse(key, index, _keys[parent], _indices[parent]))
                    break;
                _keys[at] = _keys[parent];
                _indices[at] = _indices[parent];
                at = parent;
            }

            _keys[at] = key;
            _indices[at] = index;
        }

        // Puts an entry in the place of the worst.
        private readonly void Sink(int key, int index)
        {
            int at = 0;
            while (true)
            {
                int child = (2 * at) + 1;
                if (child >= Count)
                    break;
                if (child + 1 < Count && Worse(_keys[child + 1], _indices[child + 1], _keys[child], _indices[child]))
                    child++;
                if (!Worse(_keys[child], _indices[child], key, index))
                    break;
                _keys[at] = _keys[child];
                _indices[at] = _indices[child];
                at = child;
            }

            _keys[at] = key;
            _indices[at] = index;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static bool Worse(int key, int index, int otherKey, int otherIndex)
            => key < otherKey || (key == otherKey && index > otherIndex);
    }
}
