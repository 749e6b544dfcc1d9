namespace CudaSeq.Benchmarks;

/// <summary>What is timed of an op.</summary>
public enum Pass
{
    Forward,
    Backward,
    ForwardBackward,
}

internal static class Passes
{
    /// <summary>The pass that a benchmark method's name begins with.</summary>
    public static Pass Of(string method)
        => method.StartsWith(nameof(Pass.ForwardBackward), StringComparison.Ordinal) ? Pass.ForwardBackward
        : method.StartsWith(nameof(Pass.Backward), StringComparison.Ordinal) ? Pass.Backward
        : Pass.Forward;
}
