using CudaSeq.Kernels;

namespace CudaSeq.Models;

/// <summary>
/// The types that a model's activations can have, by the names that recipes and the command line give them. Parameters, their gradients, the optimiser's state, statistics
/// and losses are float32 with all of them, and so are files; sums are taken in float32.
/// </summary>
public static class Precisions
{
    /// <summary>What a model is trained in.</summary>
    public static IReadOnlyList<(string Name, DType Type)> Training { get; } = [("float32", DType.Float32), ("bf16", DType.BFloat16)];

    /// <summary>What a trained model translates in.</summary>
    public static IReadOnlyList<(string Name, DType Type)> Inference { get; } = [.. Training, ("half", DType.Float16)];

    /// <summary>The name of a precision.</summary>
    /// <exception cref="ArgumentException">Integers are none.</exception>
    public static string Name(DType precision)
        => Inference.FirstOrDefault(p => p.Type == precision).Name ?? throw new ArgumentException($"A precision must be a type of floats, got {precision}.");

    /// <summary>Refuses what a device does not compute in.</summary>
    /// <exception cref="ArgumentException">The processor is asked for another precision than float32.</exception>
    public static void Check(Device device, DType precision)
    {
        string name = Name(precision);
        if (device is CpuDevice && precision != DType.Float32)
            throw new ArgumentException($"The processor computes in float32 everywhere, got {name} on {device}; {name} is for a GPU.");
    }
}
