using System.Text.Json.Nodes;
using CudaSeq.Kernels;

namespace CudaSeq.Benchmarks;

/// <summary>One op at one size, as it is computed here and as rivals are asked for it.</summary>
/// <param name="Name">Op, sizes and pass, as in the table.</param>
/// <param name="Group">What pictures show together: op and pass.</param>
/// <param name="Label">The case in its group, short.</param>
/// <param name="X">What it is drawn over in its group, as the taps of a filter; null where the group has no such number.</param>
/// <param name="Work">What one call does.</param>
/// <param name="Order">What rivals are asked for: <c>op</c> and its sizes, as torch_rival.py reads them.</param>
/// <param name="Variants">The ways in which a rival is asked to compute it, each by <c>variant</c> of the order; empty where there is one.</param>
/// <param name="Prepare">Makes the inputs, of <see cref="Patterns"/>, in a scope that stays open.</param>
internal sealed record CompareCase(string Name, string Group, string Label, double? X, Work Work, JsonObject Order, IReadOnlyList<string> Variants, Func<Device, Contender> Prepare);

/// <summary>A case that is ready to be timed.</summary>
/// <param name="Call">Computes it once, in a scope of its caller's.</param>
/// <param name="Outputs">Computes it once and gives its outputs, in the order of torch_rival.py.</param>
internal sealed record Contender(Action Call, Func<float[][]> Outputs);
