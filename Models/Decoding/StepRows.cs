using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>The rows of a decoding step that have not left the layers yet.</summary>
internal sealed class StepRows
{
    private readonly Tensor? _index;
    private readonly Tensor? _spread;
    private readonly Tensor? _join;

    /// <summary>Lists rows.</summary>
    /// <param name="state">The decoding.</param>
    /// <param name="active">Which of its N hypotheses, in order.</param>
    public StepRows(IncrementalState state, IReadOnlyList<int> active)
    {
        Active = active;
        int all = state.Hypotheses;
        IsAll = active.Count == all;
        (Counts, SourceLengths) = (state.Counts, state.SourceLengths);
        if (IsAll || active.Count == 0)
            return;
        int[] spread = new int[all], join = new int[all], counts = new int[all], lengths = state.SourceLengths.ToIntArray();
        bool[] asked = new bool[lengths.Length];
        Array.Fill(spread, active.Count);
        for (int n = 0; n < all; n++)
            join[n] = n;
        for (int i = 0; i < active.Count; i++)
        {
            int n = active[i];
            (spread[n], join[n], counts[n]) = (i, all + i, state.Step + 1);
            asked[n / state.Beam] = true;
        }

        for (int m = 0; m < lengths.Length; m++)
            lengths[m] = asked[m] ? lengths[m] : 0;
        var device = state.Counts.Device;
        (_index, _spread, _join) = (Tensor.From(device, [.. active]), Tensor.From(device, spread), Tensor.From(device, join));
        (Counts, SourceLengths) = (Tensor.From(device, counts), Tensor.From(device, lengths));
    }

    /// <summary>Which rows they are, A of N.</summary>
    public IReadOnlyList<int> Active { get; }

    /// <summary>Whether they are all.</summary>
    public bool IsAll { get; }

    /// <summary>[N] integers: the positions that exist; 0 for rows that have left, which then cost nothing to attend.</summary>
    public Tensor Counts { get; }

    /// <summary>[M] integers: the lengths of the sources; 0 where no row of a sentence is left.</summary>
    public Tensor SourceLengths { get; }

    /// <summary>[A, C] of [N, C].</summary>
    public Tensor Of(Tensor x) => _index is null ? x : Ops.IndexSelect(x, 0, _index);

    /// <summary>[N, C] of [A, C]: zeros for the others.</summary>
    public Tensor Spread(Tensor x)
    {
        if (_spread is null)
            return x;
        var zero = Ops.Scale(Ops.Rows(x, 0, 1), 0);
        return Ops.IndexSelect(Ops.Concat(0, x, zero), 0, _spread);
    }

    /// <summary>[N, C], with the rows of [A, C] in their places.</summary>
    public Tensor Join(Tensor x, Tensor own) => _join is null ? own : Ops.IndexSelect(Ops.Concat(0, x, own), 0, _join);
}
