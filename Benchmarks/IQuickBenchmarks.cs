using CudaSeq.Kernels;

namespace CudaSeq.Benchmarks;

/// <summary>
/// The cases of one op, model or training step for <c>quick</c>. Implement it anywhere in this project with a constructor without parameters: it is found by its type.
/// </summary>
public interface IQuickBenchmarks
{
    /// <summary>The cases, cheap to list: their tensors are made in <see cref="QuickCase.Prepare"/>.</summary>
    /// <param name="setting">How large, and of what.</param>
    IEnumerable<QuickCase> Cases(Setting setting);
}

/// <summary>One line of the table.</summary>
/// <param name="Name">Op and sizes, for example <c>MatMul NT 2048x512x512</c>, then the pass where it is not forward: <c>backward</c>, <c>forward + backward</c>.</param>
/// <param name="Work">What one call does.</param>
/// <param name="Prepare">
/// Makes the inputs, in a scope that stays open, and gives the call to time; each call runs in a scope of its own, so it may make tensors and run Backward.
/// Check results here if they need checking. Asked several times, it makes several sets of inputs, to be used in turns so that none stays in a cache.
/// </param>
public sealed record QuickCase(string Name, Work Work, Func<Device, Action> Prepare);
