using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// Where the places of a hypothesis lie: when it goes on from another of its beam, its row of this table becomes the other's, and the caches, a thousand times as large,
/// stay where they are. [N, S] integers below the beam: place s of hypothesis n lies in row n - n mod beam + origins[n, s] of the caches. A place that no step has reached
/// is the row's own.
/// </summary>
internal sealed class CacheOrigins
{
    private readonly IncrementalState.Memory _rows;
    private readonly Device _device;
    private readonly int _beam;

    /// <param name="remember">Remembers the table.</param>
    /// <param name="device">Where.</param>
    /// <param name="hypotheses">N.</param>
    /// <param name="beam">Hypotheses of a sentence.</param>
    /// <param name="places">S.</param>
    public CacheOrigins(Func<Tensor, IncrementalState.Memory> remember, Device device, int hypotheses, int beam, int places)
    {
        (_device, _beam) = (device, beam);
        _rows = remember(Own(hypotheses, 0, places));
    }

    /// <summary>[N, S].</summary>
    public Tensor Value => _rows.Value;

    /// <summary>Every hypothesis goes on from one of its beam; none leaves.</summary>
    /// <param name="parents">[N] integers below the beam.</param>
    /// <param name="counts">[N], the places that steps have reached.</param>
    public void Reorder(Tensor parents, Tensor counts) => Ops.BeamReorder(Value, parents, _beam, counts);

    /// <summary>Hypotheses go on from others, of sentences that stay.</summary>
    /// <param name="rows">[N'] integers: for each new row the old one, whole beams. Null for all as they are.</param>
    /// <param name="reached">The places that steps have reached.</param>
    /// <param name="places">S from now on.</param>
    public void Select(Tensor? rows, int reached, int places)
    {
        var known = Ops.Slice(Value, 1, 0, reached);
        if (rows is not null)
            known = Ops.IndexSelect(known, 0, rows);
        _rows.Value = Ops.Concat(1, known, Own(known.Shape[0], reached, places));
    }

    /// <summary>Frees the memory.</summary>
    public void Free() => _rows.Free();

    private Tensor Own(int hypotheses, int begin, int end)
    {
        int[] table = new int[checked(hypotheses * (end - begin))];
        for (int n = 0; n < hypotheses; n++)
            Array.Fill(table, n % _beam, n * (end - begin), end - begin);
        return Tensor.From(_device, table, [hypotheses, end - begin]);
    }
}
