using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>Inputs that a rival in another process makes as well, number by number, so that outputs can be compared: torch_rival.py has the same lines.</summary>
internal static class Patterns
{
    /// <summary>Numbers in [-1, 1) with 24 bits, all over the range, in no order.</summary>
    /// <param name="device">Where.</param>
    /// <param name="shape">Of what shape.</param>
    /// <param name="seed">Which of them.</param>
    public static Tensor Of(Device device, Shape shape, int seed) => Tensor.From(device, Values(shape.Count, seed), shape);

    /// <summary>The same on the host.</summary>
    public static float[] Values(long count, int seed)
    {
        var values = new float[count];
        for (int i = 0; i < values.Length; i++)
        {
            uint h = unchecked(((uint)i * 2654435761u) + (uint)(seed * 40503));
            h ^= h >> 16;
            h = unchecked(h * 0x85EBCA6Bu);
            h ^= h >> 13;
            h = unchecked(h * 0xC2B2AE35u);
            h ^= h >> 16;
            values[i] = ((h >> 8) / 8388608f) - 1;
        }

        return values;
    }
}
