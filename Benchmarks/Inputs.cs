using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>Inputs for benchmarks.</summary>
public static class Inputs
{
    private const int BlockElements = 1 << 22;

    // Drawing as many numbers as a graphics card takes would last longer than measuring with them: there a block of them is laid side by side.
    private static readonly Lazy<float[]> Block = new(() => Draw(BlockElements, 1));

    /// <summary>Normal numbers, never zeros: some processors are faster with those.</summary>
    public static Tensor Normal(Device device, Shape shape, float deviation = 1, DType dtype = DType.Float32)
    {
        if (dtype != DType.Float32)
        {
            using var scope = TensorScope.Begin();
            return Normal(device, shape, deviation).To(dtype).Keep();
        }

        if (shape.Count <= BlockElements || device is CpuDevice)
            return Tensor.From(device, Draw(shape.Count, deviation), shape);
        var tensor = Tensor.Empty(device, shape, dtype, nameof(Inputs));
        Lay(tensor.Data);
        if (deviation != 1)
            ScaleKernel.Forward(tensor.Data, deviation, tensor.Data);
        return tensor;
    }

    /// <summary>What an op computes from in training, an output of the op before it: a gradient flows to it.</summary>
    public static Tensor Activation(Device device, Shape shape, DType dtype)
    {
        var x = Normal(device, shape, dtype: dtype);

        // Parameters are float32: a narrower tensor is the output of an op, here of one that does nothing in either direction.
        return dtype == DType.Float32
            ? x.AsParameter()
            : Tape.Record(nameof(Activation), x, [Parameter(device, [1])], 0, static (_, _) => new Gradients(first: null));
    }

    /// <summary>Learned numbers, float32 whatever the activations are: a gradient flows to them.</summary>
    public static Tensor Parameter(Device device, Shape shape, float deviation = 1) => Normal(device, shape, deviation).AsParameter();

    /// <summary>Token ids from all over a vocabulary, in no order.</summary>
    public static Tensor Tokens(Device device, Shape shape, int vocabulary)
    {
        int[] ids = new int[shape.Count];
        for (int n = 0; n < ids.Length; n++)
            ids[n] = (int)(n * 2654435761L % vocabulary);
        return Tensor.From(device, ids, shape);
    }

    /// <summary>A call that runs backward alone, from a tensor whose tape is kept.</summary>
    /// <param name="y">Computed from the parameters.</param>
    /// <param name="parameters">What gets gradients, which are dropped after each call.</param>
    public static Action Backward(Tensor y, params Tensor[] parameters)
    {
        var gradient = Normal(y.Device, y.Shape, dtype: y.DType);
        return () => Differentiate(y, gradient, parameters);
    }

    /// <summary>Runs backward and drops the gradients.</summary>
    /// <param name="y">Where it starts.</param>
    /// <param name="gradient">The gradient of y; null for a single number.</param>
    /// <param name="parameters">What gets gradients.</param>
    public static void Differentiate(Tensor y, Tensor? gradient, params Tensor[] parameters)
    {
        // What the tape holds goes with the call's scope, or is to be used again.
        if (gradient is null)
            y.Backward(retain: true);
        else
            y.Backward(gradient, retain: true);
        foreach (var parameter in parameters)
            parameter.ZeroGrad();
    }

    /// <summary>Fills memory with normal numbers, the same ones again and again.</summary>
    internal static void Lay(DeviceSpan span)
    {
        for (long start = 0; start < span.Length; start += BlockElements)
        {
            int count = (int)Math.Min(BlockElements, span.Length - start);
            CopyKernel.FromHost<float>(Block.Value.AsSpan(0, count), span with { Offset = span.Offset + start, Length = count });
        }
    }

    private static float[] Draw(long count, float deviation)
    {
        var values = new float[count];
        new RandomSource((ulong)count).Normal(values, 0, deviation);
        return values;
    }
}
