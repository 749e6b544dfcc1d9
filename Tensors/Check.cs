namespace CudaSeq.Tensors;

/// <summary>What the gates of several ops refuse in the same words.</summary>
internal static class Check
{
    /// <summary>All inputs are floats on one device.</summary>
    public static void Float(string op, params ReadOnlySpan<Tensor?> inputs)
    {
        Tensor? first = null;
        foreach (var input in inputs)
        {
            if (input is null)
                continue;
            if (input.DType != DTypeFloat)
                throw new ArgumentException($"{op}: inputs must be floats, got {input}.");
            first ??= input;
            SameDevice(op, first, input);
        }
    }

    /// <summary>Token ids, lengths or indices: integers on the device of <paramref name="first"/>.</summary>
    public static void Int(string op, string name, Tensor first, Tensor input)
    {
        if (input.DType != Kernels.DType.Int32)
            throw new ArgumentException($"{op}: {name} must be integers, got {input}.");
        SameDevice(op, first, input);
    }

    /// <summary>Both tensors live on one device.</summary>
    public static void SameDevice(string op, Tensor first, Tensor second)
    {
        if (!ReferenceEquals(first.Device, second.Device))
            throw new ArgumentException($"{op}: inputs must be on one device, got {first} and {second}.");
    }

    private const Kernels.DType DTypeFloat = Kernels.DType.Float32;
}
