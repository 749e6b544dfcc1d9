using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>
/// The cases of one op, model or training step for <c>quick</c>. Implement it anywhere in this project with a constructor without parameters: it is found by its type.
/// </summary>
public interface IQuickBenchmarks
{
    /// <summary>The cases, cheap to list: their tensors are made in <see cref="QuickCase.Prepare"/>.</summary>
    IEnumerable<QuickCase> Cases { get; }
}

/// <summary>One line of the table.</summary>
/// <param name="Name">Op and sizes, for example <c>MatMul NT 2048x512x512</c>.</param>
/// <param name="Work">What one call does.</param>
/// <param name="Prepare">
/// Makes the inputs, in a scope that stays open, and gives the call to time; each call runs in a scope of its own, so it may make tensors and run Backward.
/// Check results here if they need checking.
/// </param>
public sealed record QuickCase(string Name, Work Work, Func<Device, Action> Prepare);

/// <summary>Inputs for benchmarks.</summary>
public static class Inputs
{
    /// <summary>Normal numbers, never zeros: some processors are faster with those.</summary>
    public static Tensor Normal(Device device, Shape shape, float deviation = 1)
    {
        var values = new float[shape.Count];
        new RandomSource((ulong)shape.Count).Normal(values, 0, deviation);
        return Tensor.From(device, values, shape);
    }
}
