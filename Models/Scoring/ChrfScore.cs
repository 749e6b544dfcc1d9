namespace CudaSeq.Models;

/// <summary>A chrF score with what it was computed from.</summary>
/// <param name="Name">chrF, beta, and a plus for each order of words: <c>chrF2</c>, <c>chrF2++</c>.</param>
/// <param name="Score">chrF in percent.</param>
/// <param name="Signature">The variant as sacreBLEU writes it; beta and the order of words are part of the name.</param>
public sealed record ChrfScore(string Name, double Score, string Signature) : IMetricScore
{
    /// <summary>[character order + word order]: n-grams of the hypotheses, those of characters first; an order that the reference lacks does not count.</summary>
    public IReadOnlyList<long> HypothesisTotals { get; init; } = [];

    /// <summary>[character order + word order]: n-grams of the references.</summary>
    public IReadOnlyList<long> ReferenceTotals { get; init; } = [];

    /// <summary>[character order + word order]: n-grams that hypotheses and references share.</summary>
    public IReadOnlyList<long> Matches { get; init; } = [];

    /// <summary>One line as sacreBLEU prints it: <c>chrF2|nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:... = 55.93</c>.</summary>
    public override string ToString() => $"{Name}|{Signature} = {ScoreText.Fixed(Score, 2)}";
}
