namespace CudaSeq.Models;

/// <summary>The pairs of several stores, one store after the other.</summary>
internal sealed class MixedCorpus : CorpusStore
{
    private readonly CorpusStore[] _stores;
    private readonly int[] _ends;

    /// <param name="stores">At least one; together they have fewer than 2^31 pairs. They are disposed with this one.</param>
    public MixedCorpus(CorpusStore[] stores)
    {
        _stores = stores;
        _ends = new int[stores.Length];
        for (int i = 0; i < stores.Length; i++)
            _ends[i] = (i == 0 ? 0 : _ends[i - 1]) + stores[i].Count;
    }

    public override int Count => _ends[^1];

    public override ReadOnlySpan<int> Source(int index)
    {
        var (store, own) = Find(index);
        return store.Source(own);
    }

    public override ReadOnlySpan<int> Target(int index)
    {
        var (store, own) = Find(index);
        return store.Target(own);
    }

    public override (int Source, int Target) Lengths(int index)
    {
        var (store, own) = Find(index);
        return store.Lengths(own);
    }

    public override int LineOf(int index)
    {
        var (store, own) = Find(index);
        return store.LineOf(own);
    }

    public override void Dispose()
    {
        foreach (var store in _stores)
            store.Dispose();
    }

    private (CorpusStore Store, int Index) Find(int index)
    {
        int i = 0;
        while (index >= _ends[i])
            i++;
        return (_stores[i], i == 0 ? index : index - _ends[i - 1]);
    }
}
