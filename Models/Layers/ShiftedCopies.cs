using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// What a convolution over time with a weight for each pair of channels multiplies with one matrix: at every position the K inputs that its taps see, side by side, the earliest first, with zeros beyond the sequence.
/// </summary>
internal static class ShiftedCopies
{
    /// <summary>Those of whole sequences.</summary>
    /// <param name="x">[B, T, I].</param>
    /// <param name="taps">K, at least 1.</param>
    /// <param name="causal">Whether the last tap is of the position itself; otherwise the middle one is, of an even number the one before the middle.</param>
    /// <returns>[B, T, K I]; with one tap <paramref name="x"/> itself, otherwise new.</returns>
    public static Tensor Of(Tensor x, int taps, bool causal)
    {
        if (taps == 1)
            return x;
        int before = causal ? taps - 1 : (taps - 1) / 2, steps = x.Shape[1];
        var parts = new List<Tensor> { x };
        if (before > 0)
            parts.Insert(0, Zeros(before));
        if (before < taps - 1)
            parts.Add(Zeros(taps - 1 - before));
        var padded = Ops.Concat(1, [.. parts]);
        return Ops.Concat(2, [.. Enumerable.Range(0, taps).Select(k => Ops.Slice(padded, 1, k, steps))]);

        Tensor Zeros(int count) => Tensor.Zeros(x.Device, [x.Shape[0], count, x.Shape[2]], x.DType);
    }

    /// <summary>Gives a causal convolution its place in a decoding's memory: the K - 1 inputs before the next.</summary>
    /// <param name="owner">The convolution.</param>
    /// <param name="taps">K.</param>
    /// <param name="inputs">I, channels.</param>
    /// <param name="state">The decoding, before its first step.</param>
    public static void Begin(Module owner, int taps, int inputs, IncrementalState state)
    {
        if (taps > 1)
            state.AddPerHypothesis(owner, Tensor.Zeros(owner.Device, [state.Hypotheses, taps - 1, inputs], owner.Precision));
    }

    /// <summary>Those of one more position, which is remembered.</summary>
    /// <param name="owner">The convolution.</param>
    /// <param name="taps">K.</param>
    /// <param name="x">[N, I].</param>
    /// <param name="state">The decoding.</param>
    /// <returns>[N, K I]; with one tap <paramref name="x"/> itself, otherwise new.</returns>
    public static Tensor Step(Module owner, int taps, Tensor x, IncrementalState state)
    {
        if (taps == 1)
            return x;
        var memory = state.Of(owner)[0];
        var window = Ops.Concat(1, memory.Value, x.Reshape([x.Shape[0], 1, x.Shape[1]]));
        memory.Value = Ops.Slice(window, 1, 1, taps - 1);
        return window.Reshape([x.Shape[0], taps * x.Shape[1]]);
    }
}
