using System.Text.Json.Nodes;
using CudaSeq.Kernels;

namespace CudaSeq.Benchmarks;

/// <summary>One op at one size, or a whole model at work, as it is computed here and as rivals are asked for it.</summary>
/// <param name="Name">What, sizes and pass, as in the table.</param>
/// <param name="Group">What pictures show together: op and pass.</param>
/// <param name="Label">The case in its group, short.</param>
/// <param name="Work">What one call does.</param>
/// <param name="Order">What rivals are asked for: <c>op</c> and its sizes, as torch_rival.py reads them.</param>
/// <param name="Variants">The ways in which a rival is asked to compute it, each by <c>variant</c> of the order; empty where there is one.</param>
/// <param name="Prepare">Makes the inputs, of <see cref="Patterns"/>, in a scope that stays open.</param>
internal sealed record CompareCase(string Name, string Group, string Label, Work Work, JsonObject Order, IReadOnlyList<string> Variants, Func<Device, Contender> Prepare)
{
    /// <summary>The curves in its group that it is a point of.</summary>
    public IReadOnlyList<Place> Places { get; init; } = [];

    /// <summary>Outputs that differ by more, of the largest, are not of the same function.</summary>
    public double Tolerance { get; init; } = Turns.Tolerance;

    /// <summary>What one call is where it is a model's: an update, a decoding. Null for an op, whose costs beside time nobody asks for.</summary>
    public string? Whole { get; init; }

    /// <summary>Others of ours that it is timed beside, as a model with another mixer, or the same in float32. They are other functions: outputs are not compared.</summary>
    public IReadOnlyList<Sibling> Siblings { get; init; } = [];

    /// <summary>Whether what counts is how long one token waits for the one before it: a single sentence.</summary>
    public bool IsLatency { get; init; }
}

/// <summary>Another case of ours.</summary>
/// <param name="Label">What is different in it.</param>
/// <param name="Prepare">As <see cref="CompareCase.Prepare"/>.</param>
internal sealed record Sibling(string Label, Func<Device, Contender> Prepare);

/// <summary>A point of a curve.</summary>
/// <param name="Axis">What it is drawn over, as the taps of a filter: K.</param>
/// <param name="At">How many there are.</param>
/// <param name="Line">What stays the same along the curve; may be empty.</param>
internal readonly record struct Place(string Axis, double At, string Line = "");

/// <summary>A case that is ready to be timed.</summary>
/// <param name="Call">Computes it once, in a scope of its caller's.</param>
/// <param name="Outputs">Computes it once and gives its outputs, in the order of torch_rival.py. What chance decides when it is timed, as dropout, is left out.</param>
/// <param name="Owner">What it is made of beside tensors of the open scope; disposed with it.</param>
/// <param name="Weights">A file of the parameters for rivals, safetensors; null where inputs are of <see cref="Patterns"/> alone.</param>
internal sealed record Contender(Action Call, Func<float[][]> Outputs, IDisposable? Owner = null, string? Weights = null) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => Owner?.Dispose();
}
